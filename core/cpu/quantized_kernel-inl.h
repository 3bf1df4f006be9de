// SPDX-License-Identifier: Apache-2.0
// The loops of quantized_kernel.h. Included once per instruction set.
#if defined(SLUICE_CORE_CPU_QUANTIZED_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_CORE_CPU_QUANTIZED_KERNEL_INL_H_
#undef SLUICE_CORE_CPU_QUANTIZED_KERNEL_INL_H_
#else
#define SLUICE_CORE_CPU_QUANTIZED_KERNEL_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include <hwy/highway.h>

#include "core/cpu/quantized_kernel.h"
#include "core/cpu/unroll-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3_ZEN4 // as in gemm_kernel-inl.h: half vectors waste fewer lanes
using SumTag = hn::CappedTag<std::int32_t, 8>;
#else
using SumTag = hn::ScalableTag<std::int32_t>;
#endif
using SumVec = hn::Vec<SumTag>;
using StepTag = hn::Repartition<float, SumTag>;
using PairTag = hn::Repartition<std::int16_t, SumTag>;
inline constexpr std::size_t kSumLanes = hn::MaxLanes(SumTag());

#if HWY_TARGET <= HWY_AVX3_DL // vpdpbusd
inline constexpr bool kHasQuads = true;
#else
inline constexpr bool kHasQuads = false;
#endif

// sum + the products of neighbouring int16, two a lane.
HWY_INLINE SumVec add_pairs(hn::Vec<PairTag> a, hn::Vec<PairTag> b, SumVec sum) {
    const SumTag d;
#if HWY_ARCH_X86 // one instruction where there is one; the order is that of WidenMulPairwiseAdd
    SumVec unused = hn::Zero(d);
    return hn::ReorderWidenMulAccumulate(d, a, b, sum, unused);
#else
    return hn::Add(sum, hn::WidenMulPairwiseAdd(d, a, b));
#endif
}

template <bool kQuads>
HWY_INLINE SumVec add_products(SumVec a, SumVec b, SumVec sum) {
    const SumTag d;
    if constexpr (kQuads && kHasQuads) {
        return hn::SumOfMulQuadAccumulate(
            d, hn::BitCast(hn::Repartition<std::uint8_t, SumTag>(), a),
            hn::BitCast(hn::Repartition<std::int8_t, SumTag>(), b), sum);
    } else {
        return add_pairs(hn::BitCast(PairTag(), a), hn::BitCast(PairTag(), b), sum);
    }
}

HWY_INLINE std::int32_t four_bytes(const std::byte* from) {
    std::int32_t value = 0;
    std::memcpy(&value, from, sizeof(value));
    return value;
}

// A vector of sums as steps of the result, within the bounds.
HWY_INLINE hn::Vec<StepTag> steps_of(SumVec sum, const float* multipliers, const float* addends,
                                     const QuantizedEnd& end) {
    const StepTag d;
    const auto t =
        hn::MulAdd(hn::ConvertTo(d, sum), hn::LoadU(d, multipliers), hn::LoadU(d, addends));
    return hn::Min(hn::Set(d, end.high), hn::Max(hn::Set(d, end.low), t));
}

template <typename T>
HWY_INLINE void store_bytes(hn::Vec<StepTag> steps, std::int32_t zero_point, std::byte* to,
                            std::size_t count) {
    const SumTag d;
    const hn::Rebind<T, SumTag> bytes;
    const auto whole = hn::Add(hn::NearestInt(steps), hn::Set(d, zero_point));
    const auto narrow = hn::DemoteTo(bytes, whole);
    if (count >= kSumLanes) {
        hn::StoreU(narrow, bytes, reinterpret_cast<T*>(to));
    } else {
        HWY_ALIGN T some[kSumLanes];
        hn::Store(narrow, bytes, some);
        std::memcpy(to, some, count);
    }
}

// Channels [0, count) of a vector.
HWY_INLINE void store_result(SumVec sum, const float* multipliers, const float* addends,
                             const QuantizedEnd& end, std::byte* to, std::size_t count) {
    const auto steps = steps_of(sum, multipliers, addends, end);
    if (end.type == graph::DataType::Int8) {
        store_bytes<std::int8_t>(steps, end.zero_point, to, count);
    } else if (end.type == graph::DataType::Uint8) {
        store_bytes<std::uint8_t>(steps, end.zero_point, to, count);
    } else {
        hn::StoreN(steps, StepTag(), reinterpret_cast<float*>(to), count);
    }
}

