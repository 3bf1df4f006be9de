// SPDX-License-Identifier: Apache-2.0
// The tile kernel of gemm_kernel.h, for any number of pixels and vectors. Included once per
// instruction set.
#if defined(SLUICE_CORE_CPU_GEMM_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_CORE_CPU_GEMM_KERNEL_INL_H_
#undef SLUICE_CORE_CPU_GEMM_KERNEL_INL_H_
#else
#define SLUICE_CORE_CPU_GEMM_KERNEL_INL_H_
#endif

#include <limits>
#include <utility>

#include <hwy/highway.h>

#include "core/cpu/activation-inl.h"
#include "core/cpu/gemm_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3_ZEN4
// Zen 4 does a 512-bit multiply-add in two halves: half vectors are as fast and waste fewer lanes,
// and all 32 registers remain.
using GemmTag = hn::CappedTag<float, 8>;
#else
using GemmTag = hn::ScalableTag<float>;
#endif
using GemmVec = hn::Vec<GemmTag>;

#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
inline constexpr std::size_t kTilePixels[kMaxPanelVectors] = {12, 12, 8, 6};
inline constexpr std::size_t kPanelVectors = 4;
#else // 16 registers
inline constexpr std::size_t kTilePixels[kMaxPanelVectors] = {12, 6, 4, 0};
inline constexpr std::size_t kPanelVectors = 3;
#endif

template <std::size_t... kIndex, class Body>
HWY_INLINE void unroll(std::index_sequence<kIndex...>, Body&& body) {
    (body.template operator()<kIndex>(), ...);
}
// Calls body.operator()<i>() for i in [0, kCount): indices are constants even before optimisation,
// so that arrays of vectors are broken up into registers.
template <std::size_t kCount, class Body>
HWY_INLINE void unroll(Body&& body) {
    unroll(std::make_index_sequence<kCount>(), body);
}

template <std::size_t kPixels, std::size_t kVectors>
struct GemmAccumulators {
    GemmVec v[kPixels * kVectors];
};

// acc[m][n] += a[m][k] * b[k][n] for kSteps values of k. Rows of A are addressed in threes from one
// pointer, which x86 does in the load itself.
template <std::size_t kPixels, std::size_t kVectors, std::size_t kSteps>
HWY_INLINE void multiply(GemmAccumulators<kPixels, kVectors>& acc,
                         const float* const (&rows)[(kPixels + 2) / 3], std::size_t stride,
                         std::size_t k, const float* HWY_RESTRICT weights) {
    const GemmTag d;
    constexpr std::size_t kLanes = hn::MaxLanes(GemmTag());
    unroll<kSteps>([&]<std::size_t kStep>() SLUICE_INLINE_LAMBDA {
        GemmVec b[kVectors];
        unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
            b[n] = hn::LoadU(d, weights + (kStep * kVectors + n) * kLanes);
        });
        unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
            const GemmVec a = hn::Set(d, rows[m / 3][k + kStep + (m % 3) * stride]);
            unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
                acc.v[m * kVectors + n] = hn::MulAdd(a, b[n], acc.v[m * kVectors + n]);
            });
        });
    });
}

// Adds what there is of the residual in the panel's vector `n` of pixel `m`.
template <class V>
HWY_INLINE V add_residual(const GemmTile& tile, std::size_t m, std::size_t n, V v) {
    const GemmTag d;
    constexpr std::size_t kLanes = hn::MaxLanes(GemmTag());
    const float* from = tile.residual + m * tile.residual_stride + n * kLanes;
    if (tile.residual_channels >= (n + 1) * kLanes) {
        return hn::Add(v, hn::LoadU(d, from));
    }
    if (tile.residual_channels > n * kLanes) {
        return hn::Add(v, hn::LoadN(d, from, tile.residual_channels - n * kLanes));
    }
    return v;
}

