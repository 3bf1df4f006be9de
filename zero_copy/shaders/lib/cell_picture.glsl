// SPDX-License-Identifier: Apache-2.0
// The picture of a window's cells, bilinear between their centres.
layout(std430, set = 0, binding = 6) readonly buffer Cells { vec4 values[]; } cells;

float cell_picture(Window window, uint c, uint column, uint row) {
    const vec2 at = (vec2(column - window.left, row - window.top) + 0.5) /
                        vec2(window.side_x, window.side_y) - 0.5;
    const vec2 last = vec2(window.columns - 1u, window.rows - 1u);
    const vec2 kept = clamp(at, vec2(0.0), last);
    const vec2 first = floor(kept);
    const vec2 second = min(first + 1.0, last);
    const vec2 weight = kept - first;
    const uint upper = window.first_cell + uint(first.y) * window.columns;
    const uint lower = window.first_cell + uint(second.y) * window.columns;
    return mix(mix(cells.values[upper + uint(first.x)][c], cells.values[upper + uint(second.x)][c],
                   weight.x),
               mix(cells.values[lower + uint(first.x)][c], cells.values[lower + uint(second.x)][c],
                   weight.x),
               weight.y);
}
