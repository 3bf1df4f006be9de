// SPDX-License-Identifier: Apache-2.0
// The tile kernel of gemm_kernel.h, for any number of pixels and vectors. Included once per
// instruction set.
#if defined(SLUICE_CORE_CPU_GEMM_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_CORE_CPU_GEMM_KERNEL_INL_H_
#undef SLUICE_CORE_CPU_GEMM_KERNEL_INL_H_
#else
#define SLUICE_CORE_CPU_GEMM_KERNEL_INL_H_
#endif

#include <cstring>

#include <hwy/highway.h>

#include "core/cpu/activation-inl.h"
#include "core/cpu/gemm_kernel.h"
#include "core/cpu/unroll-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using GemmTag = hn::ScalableTag<float>;
// Where vectors are of 16 lanes, a tag of half of them, for what full ones would leave half empty.
using GemmHalfTag = hn::CappedTag<float, 8>;

template <class D, std::size_t kPixels, std::size_t kVectors>
struct GemmAccumulators {
    hn::Vec<D> v[kPixels * kVectors];
};

// acc[m][n] += a[m][k] * b[k][n] for kSteps values of k. Rows of A are addressed in threes from one
// pointer, which x86 does in the load itself.
template <std::size_t kSteps, class D, std::size_t kPixels, std::size_t kVectors>
HWY_INLINE void multiply(D d, GemmAccumulators<D, kPixels, kVectors>& acc,
                         const float* const (&rows)[(kPixels + 2) / 3], std::size_t stride,
                         std::size_t k, const float* HWY_RESTRICT weights) {
    constexpr std::size_t kLanes = hn::MaxLanes(D());
    unroll<kSteps>([&]<std::size_t kStep>() SLUICE_INLINE_LAMBDA {
        hn::Vec<D> b[kVectors];
        unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
            b[n] = hn::LoadU(d, weights + (kStep * kVectors + n) * kLanes);
        });
        unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
            const hn::Vec<D> a = hn::Set(d, rows[m / 3][k + kStep + (m % 3) * stride]);
            unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
                acc.v[m * kVectors + n] = hn::MulAdd(a, b[n], acc.v[m * kVectors + n]);
            });
        });
    });
}

// The first `count` lanes, fewer than all.
template <class D>
HWY_INLINE void store_partly([[maybe_unused]] D d, hn::Vec<D> v, float* to, std::size_t count) {
#if HWY_TARGET <= HWY_AVX3
    hn::StoreN(v, d, to, count);
#else // in halves: AVX2's masked store takes tens of cycles on Zen
    const hn::CappedTag<float, 4> four;
    const hn::CappedTag<float, 2> two;
    const hn::CappedTag<float, 1> one;
    auto rest = hn::ResizeBitCast(four, v);
    if constexpr (hn::MaxLanes(D()) > 4) {
        if ((count & 4) != 0) {
            hn::StoreU(rest, four, to);
            rest = hn::ResizeBitCast(four, hn::UpperHalf(hn::Half<D>(), v));
            to += 4;
        }
    }
    if ((count & 2) != 0) {
        hn::StoreU(hn::ResizeBitCast(two, rest), two, to);
        rest = hn::Shuffle1032(rest);
        to += 2;
    }
    if ((count & 1) != 0) {
        hn::StoreU(hn::ResizeBitCast(one, rest), one, to);
    }
#endif
}

// The activations that would be long when unrolled, on sums in memory, [pixel][vector].
template <ops::UnaryKind kKind, class D>
HWY_INLINE void finish_stored_as(D d, const GemmTile& tile, std::size_t pixels, std::size_t vectors,
                                 const float* sums) {
    constexpr std::size_t kLanes = hn::MaxLanes(D());
    for (std::size_t m = 0; m < pixels; ++m) {
        float* const to = tile.output + m * tile.output_stride;
        for (std::size_t c = 0; c < tile.channels; c += kLanes) {
            const hn::Vec<D> sum = hn::Load(d, sums + m * vectors * kLanes + c);
            const hn::Vec<D> v =
                apply_kind<kKind>(d, sum, tile.activation.alpha, tile.activation.beta);
            if (c + kLanes <= tile.channels) {
                hn::StoreU(v, d, to + c);
            } else {
                store_partly(d, v, to + c, tile.channels - c);
            }
        }
    }
}

template <class D>
HWY_NOINLINE void finish_stored(D d, const GemmTile& tile, std::size_t pixels, std::size_t vectors,
                                const float* sums) {
    with_activation(tile.activation.kind, [&]<ops::UnaryKind kKind>() SLUICE_INLINE_LAMBDA {
        finish_stored_as<kKind>(d, tile, pixels, vectors, sums);
    });
}

