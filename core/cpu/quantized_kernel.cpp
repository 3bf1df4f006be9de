// SPDX-License-Identifier: Apache-2.0
// The table of quantised kernels, once per instruction set, and the choice among them.
#include "core/cpu/quantized_kernel.h"

#include "core/cpu/highway.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/quantized_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/quantized_kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {

template <std::size_t kVectors, std::size_t... kPixels>
constexpr void add_quantized_tiles(QuantizedKernels& kernels) {
    ((kernels.tiles[0][kVectors - 1][kPixels - 1] = &quantized_tile<false, kPixels, kVectors>),
     ...);
    if constexpr (kHasQuads) {
        ((kernels.tiles[1][kVectors - 1][kPixels - 1] = &quantized_tile<true, kPixels, kVectors>),
         ...);
    }
    ((kernels.max_pixels[kVectors - 1] = kPixels), ...); // the last is the largest
}

constexpr QuantizedKernels make_quantized_kernels() {
    QuantizedKernels kernels{};
    kernels.has_quads = kHasQuads;
    kernels.lanes = kSumLanes;
    kernels.block = 2 * kSumLanes;
    kernels.depthwise = &depthwise_row;
    kernels.to_quads = &to_quads;
    kernels.to_pairs = &to_pairs;
#if HWY_TARGET == HWY_SSE2
    kernels.max_vectors = 2;
    add_quantized_tiles<1, 1, 4>(kernels);
    add_quantized_tiles<2, 1, 4>(kernels);
#elif HWY_TARGET == HWY_AVX2 // 16 registers
    kernels.max_vectors = 2;
    add_quantized_tiles<1, 1, 2, 4, 8>(kernels);
    add_quantized_tiles<2, 1, 2, 3, 4, 6>(kernels);
#else                        // 32 registers
    kernels.max_vectors = 3;
    add_quantized_tiles<1, 1, 2, 4, 8, 12>(kernels);
    add_quantized_tiles<2, 1, 2, 4, 6, 8, 12>(kernels);
    add_quantized_tiles<3, 1, 2, 4, 6, 8>(kernels);
#endif
    return kernels;
}

constexpr QuantizedKernels kQuantizedKernels = make_quantized_kernels();

} // namespace

const QuantizedKernels& get_quantized_kernels() {
    return kQuantizedKernels;
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(get_quantized_kernels);

const QuantizedKernels& quantized_kernels() {
    return HWY_DYNAMIC_DISPATCH(get_quantized_kernels)();
}

} // namespace sluice::cpu
#endif
