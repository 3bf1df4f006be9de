// SPDX-License-Identifier: Apache-2.0
// Convolution of one group as implicit matrix product: rows are output pixels, columns output
// channels, the depth is kernel * input channels. Tiles of both factors are staged in shared memory;
// an invocation keeps kRows * kBlocks vectors of sums.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/convolution.glsl"

layout(local_size_x_id = 0) in; // kTileRows / kRows * kTileBlocks / kBlocks
layout(constant_id = 5) const uint kTileRows = 32;
layout(constant_id = 6) const uint kTileBlocks = 8; // blocks of four channels
layout(constant_id = 7) const uint kTileDepth = 16; // a multiple of 4
layout(constant_id = 8) const uint kRows = 4;       // of an invocation
layout(constant_id = 9) const uint kBlocks = 1;
layout(constant_id = 10) const bool kPointwise = false; // 1x1, stride 1, no padding

// One float more per line than the tile has, so that columns lie in different banks.
const uint kLine = kTileRows + 1;
shared PART pixels_tile[kTileDepth * kLine];
shared PART_VECTOR weights_tile[kTileBlocks * kTileDepth];

#include "lib/implicit_product.glsl"

void stage(uint first_pixel, uint first_block, uint depth_at) {
    const uint size = gl_WorkGroupSize.x;
    for (uint i = gl_LocalInvocationIndex; i < kTileRows * kTileDepth / 4; i += size) {
        const uint row = i / (kTileDepth / 4);
        const uint k = i % (kTileDepth / 4) * 4;
        const vec4 values = load_row(first_pixel + row, depth_at + k);
        pixels_tile[k * kLine + row] = PART(values.x);
        pixels_tile[(k + 1) * kLine + row] = PART(values.y);
        pixels_tile[(k + 2) * kLine + row] = PART(values.z);
        pixels_tile[(k + 3) * kLine + row] = PART(values.w);
    }
    for (uint i = gl_LocalInvocationIndex; i < kTileBlocks * kTileDepth; i += size) {
        const uint block = i / kTileDepth;
        const uint k = i % kTileDepth;
        const bool inside = first_block + block < p.blocks && depth_at + k < depth;
        vec4 values = vec4(0.0);
        if (inside) {
            values = vec4(weights[(plane * p.blocks + first_block + block) * depth + depth_at + k]);
        }
        weights_tile[block * kTileDepth + k] = PART_VECTOR(values);
    }
}

void main() {
    depth = p.kernel_height * p.kernel_width * p.in_channels;
    pixels = p.batches * p.out_height * p.out_width;
    plane = gl_WorkGroupID.z; // of pointwise products only
    const uint columns = kTileBlocks / kBlocks; // invocations beside each other
    const uint my_row = gl_LocalInvocationIndex / columns * kRows;
    const uint my_block = gl_LocalInvocationIndex % columns * kBlocks;
    const uint first_block = gl_WorkGroupID.y * kTileBlocks;
    const uint tiles = (pixels + kTileRows - 1) / kTileRows;
    for (uint tile = gl_WorkGroupID.x; tile < tiles; tile += gl_NumWorkGroups.x) {
        const uint first_pixel = tile * kTileRows;
        vec4 sums[kRows * kBlocks];
        for (uint i = 0; i < kRows * kBlocks; ++i) {
            sums[i] = vec4(0.0);
        }
        for (uint depth_at = 0; depth_at < depth; depth_at += kTileDepth) {
            stage(first_pixel, first_block, depth_at);
            barrier();
#ifdef HALF_MATH
            f16vec4 parts[kRows * kBlocks]; // over the depth of one tile
            for (uint i = 0; i < kRows * kBlocks; ++i) {
                parts[i] = f16vec4(0.0);
            }
#else
#define parts sums
#endif
            for (uint k = 0; k < kTileDepth; ++k) {
                PART_VECTOR columns_of_k[kBlocks];
                for (uint b = 0; b < kBlocks; ++b) {
                    columns_of_k[b] = weights_tile[(my_block + b) * kTileDepth + k];
                }
                for (uint r = 0; r < kRows; ++r) {
                    const PART value = pixels_tile[k * kLine + my_row + r];
                    for (uint b = 0; b < kBlocks; ++b) {
                        parts[r * kBlocks + b] += value * columns_of_k[b];
                    }
                }
            }
#ifdef HALF_MATH
            for (uint i = 0; i < kRows * kBlocks; ++i) {
                sums[i] += vec4(parts[i]);
            }
#endif
            barrier();
        }
        for (uint r = 0; r < kRows; ++r) {
            for (uint b = 0; b < kBlocks; ++b) {
                const uint pixel = first_pixel + my_row + r;
                const uint block = first_block + my_block + b;
                if (pixel < pixels && block < p.blocks) {
                    finish_block(plane * pixels + pixel, block, sums[r * kBlocks + b] + vec4(bias[block]));
                }
            }
        }
    }
}
