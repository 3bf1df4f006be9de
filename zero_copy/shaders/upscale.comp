// SPDX-License-Identifier: Apache-2.0
// SuperResolutionWriter on a device: one plane of the output, the input's upscaled twofold with the
// network's residual added.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "zero_copy/shaders/lib/frame_planes.glsl"
#include "zero_copy/shaders/lib/frame_write.glsl"

layout(local_size_x = 64, local_size_y = 4) in;
layout(constant_id = 8) const uint kChannels = 3; // of the residual
layout(constant_id = 9) const uint kCoSited = 0;  // chroma lies on a luma column (1), row (2)

layout(std430, set = 0, binding = 4) readonly buffer Residual { float values[]; } residual;

layout(push_constant) uniform Push {
    TargetPlane target;
    FramePlanes frame;
    uint width, height;  // of the input
    uint residual_first; // value of the residual's first row
    uint first_row;      // of the output, that it belongs to
    uint rows;           // that it has
    float gain[9];       // codes of each component for a residual of 1 in R, G, B
} push;

// The two source samples of an output sample and the second's weight: half-pixel centres on both
// grids, which share their site offset.
void taps(uint at, bool co_sited, uint samples, out uint first, out uint second, out float weight) {
    const float half_offset = co_sited ? 0.125 : 0.0;
    const uint j = at >> 1u;
    if ((at & 1u) == 0u) {
        first = j == 0u ? 0u : j - 1u;
        second = j;
        weight = 0.75 + half_offset;
    } else {
        first = j;
        second = min(j + 1u, samples - 1u);
        weight = 0.25 + half_offset;
    }
}

vec3 residual_at(int column, uint row) {
    const uint kept = min(row - push.first_row, push.rows - 1u);
    const uint x = uint(clamp(column, 0, int(2u * push.width) - 1));
    const uint at = push.residual_first + (kept * 2u * push.width + x) * kChannels;
    return kChannels == 1u ? vec3(residual.values[at])
                           : vec3(residual.values[at], residual.values[at + 1u],
                                  residual.values[at + 2u]);
}

// The delta of a chroma sample is the mean over its own site across and over its block's rows.
vec3 residual_of(uint c, uint column, uint row) {
    if (shift_x(c) == 0u) {
        return residual_at(int(column), row);
    }
    const uint first = row << shift_y(c);
    const uint last = first + (1u << shift_y(c)) - 1u;
    const int x = int(column) * 2;
    const bool co_sited = (kCoSited & 1u) != 0u;
    vec3 mean = vec3(0.0);
    for (int i = -1; i < 2; ++i) {
        const float weight = co_sited ? (i == 0 ? 0.5 : 0.25) : (i < 0 ? 0.0 : 0.5);
        if (weight > 0.0) {
            mean += weight * 0.5 * (residual_at(x + i, first) + residual_at(x + i, last));
        }
    }
    return mean;
}

float new_sample(uint c, uint column, uint row, float old) {
    uint left, right, upper, lower;
    float across, down;
    taps(column, shift_x(c) == 1u && (kCoSited & 1u) != 0u, subsampled(push.width, shift_x(c)), left,
         right, across);
    taps(row, shift_y(c) == 1u && (kCoSited & 2u) != 0u, subsampled(push.height, shift_y(c)), upper,
         lower, down);
    const float top = mix(load_sample(push.frame, c, left, upper),
                          load_sample(push.frame, c, right, upper), across);
    const float bottom = mix(load_sample(push.frame, c, left, lower),
                             load_sample(push.frame, c, right, lower), across);
    const float value = mix(top, bottom, down);
    // Alpha is upscaled only, and a residual of luma leaves the chroma as it is.
    if (c == 3u || (is_chroma(c) && kChannels == 1u)) {
        return value;
    }
    const vec3 gain = vec3(push.gain[3u * c], push.gain[3u * c + 1u], push.gain[3u * c + 2u]);
    const vec3 delta = residual_of(c, column, row);
    return value + (kChannels == 1u ? delta.x * gain.x : dot(delta, gain));
}

void main() {
    write_word(push.target, gl_GlobalInvocationID.x, push.target.first_row + gl_GlobalInvocationID.y);
}
