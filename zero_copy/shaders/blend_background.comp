// SPDX-License-Identifier: Apache-2.0
// BackgroundBlend on a device: one plane of the frame, blended in place with its effect where the
// matte says background.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "zero_copy/shaders/lib/frame_planes.glsl"
#include "zero_copy/shaders/lib/frame_write.glsl"
#include "zero_copy/shaders/lib/matte.glsl"
#define WINDOWS_BINDING 7
#include "zero_copy/shaders/lib/cells.glsl"
#include "zero_copy/shaders/lib/cell_picture.glsl"

layout(local_size_x = 64, local_size_y = 4) in;
layout(constant_id = 8) const uint kEffect = 0; // BackgroundEffect: blur, colour, picture, key

layout(push_constant) uniform Push {
    TargetPlane target;
    FramePlanes picture; // planes 0 .. 2 are the other picture's
    MattePlace matte;
    uint color; // table of the colour's codes
} push;

float new_sample(uint c, uint column, uint row, float old) {
    const float share = matte_at(push.matte, is_chroma(c), column, row);
    if (kEffect == 3u) {
        return share * 255.0;
    }
    float back = 0.0;
    if (kEffect == 0u) {
        back = cell_picture(window_at(is_chroma(c) ? 1u : 0u), c, column, row);
    } else if (kEffect == 1u) {
        back = table(push.color + c);
    } else {
        back = load_sample(push.picture, c, column, row);
    }
    return back + share * (old - back);
}

void main() {
    write_word(push.target, gl_GlobalInvocationID.x, push.target.first_row + gl_GlobalInvocationID.y);
}