template <bool kQuads, std::size_t kPixels, std::size_t kVectors>
void quantized_tile(const QuantizedTile& tile) {
    const SumTag d;
    SumVec sums[kPixels * kVectors];
    unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
        const SumVec start = hn::LoadU(d, tile.start + n * kSumLanes);
        unroll<kPixels>([&]<std::size_t m>()
                            SLUICE_INLINE_LAMBDA { sums[m * kVectors + n] = start; });
    });
    const std::size_t stride = tile.pixel_stride;
    const std::byte* HWY_RESTRICT weights = tile.weights;
    for (std::size_t s = 0; s < tile.segment_count; ++s) {
        // Addressed in threes, which x86 does in the load itself.
        const std::byte* rows[(kPixels + 2) / 3];
        unroll<(kPixels + 2) / 3>([&]<std::size_t r>() SLUICE_INLINE_LAMBDA {
            rows[r] = tile.input + tile.segments[s] + 3 * r * stride;
        });
        for (std::size_t k = 0; k < tile.steps; ++k) {
            SumVec b[kVectors];
            unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
                b[n] = hn::LoadU(d, reinterpret_cast<const std::int32_t*>(weights) + n * kSumLanes);
            });
            unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
                const SumVec a = hn::Set(d, four_bytes(rows[m / 3] + 4 * k + (m % 3) * stride));
                unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
                    sums[m * kVectors + n] = add_products<kQuads>(a, b[n], sums[m * kVectors + n]);
                });
            });
            weights += 4 * kVectors * kSumLanes;
        }
    }
    const std::size_t element = graph::size_of(tile.end->type);
    unroll<kVectors>([&]<std::size_t n>() SLUICE_INLINE_LAMBDA {
        if (tile.channels <= n * kSumLanes) {
            return;
        }
        const std::size_t count = std::min(tile.channels - n * kSumLanes, kSumLanes);
        unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
            store_result(sums[m * kVectors + n], tile.multipliers + n * kSumLanes,
                         tile.addends + n * kSumLanes, *tile.end,
                         tile.output + m * tile.output_stride + n * kSumLanes * element, count);
        });
    });
}

// The sums of a depthwise block: its channels in depthwise_order().
struct BlockSums {
    SumVec low, high;
};

HWY_INLINE void store_block(const BlockSums& sums, const float* multipliers, const float* addends,
                            const QuantizedEnd& end, std::byte* to, std::size_t count) {
    const SumTag d;
    const auto low = steps_of(sums.low, multipliers, addends, end);
    const auto high = steps_of(sums.high, multipliers + kSumLanes, addends + kSumLanes, end);
    if (end.type == graph::DataType::Float32) {
        HWY_ALIGN float some[2 * kSumLanes];
        hn::Store(low, StepTag(), some);
        hn::Store(high, StepTag(), some + kSumLanes);
        for (std::size_t c = 0; c < count; ++c) {
            std::memcpy(to + c * sizeof(float), some + depthwise_order(c, 2 * kSumLanes),
                        sizeof(float));
        }
        return;
    }
    const auto zero_point = hn::Set(d, end.zero_point);
    // Within every 128 bits the halves come together again, which puts the channels in order.
    const auto words = hn::ReorderDemote2To(PairTag(), hn::Add(hn::NearestInt(low), zero_point),
                                            hn::Add(hn::NearestInt(high), zero_point));
    HWY_ALIGN std::byte some[2 * kSumLanes];
    std::byte* const target = count >= 2 * kSumLanes ? to : some;
    if (end.type == graph::DataType::Int8) {
        const hn::Rebind<std::int8_t, PairTag> bytes;
        hn::StoreU(hn::DemoteTo(bytes, words), bytes, reinterpret_cast<std::int8_t*>(target));
    } else {
        const hn::Rebind<std::uint8_t, PairTag> bytes;
        hn::StoreU(hn::DemoteTo(bytes, words), bytes, reinterpret_cast<std::uint8_t*>(target));
    }
    if (target == some) {
        std::memcpy(to, some, count);
    }
}