template <class D, std::size_t kPixels, std::size_t kVectors>
void gemm_tile(const GemmTile& tile) {
    using enum ops::UnaryKind;
    using GemmVec = hn::Vec<D>;
    const D d;
    constexpr std::size_t kLanes = hn::MaxLanes(D());
    constexpr std::size_t kWidth = kVectors * kLanes;
    constexpr std::size_t kUnroll = 4;
    const ops::UnaryKind kind = tile.activation.kind;
    GemmAccumulators<D, kPixels, kVectors> acc;
    unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
        const GemmVec bias = hn::LoadU(d, tile.bias + n * kLanes);
        unroll<kPixels>([&]<std::size_t m>()
                            SLUICE_INLINE_LAMBDA { acc.v[m * kVectors + n] = bias; });
    });
    if (tile.residual != nullptr) {
        unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
            const float* const from = tile.residual + n * kLanes;
            const std::size_t row = tile.residual_stride;
            if (tile.residual_channels >= (n + 1) * kLanes) {
                unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
                    acc.v[m * kVectors + n] =
                        hn::Add(acc.v[m * kVectors + n], hn::LoadU(d, from + m * row));
                });
            } else if (tile.residual_channels > n * kLanes) {
                const std::size_t some = tile.residual_channels - n * kLanes;
                unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
                    acc.v[m * kVectors + n] =
                        hn::Add(acc.v[m * kVectors + n], hn::LoadN(d, from + m * row, some));
                });
            }
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
            multiply<kUnroll>(d, acc, rows, stride, k, weights);
            weights += kUnroll * kWidth;
        }
        for (; k < length; ++k) {
            multiply<1>(d, acc, rows, stride, k, weights);
            weights += kWidth;
        }
    }

    if (kind == HardSwish) {
        unroll<kPixels * kVectors>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
            acc.v[i] = apply_kind<HardSwish>(d, acc.v[i], 0.0F, 0.0F);
        });
    } else if (!is_bounds(kind)) {
        HWY_ALIGN float sums[kPixels * kWidth];
        unroll<kPixels * kVectors>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
            hn::Store(acc.v[i], d, sums + i * kLanes);
        });
        return finish_stored(d, tile, kPixels, kVectors, sums);
    }
    // In this order NaN stays NaN: x86's min and max return their second operand for it.
    const Bounds bounds = bounds_of(tile.activation);
    const GemmVec low = hn::Set(d, bounds.low);
    const GemmVec high = hn::Set(d, bounds.high);
    const auto bounded = [&](GemmVec v)
                             SLUICE_INLINE_LAMBDA { return hn::Min(high, hn::Max(low, v)); };
    unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
        unroll<kVectors - 1>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
            hn::StoreU(bounded(acc.v[m * kVectors + n]), d,
                       tile.output + m * tile.output_stride + n * kLanes);
        });
    });
    float* const last = tile.output + (kVectors - 1) * kLanes;
    if (tile.channels == kWidth) {
        unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
            hn::StoreU(bounded(acc.v[(m + 1) * kVectors - 1]), d, last + m * tile.output_stride);
        });
    } else {
        const std::size_t some = tile.channels - (kVectors - 1) * kLanes;
        unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
            store_partly(d, bounded(acc.v[(m + 1) * kVectors - 1]), last + m * tile.output_stride,
                         some);
        });
    }
}

#if HWY_TARGET <= HWY_AVX3

// kSteps values, again and again.
template <std::size_t kSteps>
HWY_INLINE hn::Vec<GemmTag> repeated_steps(const float* from) {
    const GemmTag d;
    if constexpr (kSteps == hn::MaxLanes(GemmTag())) {
        return hn::LoadU(d, from);
    } else if constexpr (kSteps == 4) {
        return hn::LoadDup128(d, from);
    } else {
        static_assert(kSteps == 2);
        const hn::Repartition<double, GemmTag> pairs;
        double pair;
        std::memcpy(&pair, from, sizeof(pair));
        return hn::BitCast(d, hn::Set(pairs, pair));
    }
}

