// SPDX-License-Identifier: Apache-2.0
// Windows of a frame cut into cells: the weighted blur's and the mosaics' picture at low resolution.
// Windows are written by the host (C++'s cell_windows): their samples, their cells in a common pool,
// and the kernels of their blur. They come in pairs: of luma's (or RGB's) samples, then of chroma's.
const uint kWindowWords = 144u;
const uint kKernel = 65u; // the most taps

struct Window {
    uint left, top, right, bottom; // in samples of the grid
    uint side_x, side_y;           // of a cell, in samples
    uint columns, rows;            // cells
    uint first_cell;               // in the pool
    uint radius_x, radius_y;
    uint kernel_x, kernel_y;       // words of the weights
};

layout(std430, set = 0, binding = WINDOWS_BINDING) readonly buffer Windows { uint words[]; } windows;

uint window_count() { return windows.words[0]; }

Window window_at(uint i) {
    const uint at = 1u + i * kWindowWords;
    return Window(windows.words[at], windows.words[at + 1u], windows.words[at + 2u],
                  windows.words[at + 3u], windows.words[at + 4u], windows.words[at + 5u],
                  windows.words[at + 6u], windows.words[at + 7u], windows.words[at + 8u],
                  windows.words[at + 9u], windows.words[at + 10u], at + 11u, at + 11u + kKernel);
}

// The window that a cell of the pool belongs to; past the last, window_count().
uint find_window(uint cell) {
    for (uint i = 0u; i < window_count(); ++i) {
        const uint at = 1u + i * kWindowWords;
        if (cell < windows.words[at + 8u] + windows.words[at + 6u] * windows.words[at + 7u]) {
            return i;
        }
    }
    return window_count();
}
