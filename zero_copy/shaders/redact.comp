// SPDX-License-Identifier: Apache-2.0
// Redactor on a device: one plane of the frame, in place, inside the windows only. Where windows
// overlap the last one counts.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "zero_copy/shaders/lib/frame_planes.glsl"
#include "zero_copy/shaders/lib/frame_write.glsl"
#define WINDOWS_BINDING 7
#include "zero_copy/shaders/lib/cells.glsl"
#include "zero_copy/shaders/lib/cell_picture.glsl"

layout(local_size_x = 64, local_size_y = 4) in;
layout(constant_id = 8) const uint kEffect = 0; // RedactEffect: blur, pixelate, black

layout(push_constant) uniform Push {
    TargetPlane target;
    float black[4];
} push;

float new_sample(uint c, uint column, uint row, float old) {
    for (uint i = window_count() / 2u; i > 0u; --i) {
        const Window window = window_at(2u * (i - 1u) + (is_chroma(c) ? 1u : 0u));
        if (column < window.left || column >= window.right || row < window.top ||
            row >= window.bottom) {
            continue;
        }
        if (kEffect == 2u) {
            return push.black[c];
        }
        if (kEffect == 1u) {
            const uint x = (column - window.left) / window.side_x;
            const uint y = (row - window.top) / window.side_y;
            return cells.values[window.first_cell + y * window.columns + x][c];
        }
        return cell_picture(window, c, column, row);
    }
    return kKeep;
}

void main() {
    write_word(push.target, gl_GlobalInvocationID.x, push.target.first_row + gl_GlobalInvocationID.y);
}