// Adds up the steps of every column: kColumns sums of pixel m go to to[m * kColumns].
template <std::size_t kSteps, std::size_t kCount>
HWY_INLINE void fold_steps(const GemmAccumulators<GemmTag, kCount, 1>& acc, float* to) {
    const GemmTag d;
    if constexpr (kSteps == 1) {
        unroll<kCount>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
            hn::Store(acc.v[i], d, to + i * hn::MaxLanes(d));
        });
    } else {
        constexpr std::size_t kNext = (kCount + 1) / 2;
        GemmAccumulators<GemmTag, kNext, 1> next;
        unroll<kNext>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
            const auto first = acc.v[2 * i];
            const auto second = acc.v[2 * i + 1 < kCount ? 2 * i + 1 : 2 * i];
            next.v[i] = hn::Add(hn::ConcatEven(d, second, first), hn::ConcatOdd(d, second, first));
        });
        fold_steps<kSteps / 2, kNext>(next, to);
    }
}

// The tile of a panel of one vector, which holds kSteps values of k for each of its columns.
template <std::size_t kPixels, std::size_t kSteps>
void gemm_stepped_tile(const GemmTile& tile) {
    const GemmTag d;
    constexpr std::size_t kLanes = hn::MaxLanes(GemmTag());
    constexpr std::size_t kColumns = kLanes / kSteps;
    constexpr std::size_t kUnroll = 2;
    const hn::CappedTag<float, kColumns> columns;
    GemmAccumulators<GemmTag, kPixels, 1> acc;
    unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA { acc.v[m] = hn::Zero(d); });
    const std::size_t stride = tile.pixel_stride;
    const std::size_t length = tile.segment_length;
    const float* HWY_RESTRICT weights = tile.weights;
    for (std::size_t s = 0; s < tile.segment_count; ++s) {
        const float* const first = tile.input + (tile.base + tile.offsets[s]);
        const float* rows[(kPixels + 2) / 3];
        unroll<(kPixels + 2) / 3>([&]<std::size_t r>()
                                      SLUICE_INLINE_LAMBDA { rows[r] = first + 3 * r * stride; });
        const auto step = [&](std::size_t k) SLUICE_INLINE_LAMBDA {
            const auto b = hn::LoadU(d, weights);
            unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
                const float* const from = rows[m / 3] + k + (m % 3) * stride;
                acc.v[m] = hn::MulAdd(repeated_steps<kSteps>(from), b, acc.v[m]);
            });
            weights += kLanes;
        };
        std::size_t k = 0;
        for (; k + kUnroll * kSteps <= length; k += kUnroll * kSteps) {
            unroll<kUnroll>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA { step(k + i * kSteps); });
        }
        for (; k + kSteps <= length; k += kSteps) {
            step(k);
        }
        if constexpr (kSteps == 2) {
            if (k < length) { // a single value; the weights of the other are zero
                const auto b = hn::LoadU(d, weights);
                unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
                    const auto a = hn::Set(d, rows[m / 3][k + (m % 3) * stride]);
                    acc.v[m] = hn::MulAdd(hn::OddEven(hn::Zero(d), a), b, acc.v[m]);
                });
                weights += kLanes;
            }
        }
    }

    HWY_ALIGN float sums[(kPixels + kSteps - 1) / kSteps * kLanes];
    fold_steps<kSteps, kPixels>(acc, sums);
    const auto bias = hn::LoadU(columns, tile.bias);
    const Bounds bounds = bounds_of(tile.activation);
    const auto low = hn::Set(columns, bounds.low);
    const auto high = hn::Set(columns, bounds.high);
    const std::size_t residual_channels =
        tile.residual == nullptr ? 0 : HWY_MIN(tile.residual_channels, kColumns);
    const bool bounded = is_bounds(tile.activation.kind);
    for (std::size_t m = 0; m < kPixels; ++m) {
        auto sum = hn::Add(hn::Load(columns, sums + m * kColumns), bias);
        if (residual_channels > 0) {
            const float* const from = tile.residual + m * tile.residual_stride;
            sum = hn::Add(sum, residual_channels == kColumns
                                   ? hn::LoadU(columns, from)
                                   : hn::LoadN(columns, from, residual_channels));
        }
        if (!bounded) {
            hn::Store(sum, columns, sums + m * kColumns);
            continue;
        }
        sum = hn::Min(high, hn::Max(low, sum)); // in this order NaN stays NaN
        float* const to = tile.output + m * tile.output_stride;
        if (tile.channels == kColumns) {
            hn::StoreU(sum, columns, to);
        } else {
            hn::StoreN(sum, columns, to, tile.channels);
        }
    }
    if (!bounded) {
        finish_stored(columns, tile, kPixels, 1, sums);
    }
}

#endif // HWY_AVX3

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // include guard
