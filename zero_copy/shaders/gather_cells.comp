// SPDX-License-Identifier: Apache-2.0
// Sums the samples of each cell: three components and, in w, the weights. Weighted, a sample counts
// as much as it is background; else every sample counts once.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "zero_copy/shaders/lib/frame_planes.glsl"
#include "zero_copy/shaders/lib/matte.glsl"
#define WINDOWS_BINDING 5
#include "zero_copy/shaders/lib/cells.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 6) const bool kWeighted = false;
layout(constant_id = 7) const bool kMean = false; // divide by the weights at once

layout(std430, set = 0, binding = 6) writeonly buffer Cells { vec4 values[]; } cells;

layout(push_constant) uniform Push {
    FramePlanes frame;
    MattePlace matte;
    uint cell_count; // of the pool
} push;

// Weight that even the person keeps in the blurred background, so that it has a value everywhere: a
// quarter of a code at most.
const float kLeastWeight = 1.0 / 1024.0;

void main() {
    const uint cell = gl_GlobalInvocationID.x;
    const uint which = cell < push.cell_count ? find_window(cell) : window_count();
    if (which == window_count()) {
        return;
    }
    const Window window = window_at(which);
    const bool chroma = (which & 1u) == 1u;
    const uint index = cell - window.first_cell;
    const uint left = window.left + (index % window.columns) * window.side_x;
    const uint top = window.top + (index / window.columns) * window.side_y;
    const uint right = min(left + window.side_x, window.right);
    const uint bottom = min(top + window.side_y, window.bottom);
    vec4 sum = vec4(0.0);
    for (uint row = top; row < bottom; ++row) {
        vec4 line = vec4(0.0);
        for (uint column = left; column < right; ++column) {
            const float weight =
                kWeighted ? 1.0 + kLeastWeight - matte_at(push.matte, chroma, column, row) : 1.0;
            line.w += weight;
            for (uint c = 0u; c < 3u; ++c) {
                if (is_present(c) && is_chroma(c) == chroma) {
                    line[c] += weight * load_sample(push.frame, c, column, row);
                }
            }
        }
        sum += line;
    }
    cells.values[cell] = kMean ? sum / sum.w : sum;
}
