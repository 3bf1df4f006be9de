// SPDX-License-Identifier: Apache-2.0
// The kernels of depth-first chains, once per instruction set.
#include "core/cpu/chain_kernel.h"

#include <algorithm>

#include "core/base/checked_math.h"
#include "core/cpu/highway.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/chain_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/unroll-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using ChainTag = hn::CappedTag<float, kChainSlack>;
using ChainVec = hn::Vec<ChainTag>;
constexpr std::size_t kChainLanes = hn::MaxLanes(ChainTag());
static_assert(kChainLanes <= kChainSlack);

// Vectors whose sums fit the registers, by output channels.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr std::size_t kChainVectors[kMaxPlanarOutputs] = {8, 8, 8, 6};
#else
constexpr std::size_t kChainVectors[kMaxPlanarOutputs] = {8, 6, 4, 3};
#endif

template <std::size_t kCount>
struct ChainSums {
    ChainVec v[kCount];
};

// Values [x, x + kVectors * lanes).
template <std::size_t kOutputs, std::size_t kVectors>
HWY_INLINE void chain_block(const ChainConvRow& row, std::size_t x) {
    const ChainTag d;
    ChainSums<kOutputs * kVectors> sums;
    unroll<kOutputs>([&]<std::size_t o>() SLUICE_INLINE_LAMBDA {
        const ChainVec bias = hn::Set(d, row.bias[o]);
        unroll<kVectors>([&]<std::size_t v>()
                             SLUICE_INLINE_LAMBDA { sums.v[v * kOutputs + o] = bias; });
    });
    const float* HWY_RESTRICT weights = row.weights;
    const float* const* const planes = row.planes;
    const std::size_t count = row.plane_count;
    for (std::size_t i = 0; i < count; ++i) {
        const float* HWY_RESTRICT plane = planes[i] + x;
        ChainSums<kVectors> in;
        unroll<kVectors>([&]<std::size_t v>() SLUICE_INLINE_LAMBDA {
            in.v[v] = hn::LoadU(d, plane + v * kChainLanes);
        });
        unroll<kOutputs>([&]<std::size_t o>() SLUICE_INLINE_LAMBDA {
            const ChainVec w = hn::Set(d, weights[o]);
            unroll<kVectors>([&]<std::size_t v>() SLUICE_INLINE_LAMBDA {
                sums.v[v * kOutputs + o] = hn::MulAdd(w, in.v[v], sums.v[v * kOutputs + o]);
            });
        });
        weights += kOutputs;
    }
    // In this order NaN stays NaN: x86's min and max return their second operand for it.
    if (row.mirrored != nullptr) {
        const ChainVec zero = hn::Zero(d);
        unroll<kOutputs>([&]<std::size_t o>() SLUICE_INLINE_LAMBDA {
            unroll<kVectors>([&]<std::size_t v>() SLUICE_INLINE_LAMBDA {
                const ChainVec sum = sums.v[v * kOutputs + o];
                hn::StoreU(hn::Max(zero, sum), d, row.outputs[o] + x + v * kChainLanes);
                hn::StoreU(hn::Max(zero, hn::Neg(sum)), d, row.mirrored[o] + x + v * kChainLanes);
            });
        });
        return;
    }
    const ChainVec low = hn::Set(d, row.low);
    const ChainVec high = hn::Set(d, row.high);
    unroll<kOutputs>([&]<std::size_t o>() SLUICE_INLINE_LAMBDA {
        unroll<kVectors>([&]<std::size_t v>() SLUICE_INLINE_LAMBDA {
            hn::StoreU(hn::Min(high, hn::Max(low, sums.v[v * kOutputs + o])), d,
                       row.outputs[o] + x + v * kChainLanes);
        });
    });
}

// The `vectors` of 1..kVectors that are left.
template <std::size_t kOutputs, std::size_t kVectors>
HWY_INLINE void chain_vectors(const ChainConvRow& row, std::size_t vectors, std::size_t x) {
    if constexpr (kVectors > 1) {
        if (vectors < kVectors) {
            return chain_vectors<kOutputs, kVectors - 1>(row, vectors, x);
        }
    }
    chain_block<kOutputs, kVectors>(row, x);
}

