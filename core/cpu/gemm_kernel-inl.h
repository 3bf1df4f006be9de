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

#include <hwy/highway.h>

#include "core/cpu/activation-inl.h"
#include "core/cpu/gemm_kernel.h"
#include "core/cpu/unroll-inl.h"

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
inline constexpr std::size_t kLanes = hn::MaxLanes(GemmTag());

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

// The first `count` lanes, 1..kLanes. Not StoreN: AVX2's masked store takes tens of cycles on Zen.
HWY_INLINE void store_partly(GemmVec v, float* to, std::size_t count) {
    const GemmTag d;
    HWY_ALIGN float lanes[kLanes];
    if (count == kLanes) {
        return hn::StoreU(v, d, to);
    }
    hn::Store(v, d, lanes);
    const hn::CappedTag<float, 4> four;
    std::size_t i = 0;
    for (; i + hn::MaxLanes(four) <= count; i += hn::MaxLanes(four)) {
        hn::StoreU(hn::Load(four, lanes + i), four, to + i);
    }
    for (; i < count; ++i) {
        to[i] = lanes[i];
    }
}

// What finish_tile() leaves to be done on sums in memory, [pixel][vector]: partial panels and
// residuals, and the activations that would be long when unrolled.
template <ops::UnaryKind kKind>
HWY_INLINE void finish_stored_as(const GemmTile& tile, std::size_t pixels, std::size_t vectors,
                                 const float* sums) {
    const GemmTag d;
    const std::size_t residual_channels = tile.residual == nullptr ? 0 : tile.residual_channels;
    for (std::size_t m = 0; m < pixels; ++m) {
        const float* const residual = tile.residual + m * tile.residual_stride;
        float* const to = tile.output + m * tile.output_stride;
        for (std::size_t c = 0; c < tile.channels; c += kLanes) {
            GemmVec v = hn::Load(d, sums + m * vectors * kLanes + c);
            if (c + kLanes <= residual_channels) {
                v = hn::Add(v, hn::LoadU(d, residual + c));
            } else if (c < residual_channels) {
                v = hn::Add(v, hn::LoadN(d, residual + c, residual_channels - c));
            }
            v = apply_kind<kKind>(d, v, tile.activation.alpha, tile.activation.beta);
            if (c + kLanes <= tile.channels) {
                hn::StoreU(v, d, to + c);
            } else {
                store_partly(v, to + c, tile.channels - c);
            }
        }
    }
}

HWY_NOINLINE inline void finish_stored(const GemmTile& tile, std::size_t pixels,
                                       std::size_t vectors, const float* sums) {
    with_activation(tile.activation.kind, [&]<ops::UnaryKind kKind>() SLUICE_INLINE_LAMBDA {
        finish_stored_as<kKind>(tile, pixels, vectors, sums);
    });
}

template <std::size_t kPixels, std::size_t kVectors>
void gemm_tile(const GemmTile& tile) {
    using enum ops::UnaryKind;
    const GemmTag d;
    constexpr std::size_t kWidth = kVectors * kLanes;
    constexpr std::size_t kUnroll = 4;
    constexpr float kInf = std::numeric_limits<float>::infinity();
    const ops::UnaryKind kind = tile.activation.kind;
    const bool simple = tile.channels == kWidth &&
                        (kind == Relu || kind == Identity || kind == Clamp) &&
                        (tile.residual == nullptr || tile.residual_channels >= kWidth);

    GemmAccumulators<kPixels, kVectors> acc;
    unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
        const GemmVec bias = hn::LoadU(d, tile.bias + n * kLanes);
        unroll<kPixels>([&]<std::size_t m>()
                            SLUICE_INLINE_LAMBDA { acc.v[m * kVectors + n] = bias; });
    });
    if (simple && tile.residual != nullptr) {
        unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
            unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
                const float* const from = tile.residual + m * tile.residual_stride + n * kLanes;
                acc.v[m * kVectors + n] = hn::Add(acc.v[m * kVectors + n], hn::LoadU(d, from));
            });
        });
    }

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

    if (!simple) {
        HWY_ALIGN float sums[kPixels * kWidth];
        unroll<kPixels * kVectors>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
            hn::Store(acc.v[i], d, sums + i * kLanes);
        });
        return finish_stored(tile, kPixels, kVectors, sums);
    }
    // In this order NaN stays NaN: x86's min and max return their second operand for it.
    const GemmVec low = hn::Set(d, kind == Relu    ? 0.0F
                                   : kind == Clamp ? tile.activation.alpha
                                                   : -kInf);
    const GemmVec high = hn::Set(d, kind == Clamp ? tile.activation.beta : kInf);
    unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
        unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
            const GemmVec v = hn::Min(high, hn::Max(low, acc.v[m * kVectors + n]));
            hn::StoreU(v, d, tile.output + m * tile.output_stride + n * kLanes);
        });
    });
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // include guard