template <std::size_t kPixels, std::size_t kVectors, class Finish>
HWY_INLINE void store_tile(const GemmTile& tile, GemmAccumulators<kPixels, kVectors>& acc,
                           Finish&& finish) {
    const GemmTag d;
    constexpr std::size_t kLanes = hn::MaxLanes(GemmTag());
    if (tile.channels == kVectors * kLanes) {
        unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
            unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
                hn::StoreU(finish(acc.v[m * kVectors + n]), d,
                           tile.output + m * tile.output_stride + n * kLanes);
            });
        });
        return;
    }
    const std::size_t last = tile.channels - (kVectors - 1) * kLanes;
    unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
        unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
            float* const to = tile.output + m * tile.output_stride + n * kLanes;
            if constexpr (n + 1 < kVectors) {
                hn::StoreU(finish(acc.v[m * kVectors + n]), d, to);
            } else {
                hn::StoreN(finish(acc.v[m * kVectors + n]), d, to, last);
            }
        });
    });
}

// The activations that are too long to be unrolled over a tile: on the stored values.
HWY_NOINLINE inline void activate_stored(const GemmTile& tile, std::size_t pixels) {
    const GemmTag d;
    constexpr std::size_t kLanes = hn::MaxLanes(GemmTag());
    for (std::size_t m = 0; m < pixels; ++m) {
        float* const row = tile.output + m * tile.output_stride;
        std::size_t c = 0;
        for (; c + kLanes <= tile.channels; c += kLanes) {
            hn::StoreU(apply(d, hn::LoadU(d, row + c), tile.activation), d, row + c);
        }
        if (c < tile.channels) {
            const std::size_t rest = tile.channels - c;
            hn::StoreN(apply(d, hn::LoadN(d, row + c, rest), tile.activation), d, row + c, rest);
        }
    }
}

template <std::size_t kPixels, std::size_t kVectors>
HWY_INLINE void finish_tile(const GemmTile& tile, GemmAccumulators<kPixels, kVectors>& acc) {
    using enum ops::UnaryKind;
    const GemmTag d;
    if (tile.residual != nullptr) {
        unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
            unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
                acc.v[m * kVectors + n] = add_residual(tile, m, n, acc.v[m * kVectors + n]);
            });
        });
    }
    switch (tile.activation.kind) {
    case Relu:
        return store_tile(tile, acc, [&](GemmVec v) SLUICE_INLINE_LAMBDA {
            return apply_kind<Relu>(d, v, 0.0F, 0.0F);
        });
    case HardSwish:
        return store_tile(tile, acc, [&](GemmVec v) SLUICE_INLINE_LAMBDA {
            return apply_kind<HardSwish>(d, v, 0.0F, 0.0F);
        });
    case Identity: return store_tile(tile, acc, [](GemmVec v) SLUICE_INLINE_LAMBDA { return v; });
    default:
        store_tile(tile, acc, [](GemmVec v) SLUICE_INLINE_LAMBDA { return v; });
        activate_stored(tile, kPixels);
    }
}

template <std::size_t kPixels, std::size_t kVectors>
void gemm_tile(const GemmTile& tile) {
    const GemmTag d;
    constexpr std::size_t kLanes = hn::MaxLanes(GemmTag());
    constexpr std::size_t kWidth = kVectors * kLanes;
    constexpr std::size_t kUnroll = 4;
    GemmAccumulators<kPixels, kVectors> acc;
    unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
        const GemmVec bias = hn::LoadU(d, tile.bias + n * kLanes);
        unroll<kPixels>([&]<std::size_t m>()
                            SLUICE_INLINE_LAMBDA { acc.v[m * kVectors + n] = bias; });
    });

    const std::size_t stride = tile.pixel_stride;
    const std::size_t length = tile.segment_length;
    const float* HWY_RESTRICT weights = tile.weights;
    for (std::size_t s = 0; s < tile.segment_count; ++s) {
        const float* const first = tile.input + (tile.base + tile.offsets[s]);
        const float* rows[(kPixels + 2) / 3];
        unroll<(kPixels + 2) / 3>([&]<std::size_t r>()
                                      SLUICE_INLINE_LAMBDA { rows[r] = first + 3 * r * stride; });
        std::size_t k = 0;
        for (; k + kUnroll <= length; k += kUnroll) {
            multiply<kPixels, kVectors, kUnroll>(acc, rows, stride, k, weights);
            weights += kUnroll * kWidth;
        }
        for (; k < length; ++k) {
            multiply<kPixels, kVectors, 1>(acc, rows, stride, k, weights);
            weights += kWidth;
        }
    }
    finish_tile(tile, acc);
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // include guard
