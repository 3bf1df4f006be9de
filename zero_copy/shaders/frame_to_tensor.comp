// SPDX-License-Identifier: Apache-2.0
// FrameToTensor on a device: an invocation samples one tensor pixel from the frame's own planes.
// Taps come from tables that the host computed in double precision, the CPU's own.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "zero_copy/shaders/lib/frame_planes.glsl"

layout(local_size_x = 8, local_size_y = 8) in;
layout(constant_id = 6) const uint kWanted = 7;   // components that reach the tensor, a bit each
layout(constant_id = 7) const uint kChannels = 3;
layout(constant_id = 8) const bool kTurned = false;
layout(constant_id = 9) const bool kNearest = false;
layout(constant_id = 10) const uint kCoSited = 0; // chroma lies on a luma column (1), row (2)

layout(std430, set = 0, binding = 3) readonly buffer Tables { uint words[]; } tables;
layout(std430, set = 0, binding = 4) writeonly buffer Tensor { float values[]; } tensor;

layout(push_constant) uniform Push {
    FramePlanes frame;
    uint width, height;             // of the tensor
    uint pixel_step, channel_step;  // in values
    uint columns[2], rows[2];       // axis tables of luma and chroma
    uint share_x, share_y;          // how much of an output lies inside the frame
    uint transform;                 // 3x3 matrix, 3 offsets, minimum, maximum, fill
    uint grid_x, grid_y;            // turned: points an output
    uint points_x, points_y;        // turned: their terms of the position, as 32.32 numbers
    uint frame_width, frame_height;
} push;

float table(uint at) { return uintBitsToFloat(tables.words[at]); }

// Weighted sum over the taps of both axes. An axis table has three words an output: the first
// sample, where its weights are, and how many.
float separable(uint c, uint x, uint y) {
    const uint grid = is_chroma(c) ? 1u : 0u;
    const uint across = push.columns[grid] + 3u * x;
    const uint down = push.rows[grid] + 3u * y;
    const uint column = tables.words[across];
    const uint row = tables.words[down];
    const uint weights_x = tables.words[across + 1u];
    const uint weights_y = tables.words[down + 1u];
    const uint count_x = tables.words[across + 2u];
    const uint count_y = tables.words[down + 2u];
    float sum = 0.0;
    for (uint j = 0u; j < count_y; ++j) {
        float line = 0.0;
        for (uint i = 0u; i < count_x; ++i) {
            line += table(weights_x + i) * load_sample(push.frame, c, column + i, row + j);
        }
        sum += table(weights_y + j) * line;
    }
    return sum;
}

// 32.32 fixed point: x is the fraction, y the whole part as two's complement.
uvec2 add(uvec2 a, uvec2 b) {
    uint carry;
    const uint low = uaddCarry(a.x, b.x, carry);
    return uvec2(low, a.y + b.y + carry);
}

struct Taps {
    uint first;
    uint second;
    float weight;
};

// Two neighbours of a group's axis around a luma position.
Taps taps_at(uvec2 luma, uint shift, bool co_sited, uint samples) {
    if (kNearest) {
        const uint at = min(luma.y >> shift, samples - 1u);
        return Taps(at, at, 0.0);
    }
    uvec2 at = luma;
    if (shift == 1u) {
        at = uvec2((at.x >> 1u) | (at.y << 31u), uint(int(at.y) >> 1));
    }
    // Half a sample to the centres; a co-sited grid lies a quarter to the left of a centred one.
    at = add(at, uvec2(co_sited ? 0xC0000000u : 0x80000000u, 0xFFFFFFFFu));
    if (int(at.y) < 0) {
        return Taps(0u, min(1u, samples - 1u), 0.0);
    }
    if (at.y >= samples - 1u) {
        return Taps(samples - 1u, samples - 1u, 0.0);
    }
    return Taps(at.y, at.y + 1u, float(at.x) * (1.0 / 4294967296.0));
}

float at_point(uint c, uvec2 x, uvec2 y) {
    const bool chroma = is_chroma(c);
    const Taps across = taps_at(x, shift_x(c), shift_x(c) == 1u && (kCoSited & 1u) != 0u,
                                subsampled(push.frame_width, shift_x(c)));
    const Taps down = taps_at(y, shift_y(c), shift_y(c) == 1u && (kCoSited & 2u) != 0u,
                              subsampled(push.frame_height, shift_y(c)));
    const float top = mix(load_sample(push.frame, c, across.first, down.first),
                          load_sample(push.frame, c, across.second, down.first), across.weight);
    const float bottom = mix(load_sample(push.frame, c, across.first, down.second),
                             load_sample(push.frame, c, across.second, down.second), across.weight);
    return mix(top, bottom, down.weight);
}

uvec2 fixed_at(uint at) { return uvec2(tables.words[at], tables.words[at + 1u]); }

// Mean over the points of a turned output's grid that lie inside; `share` is how many do.
vec3 turned(uint x, uint y, out float share) {
    vec3 sum = vec3(0.0);
    uint inside = 0u;
    for (uint v = 0u; v < push.grid_y; ++v) {
        const uint down = push.points_y + 4u * (y * push.grid_y + v);
        for (uint u = 0u; u < push.grid_x; ++u) {
            const uint across = push.points_x + 4u * (x * push.grid_x + u);
            const uvec2 px = add(fixed_at(across), fixed_at(down));
            const uvec2 py = add(fixed_at(across + 2u), fixed_at(down + 2u));
            // Negative numbers are large unsigned ones.
            if (px.y >= push.frame_width || py.y >= push.frame_height) {
                continue;
            }
            ++inside;
            for (uint c = 0u; c < 3u; ++c) {
                if ((kWanted & (1u << c)) != 0u) {
                    sum[c] += at_point(c, px, py);
                }
            }
        }
    }
    share = float(inside) / float(push.grid_x * push.grid_y);
    return sum / float(max(inside, 1u));
}

void main() {
    const uint x = gl_GlobalInvocationID.x;
    const uint y = gl_GlobalInvocationID.y;
    if (x >= push.width || y >= push.height) {
        return;
    }
    vec3 codes = vec3(0.0);
    float share = 0.0;
    if (kTurned) {
        codes = turned(x, y, share);
    } else {
        share = table(push.share_x + x) * table(push.share_y + y);
        if (share > 0.0) {
            for (uint c = 0u; c < 3u; ++c) {
                if ((kWanted & (1u << c)) != 0u) {
                    codes[c] = separable(c, x, y);
                }
            }
        }
    }
    const uint at = (y * push.width + x) * push.pixel_step;
    const float fill = table(push.transform + 14u);
    for (uint channel = 0u; channel < kChannels; ++channel) {
        const uint row = push.transform + 3u * channel;
        const float value = codes.x * table(row) + codes.y * table(row + 1u) +
                            codes.z * table(row + 2u) + table(push.transform + 9u + channel);
        const float kept = clamp(value, table(push.transform + 12u), table(push.transform + 13u));
        // Exactly the fill outside, exactly the pixel inside.
        tensor.values[at + channel * push.channel_step] =
            share == 0.0 ? fill : share == 1.0 ? kept : fill + (kept - fill) * share;
    }
}
