// SPDX-License-Identifier: Apache-2.0
// The table of tile kernels, once per instruction set, and the choice among them.
#include "core/cpu/gemm_kernel.h"

#include <array>

#include "core/cpu/highway.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/gemm_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/gemm_kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {

template <std::size_t kVectors, std::size_t... kPixel>
constexpr std::array<GemmFunction, sizeof...(kPixel)> tiles_of(std::index_sequence<kPixel...>) {
    return {&gemm_tile<kPixel + 1, kVectors>...};
}

template <std::size_t kVectors>
constexpr auto kTiles = tiles_of<kVectors>(std::make_index_sequence<kTilePixels[kVectors - 1]>());

constexpr GemmKernels kKernels = {
    .target = HWY_TARGET,
    .lanes = hn::MaxLanes(GemmTag()),
    .max_panel_vectors = kPanelVectors,
    .max_pixels = {kTilePixels[0], kTilePixels[1], kTilePixels[2], kTilePixels[3]},
    .tiles = {kTiles<1>.data(), kTiles<2>.data(), kTiles<3>.data(), kTiles<4>.data()},
};

} // namespace

const GemmKernels& get_gemm_kernels() {
    return kKernels;
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(get_gemm_kernels);

const GemmKernels& gemm_kernels() {
    return HWY_DYNAMIC_DISPATCH(get_gemm_kernels)();
}

} // namespace sluice::cpu
#endif