template <std::size_t kOutputs>
void chain_conv(const ChainConvRow& row) {
    constexpr std::size_t kVectors = kChainVectors[kOutputs - 1];
    const std::size_t vectors = div_ceil(row.count, kChainLanes);
    for (std::size_t phase = 0; phase < row.phases; ++phase) {
        std::size_t blocks = div_ceil(vectors, kVectors);
        for (std::size_t done = 0; done < vectors; --blocks) { // of about the same size
            const std::size_t count = div_ceil(vectors - done, blocks);
            chain_vectors<kOutputs, kVectors>(row, count, phase * row.stride + done * kChainLanes);
            done += count;
        }
    }
}

void deal(const float* row, std::size_t tiles, std::size_t stride, float* phases) {
    const ChainTag d;
    std::size_t t = 0;
    for (; t + kChainLanes <= tiles; t += kChainLanes) {
        ChainVec a;
        ChainVec b;
        ChainVec c;
        ChainVec e;
        hn::LoadInterleaved4(d, row + kChainPhases * t, a, b, c, e);
        hn::StoreU(a, d, phases + t);
        hn::StoreU(b, d, phases + stride + t);
        hn::StoreU(c, d, phases + 2 * stride + t);
        hn::StoreU(e, d, phases + 3 * stride + t);
    }
    for (; t < tiles; ++t) {
        for (std::size_t p = 0; p < kChainPhases; ++p) {
            phases[p * stride + t] = row[kChainPhases * t + p];
        }
    }
}

void collect(const float* phases, std::size_t tiles, std::size_t stride, float* row) {
    const ChainTag d;
    std::size_t t = 0;
    for (; t + kChainLanes <= tiles; t += kChainLanes) {
        hn::StoreInterleaved4(hn::LoadU(d, phases + t), hn::LoadU(d, phases + stride + t),
                              hn::LoadU(d, phases + 2 * stride + t),
                              hn::LoadU(d, phases + 3 * stride + t), d, row + kChainPhases * t);
    }
    for (; t < tiles; ++t) {
        for (std::size_t p = 0; p < kChainPhases; ++p) {
            row[kChainPhases * t + p] = phases[p * stride + t];
        }
    }
}

template <std::size_t kChannels>
HWY_INLINE void store_joined(const ChainVec* v, float* to) {
    const ChainTag d;
    if constexpr (kChannels == 1) {
        hn::StoreU(v[0], d, to);
    } else if constexpr (kChannels == 2) {
        hn::StoreInterleaved2(v[0], v[1], d, to);
    } else if constexpr (kChannels == 3) {
        hn::StoreInterleaved3(v[0], v[1], v[2], d, to);
    } else {
        hn::StoreInterleaved4(v[0], v[1], v[2], v[3], d, to);
    }
}

// 2 * lanes pixels of the doubled row, given the left and the right ones.
template <std::size_t kChannels>
HWY_INLINE void store_doubled(const ChainVec* left, const ChainVec* right, float* to) {
    const ChainTag d;
    ChainSums<kChannels> first;
    ChainSums<kChannels> second;
    unroll<kChannels>([&]<std::size_t c>() SLUICE_INLINE_LAMBDA {
        first.v[c] = hn::InterleaveWholeLower(d, left[c], right[c]);
        second.v[c] = hn::InterleaveWholeUpper(d, left[c], right[c]);
    });
    store_joined<kChannels>(first.v, to);
    store_joined<kChannels>(second.v, to + kChainLanes * kChannels);
}

// Pixels [x, x + lanes) of the sub-pixels to `shuffled` and `sum`, either of which may be null.
template <std::size_t kChannels, std::size_t kSumChannels>
HWY_INLINE void shuffle_block(const ChainShuffleRow& row, std::size_t x, float* shuffled,
                              float* sum) {
    const ChainTag d;
    ChainSums<kChannels> left;
    ChainSums<kChannels> right;
    unroll<kChannels>([&]<std::size_t c>() SLUICE_INLINE_LAMBDA {
        left.v[c] = hn::LoadU(d, row.subpixels[c] + x);
        right.v[c] = hn::LoadU(d, row.subpixels[kChannels + c] + x);
    });
    if (shuffled != nullptr) {
        store_doubled<kChannels>(left.v, right.v, shuffled);
    }
    if (sum == nullptr) {
        return;
    }
    ChainSums<kSumChannels> sum_left;
    ChainSums<kSumChannels> sum_right;
    const ChainVec quarter = hn::Set(d, 0.25F);
    unroll<kSumChannels>([&]<std::size_t c>() SLUICE_INLINE_LAMBDA {
        constexpr std::size_t kFrom = kChannels == 1 ? 0 : c;
        const float* const plane = row.enlarged[c] + x;
        const ChainVec own = hn::LoadU(d, plane);
        const ChainVec before = hn::Sub(hn::LoadU(d, plane - 1), own);
        const ChainVec behind = hn::Sub(hn::LoadU(d, plane + 1), own);
        sum_left.v[c] = hn::Add(hn::MulAdd(quarter, before, own), left.v[kFrom]);
        sum_right.v[c] = hn::Add(hn::MulAdd(quarter, behind, own), right.v[kFrom]);
    });
    store_doubled<kSumChannels>(sum_left.v, sum_right.v, sum);
}

