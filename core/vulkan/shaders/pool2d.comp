// SPDX-License-Identifier: Apache-2.0
// Pooling, either layout: an invocation computes one element. Padding counts in no kind; a window
// wholly in the padding gives 0.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/float.glsl"
#include "lib/math.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kKind = 0; // ops::PoolKind: average, L2, max
layout(constant_id = 1) const bool kPlanar = false; // NCHW
layout(binding = 0) readonly buffer X { SCALAR from[]; };
layout(binding = 1) writeonly buffer Y { SCALAR to[]; };
layout(push_constant) uniform Push {
    uint count; // of the output's elements
    uint channels, in_height, in_width, out_height, out_width;
    uint window_height, window_width;
    int stride_y, stride_x, dilation_y, dilation_x, top, left;
} p;

uint place(uint n, uint c, uint y, uint x) {
    return kPlanar ? ((n * p.channels + c) * p.in_height + y) * p.in_width + x
                   : ((n * p.in_height + y) * p.in_width + x) * p.channels + c;
}

float pool(uint n, uint c, int oy, int ox) {
    float result = 0.0;
    float count = 0.0;
    for (uint ky = 0; ky < p.window_height; ++ky) {
        const int iy = oy * p.stride_y + int(ky) * p.dilation_y - p.top;
        float row = 0.0; // large windows lose less when their rows are summed by themselves
        for (uint kx = 0; kx < p.window_width; ++kx) {
            const int ix = ox * p.stride_x + int(kx) * p.dilation_x - p.left;
            if (uint(iy) < p.in_height && uint(ix) < p.in_width) {
                const float value = float(from[place(n, c, uint(iy), uint(ix))]);
                if (kKind == 2) {
                    // A NaN wins and stays.
                    result = count == 0.0 || is_nan(value) || value > result ? value : result;
                } else {
                    row += kKind == 1 ? value * value : value;
                }
                count += 1.0;
            }
        }
        if (kKind != 2) {
            result += row;
        }
    }
    if (kKind == 0) {
        return count > 0.0 ? result / count : 0.0;
    }
    return kKind == 1 ? sqrt(result) : result;
}

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        uint rest = i;
        uint c = 0;
        if (!kPlanar) {
            c = rest % p.channels;
            rest /= p.channels;
        }
        const uint ox = rest % p.out_width;
        rest /= p.out_width;
        const uint oy = rest % p.out_height;
        rest /= p.out_height;
        if (kPlanar) {
            c = rest % p.channels;
            rest /= p.channels;
        }
        to[i] = SCALAR(pool(rest, c, int(oy), int(ox)));
    }
}