// kPixels pixels of one block of channels.
template <std::size_t kPixels>
HWY_INLINE void depthwise_tile(const QuantizedDepthwiseRow& row, std::size_t x, std::size_t block) {
    const PairTag words;
    constexpr std::size_t kBlock = 2 * kSumLanes;
    const std::int16_t* const input = row.input + x * row.pixel_stride + block * kBlock;
    const std::int16_t* weights = row.weights + block * row.pair_count * 2 * kBlock;
    SumVec low[kPixels];
    SumVec high[kPixels];
    unroll<kPixels>([&]<std::size_t m>()
                        SLUICE_INLINE_LAMBDA { low[m] = high[m] = hn::Zero(SumTag()); });
    for (std::size_t p = 0; p < row.pair_count; ++p, weights += 2 * kBlock) {
        const auto low_weights = hn::LoadU(words, weights);
        const auto high_weights = hn::LoadU(words, weights + kBlock);
        unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
            const std::int16_t* const at = input + m * row.pixel_stride;
            const auto a = hn::LoadU(words, at + row.taps[2 * p]);
            const auto b = hn::LoadU(words, at + row.taps[2 * p + 1]);
            low[m] = add_pairs(hn::InterleaveLower(words, a, b), low_weights, low[m]);
            high[m] = add_pairs(hn::InterleaveUpper(words, a, b), high_weights, high[m]);
        });
    }
    const std::size_t element = graph::size_of(row.end->type);
    const std::size_t count = std::min(row.channels - block * kBlock, kBlock);
    unroll<kPixels>([&]<std::size_t m>() SLUICE_INLINE_LAMBDA {
        store_block({low[m], high[m]}, row.multipliers + block * kBlock,
                    row.addends + block * kBlock, *row.end,
                    row.output + ((x + m) * row.channels + block * kBlock) * element, count);
    });
}

inline void depthwise_row(const QuantizedDepthwiseRow& row) {
    const std::size_t blocks = (row.channels + 2 * kSumLanes - 1) / (2 * kSumLanes);
    for (std::size_t block = 0; block < blocks; ++block) {
        std::size_t x = 0;
        for (; x + 4 <= row.pixels; x += 4) {
            depthwise_tile<4>(row, x, block);
        }
        for (; x < row.pixels; ++x) {
            depthwise_tile<1>(row, x, block);
        }
    }
}

inline void to_quads(const std::byte* x, std::size_t count, std::uint8_t flip, std::byte* y) {
    const hn::ScalableTag<std::uint8_t> d;
    const std::size_t lanes = hn::Lanes(d);
    const auto bits = hn::Set(d, flip);
    const auto* const from = reinterpret_cast<const std::uint8_t*>(x);
    auto* const to = reinterpret_cast<std::uint8_t*>(y);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(hn::Xor(hn::LoadU(d, from + i), bits), d, to + i);
    }
    for (; i < count; ++i) {
        to[i] = static_cast<std::uint8_t>(from[i] ^ flip);
    }
}

template <typename T>
HWY_INLINE void to_pairs_of(const T* x, std::size_t count, std::int16_t zero, std::int16_t* y) {
    const hn::ScalableTag<std::int16_t> d;
    const hn::Rebind<T, decltype(d)> bytes;
    const std::size_t lanes = hn::Lanes(d);
    const auto zeros = hn::Set(d, zero);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(hn::Sub(hn::PromoteTo(d, hn::LoadU(bytes, x + i)), zeros), d, y + i);
    }
    for (; i < count; ++i) {
        y[i] = static_cast<std::int16_t>(x[i] - zero);
    }
}

inline void to_pairs(const std::byte* x, bool is_signed, std::size_t count, std::int16_t zero,
                     std::int16_t* y) {
    if (is_signed) {
        to_pairs_of(reinterpret_cast<const std::int8_t*>(x), count, zero, y);
    } else {
        to_pairs_of(reinterpret_cast<const std::uint8_t*>(x), count, zero, y);
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // include guard