template <std::size_t kChannels, std::size_t kSumChannels>
void shuffle_row(const ChainShuffleRow& row) {
    std::size_t x = 0;
    for (; x + kChainLanes <= row.pixels; x += kChainLanes) {
        shuffle_block<kChannels, kSumChannels>(
            row, x, row.shuffled == nullptr ? nullptr : row.shuffled + 2 * x * kChannels,
            row.sum == nullptr ? nullptr : row.sum + 2 * x * kSumChannels);
    }
    if (x == row.pixels) {
        return;
    }
    HWY_ALIGN float shuffled[2 * kChainLanes * kChannels];
    HWY_ALIGN float sum[2 * kChainLanes * kSumChannels];
    shuffle_block<kChannels, kSumChannels>(row, x, shuffled, row.sum == nullptr ? nullptr : sum);
    const std::size_t rest = 2 * (row.pixels - x);
    if (row.shuffled != nullptr) {
        std::copy_n(shuffled, rest * kChannels, row.shuffled + 2 * x * kChannels);
    }
    if (row.sum != nullptr) {
        std::copy_n(sum, rest * kSumChannels, row.sum + 2 * x * kSumChannels);
    }
}

void shuffle(const ChainShuffleRow& row) {
    if (row.channels == 1) {
        switch (row.sum_channels) {
        case 2: return shuffle_row<1, 2>(row);
        case 3: return shuffle_row<1, 3>(row);
        case 4: return shuffle_row<1, 4>(row);
        default: return shuffle_row<1, 1>(row);
        }
    }
    switch (row.channels) {
    case 2: return shuffle_row<2, 2>(row);
    case 3: return shuffle_row<3, 3>(row);
    default: return shuffle_row<4, 4>(row);
    }
}

void blend(const float* low, const float* high, float weight, std::size_t count, float* out) {
    const ChainTag d;
    const ChainVec w = hn::Set(d, weight);
    for (std::size_t i = 0; i < count; i += kChainLanes) { // may reach into the slack
        const ChainVec from = hn::LoadU(d, low + i);
        hn::StoreU(hn::MulAdd(w, hn::Sub(hn::LoadU(d, high + i), from), from), d, out + i);
    }
}

template <std::size_t kChannels>
void join_row(const float* const* planes, std::size_t pixels, float* out) {
    const ChainTag d;
    std::size_t x = 0;
    for (; x + kChainLanes <= pixels; x += kChainLanes) {
        ChainSums<kChannels> v;
        unroll<kChannels>([&]<std::size_t c>()
                              SLUICE_INLINE_LAMBDA { v.v[c] = hn::LoadU(d, planes[c] + x); });
        store_joined<kChannels>(v.v, out + x * kChannels);
    }
    for (; x < pixels; ++x) {
        for (std::size_t c = 0; c < kChannels; ++c) {
            out[x * kChannels + c] = planes[c][x];
        }
    }
}

void join(const float* const* planes, std::size_t channels, std::size_t pixels, float* out) {
    switch (channels) {
    case 1: return join_row<1>(planes, pixels, out);
    case 2: return join_row<2>(planes, pixels, out);
    case 3: return join_row<3>(planes, pixels, out);
    default: return join_row<4>(planes, pixels, out);
    }
}

constexpr ChainKernels kKernels = {
    .conv = {&chain_conv<1>, &chain_conv<2>, &chain_conv<3>, &chain_conv<4>},
    .deal = &deal,
    .collect = &collect,
    .shuffle = &shuffle,
    .blend = &blend,
    .join = &join,
};

} // namespace

const ChainKernels& get_chain_kernels() {
    return kKernels;
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(get_chain_kernels);

const ChainKernels& chain_kernels() {
    return HWY_DYNAMIC_DISPATCH(get_chain_kernels)();
}

} // namespace sluice::cpu
#endif
