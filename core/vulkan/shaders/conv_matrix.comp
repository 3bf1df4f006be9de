// SPDX-License-Identifier: Apache-2.0
// The convolution of conv_tiled.comp on cooperative matrices: float16 factors, float32 sums. A
// subgroup keeps the sums of kTiles matrices of kM pixels by kN channels; the workgroup covers
// kTileRows by kTileColumns of the result in as many passes as its subgroups need.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#pragma use_vulkan_memory_model
#include "lib/convolution.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 5) const uint kTileRows = 64;    // a multiple of kM
layout(constant_id = 6) const uint kTileColumns = 64; // a multiple of kN and of 4
layout(constant_id = 7) const uint kTileDepth = 16;   // a multiple of kK and of 4
layout(constant_id = 8) const uint kM = 16;
layout(constant_id = 9) const uint kN = 16;
layout(constant_id = 10) const uint kK = 16;
layout(constant_id = 11) const uint kTiles = 4;
layout(constant_id = 12) const bool kPointwise = false; // 1x1, stride 1, no padding

#include "lib/implicit_product.glsl"

// Eight halves more per line than the tile has, so that lines lie in different banks and stay
// aligned to 16 bytes.
const uint kPixelLine = kTileDepth + 8;
const uint kWeightLine = kTileColumns + 8;
shared float16_t pixels_tile[kTileRows * kPixelLine];
shared float16_t weights_tile[kTileDepth * kWeightLine];
shared float results[kTileRows * kTileColumns];

void stage(uint first_pixel, uint first_block, uint depth_at) {
    const uint size = gl_WorkGroupSize.x;
    for (uint i = gl_LocalInvocationIndex; i < kTileRows * kTileDepth / 4; i += size) {
        const uint row = i / (kTileDepth / 4);
        const uint k = i % (kTileDepth / 4) * 4;
        const f16vec4 values = f16vec4(load_row(first_pixel + row, depth_at + k));
        const uint at = row * kPixelLine + k;
        pixels_tile[at] = values.x;
        pixels_tile[at + 1] = values.y;
        pixels_tile[at + 2] = values.z;
        pixels_tile[at + 3] = values.w;
    }
    for (uint i = gl_LocalInvocationIndex; i < kTileColumns / 4 * kTileDepth; i += size) {
        const uint block = i / kTileDepth;
        const uint k = i % kTileDepth;
        f16vec4 values = f16vec4(0.0);
        if (first_block + block < p.blocks && depth_at + k < depth) {
            values = weights[(first_block + block) * depth + depth_at + k];
        }
        const uint at = k * kWeightLine + block * 4;
        weights_tile[at] = values.x;
        weights_tile[at + 1] = values.y;
        weights_tile[at + 2] = values.z;
        weights_tile[at + 3] = values.w;
    }
}

// The matrices first_tile + own tile of this subgroup, over the whole depth, into `results`.
void multiply(uint first_pixel, uint first_block, uint first_tile) {
    const uint across = kTileColumns / kN;
    const uint count = kTileRows / kM * across;
    coopmat<float, gl_ScopeSubgroup, kM, kN, gl_MatrixUseAccumulator> sums[kTiles];
    for (uint i = 0; i < kTiles; ++i) {
        sums[i] = coopmat<float, gl_ScopeSubgroup, kM, kN, gl_MatrixUseAccumulator>(0.0);
    }
    for (uint depth_at = 0; depth_at < depth; depth_at += kTileDepth) {
        barrier(); // the last readers of the tiles are done
        stage(first_pixel, first_block, depth_at);
        barrier();
        for (uint k = 0; k < kTileDepth; k += kK) {
            for (uint i = 0; i < kTiles; ++i) {
                const uint tile = first_tile + i * gl_NumSubgroups + gl_SubgroupID;
                if (tile < count) {
                    coopmat<float16_t, gl_ScopeSubgroup, kM, kK, gl_MatrixUseA> a;
                    coopmat<float16_t, gl_ScopeSubgroup, kK, kN, gl_MatrixUseB> b;
                    coopMatLoad(a, pixels_tile, tile / across * kM * kPixelLine + k, kPixelLine,
                                gl_CooperativeMatrixLayoutRowMajor);
                    coopMatLoad(b, weights_tile, k * kWeightLine + tile % across * kN, kWeightLine,
                                gl_CooperativeMatrixLayoutRowMajor);
                    sums[i] = coopMatMulAdd(a, b, sums[i]);
                }
            }
        }
    }
    for (uint i = 0; i < kTiles; ++i) {
        const uint tile = first_tile + i * gl_NumSubgroups + gl_SubgroupID;
        if (tile < count) {
            coopMatStore(sums[i], results,
                         tile / across * kM * kTileColumns + tile % across * kN, kTileColumns,
                         gl_CooperativeMatrixLayoutRowMajor);
        }
    }
}

void main() {
    depth = p.kernel_height * p.kernel_width * p.in_channels;
    pixels = p.batches * p.out_height * p.out_width;
    const uint first_block = gl_WorkGroupID.y * (kTileColumns / 4);
    const uint count = kTileRows / kM * (kTileColumns / kN);
    for (uint first_pixel = gl_WorkGroupID.x * kTileRows; first_pixel < pixels;
         first_pixel += gl_NumWorkGroups.x * kTileRows) {
        for (uint tile = 0; tile < count; tile += kTiles * gl_NumSubgroups) {
            multiply(first_pixel, first_block, tile);
        }
        barrier();
        for (uint i = gl_LocalInvocationIndex; i < kTileRows * kTileColumns / 4;
             i += gl_WorkGroupSize.x) {
            const uint row = i / (kTileColumns / 4);
            const uint block = i % (kTileColumns / 4);
            if (first_pixel + row < pixels && first_block + block < p.blocks) {
                const uint at = row * kTileColumns + block * 4;
                const vec4 sum =
                    vec4(results[at], results[at + 1], results[at + 2], results[at + 3]);
                finish_block(first_pixel + row, first_block + block,
                             sum + vec4(bias[first_block + block]));
            }
        }
        barrier(); // `results` may be written again
    }
}
