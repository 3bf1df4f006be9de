// SPDX-License-Identifier: Apache-2.0
// dequantize_linear: (x - zero_point) * scale, block by block.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/any.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kFrom = 0;
layout(constant_id = 1) const uint kTo = 0;
ANY_BUFFER(0, x);
ANY_BUFFER(1, scale);
ANY_BUFFER(2, zero);
ANY_BUFFER(3, y);
layout(push_constant) uniform Push {
    uint count;
    uint shape[8]; // innermost axis first
    uint block[8]; // elements of x that share a scale
    uint strides[8]; // of scale and zero point
} p;

void main() {
    for (uint i = gl_GlobalInvocationID.x; i < p.count; i += gl_NumWorkGroups.x * 64) {
        uint rest = i;
        uint at = 0;
        for (uint axis = 0; rest != 0; ++axis) {
            at += rest % p.shape[axis] / p.block[axis] * p.strides[axis];
            rest /= p.shape[axis];
        }
        const uint stored = LOAD_BITS(x, kFrom, i);
        const uint origin = LOAD_BITS(zero, kFrom, at);
        // Differences of uint32 may be negative and need 33 bits; those of the others fit 32.
        const float centred = kFrom != kUint32     ? float(int(stored - origin))
                              : stored >= origin ? float(stored - origin)
                                                 : -float(origin - stored);
        const float value = centred * LOAD_FLOAT(scale, kTo, at);
        if (kTo == kFloat32) {
            y_f32[i] = value;
        } else {
            y_f16[i] = float16_t(value);
        }
    }
}
