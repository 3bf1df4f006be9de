// SPDX-License-Identifier: Apache-2.0
// One direction of the cells' Gaussian, each window by itself: outside it there is nothing, with no
// weight. The second direction divides by the weights.
#version 460
#extension GL_GOOGLE_include_directive : require
#define WINDOWS_BINDING 5
#include "zero_copy/shaders/lib/cells.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const bool kAcross = false;

layout(std430, set = 0, binding = 6) readonly buffer From { vec4 values[]; } from;
layout(std430, set = 0, binding = 7) writeonly buffer To { vec4 values[]; } to;

layout(push_constant) uniform Push {
    uint cell_count;
} push;

void main() {
    const uint cell = gl_GlobalInvocationID.x;
    const uint which = cell < push.cell_count ? find_window(cell) : window_count();
    if (which == window_count()) {
        return;
    }
    const Window window = window_at(which);
    const uint index = cell - window.first_cell;
    const int place = int(kAcross ? index % window.columns : index / window.columns);
    const int limit = int(kAcross ? window.columns : window.rows);
    const int step = int(kAcross ? 1u : window.columns);
    const int radius = int(kAcross ? window.radius_x : window.radius_y);
    const uint kernel = kAcross ? window.kernel_x : window.kernel_y;
    const int first = max(place - radius, 0);
    const int last = min(place + radius, limit - 1);
    vec4 sum = vec4(0.0);
    for (int i = first; i <= last; ++i) {
        const float weight = uintBitsToFloat(windows.words[kernel + uint(i - place + radius)]);
        sum += weight * from.values[int(cell) + (i - place) * step];
    }
    to.values[cell] = kAcross ? sum / sum.w : sum;
}
