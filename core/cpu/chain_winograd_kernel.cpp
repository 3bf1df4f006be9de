// SPDX-License-Identifier: Apache-2.0
// Winograd's kernels of depth-first chains, once per instruction set.
#include "core/cpu/chain_winograd_kernel.h"

#include <algorithm>

#include "core/base/checked_math.h"
#include "core/cpu/highway.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/chain_winograd_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/unroll-inl.h"
#include "core/cpu/winograd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kTileLanes = hn::MaxLanes(WinogradTag());
static_assert(kTileLanes <= kChainSlack && kChainPhases + 2 == kWinogradTile);
static_assert(kChainBlockTiles % kTileLanes == 0);

// Whether the registers hold two rows of sums of kTileVectors vectors and kMaxPlanarOutputs
// channels, or one.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr bool kHoldsBothRows = true;
#else
constexpr bool kHoldsBothRows = false;
#endif
constexpr std::size_t kTileVectors = 3;

void transform(const float* phases, std::size_t stride, std::size_t tiles, float* points) {
    const WinogradTag d;
    for (std::size_t t = 0; t < tiles; t += kTileLanes) {
        const float* const at = phases + t;
        const auto load = [&](std::size_t i) SLUICE_INLINE_LAMBDA {
            return i == 0 ? hn::LoadU(d, at + 3 * stride - 1)
                          : hn::LoadU(d, i == 5 ? at + 1 : at + (i - 1) * stride);
        };
        transform_input(load, [&](std::size_t i, WinogradVec v) SLUICE_INLINE_LAMBDA {
            hn::StoreU(v, d, points + i * stride + t);
        });
    }
}

// One point along the row, of all four down the picture.
struct PointBlock {
    const ChainProducts& tiles;
    std::size_t at; // floats from a row's points to the block's first
    const float* weights;
    float* to;
};

// A point down the picture: row `first` of the window plus, or minus, row `second`.
struct WindowPoint {
    std::size_t first, second;
    bool adds;
};
// As kChainRowFactors has them.
constexpr WindowPoint kWindowPoints[kChainWindowRows] = {
    {.first = 1, .second = 2, .adds = true},
    {.first = 2, .second = 1, .adds = false},
    {.first = 0, .second = 2, .adds = false},
    {.first = 3, .second = 1, .adds = false},
};

template <std::size_t kOutputs, std::size_t kVectors>
struct PointSums {
    WinogradVec v[kOutputs * kVectors];

    // body(vector, floats to it from the first's place among the products)
    template <class Body>
    HWY_INLINE void each(const Body& body) {
        unroll<kOutputs>([&]<std::size_t o>() SLUICE_INLINE_LAMBDA {
            unroll<kVectors>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
                body(v[i * kOutputs + o], o * 2 * kChainRowPoints + i * kTileLanes);
            });
        });
    }

    // Adds what one input counts at a point.
    template <std::size_t kPoint>
    HWY_INLINE void add(const PointBlock& block, std::size_t input) {
        const WinogradTag d;
        constexpr WindowPoint kWindow = kWindowPoints[kPoint];
        const float* const first = block.tiles.rows[kWindow.first][input] + block.at;
        const float* const second = block.tiles.rows[kWindow.second][input] + block.at;
        const float* HWY_RESTRICT weights =
            block.weights + (kPoint * block.tiles.inputs + input) * kOutputs;
        WinogradVec in[kVectors];
        unroll<kVectors>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
            const WinogradVec a = hn::LoadU(d, first + i * kTileLanes);
            const WinogradVec b = hn::LoadU(d, second + i * kTileLanes);
            in[i] = kWindow.adds ? hn::Add(a, b) : hn::Sub(a, b);
        });
        unroll<kOutputs>([&]<std::size_t o>() SLUICE_INLINE_LAMBDA {
            const WinogradVec w = hn::Set(d, weights[o]);
            unroll<kVectors>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
                v[i * kOutputs + o] = hn::MulAdd(w, in[i], v[i * kOutputs + o]);
            });
        });
    }
    template <std::size_t kPoint>
    HWY_INLINE void add_all(const PointBlock& block) {
        const std::size_t inputs = block.tiles.inputs;
        for (std::size_t input = 0; input < inputs; ++input) {
            add<kPoint>(block, input);
        }
    }
};

// The middle points count in both rows, the outer ones in one each.
template <std::size_t kOutputs, std::size_t kVectors>
HWY_INLINE void multiply_both_rows(const PointBlock& block) {
    const WinogradTag d;
    const std::size_t inputs = block.tiles.inputs;
    PointSums<kOutputs, kVectors> first;
    PointSums<kOutputs, kVectors> second;
    const auto zero = [&](WinogradVec& v, std::size_t) SLUICE_INLINE_LAMBDA { v = hn::Zero(d); };
    first.each(zero);
    second.each(zero);
    for (std::size_t input = 0; input < inputs; ++input) {
        first.template add<0>(block, input);
        second.template add<1>(block, input);
    }
    unroll<kOutputs * kVectors>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
        const WinogradVec middle = first.v[i];
        first.v[i] = hn::Add(middle, second.v[i]);
        second.v[i] = hn::Sub(middle, second.v[i]);
    });
    for (std::size_t input = 0; input < inputs; ++input) {
        first.template add<2>(block, input);
        second.template add<3>(block, input);
    }
    first.each([&](WinogradVec& v, std::size_t at)
                   SLUICE_INLINE_LAMBDA { hn::StoreU(v, d, block.to + at); });
    second.each([&](WinogradVec& v, std::size_t at)
                    SLUICE_INLINE_LAMBDA { hn::StoreU(v, d, block.to + kChainRowPoints + at); });
}

// The same, a point at a time: between two, sums lie where the second row's products come to lie.
template <std::size_t kOutputs, std::size_t kVectors>
HWY_INLINE void multiply_rows_in_turn(const PointBlock& block) {
    const WinogradTag d;
    float* const first = block.to;
    float* const second = block.to + kChainRowPoints;
    PointSums<kOutputs, kVectors> sums;
    sums.each([&](WinogradVec& v, std::size_t) SLUICE_INLINE_LAMBDA { v = hn::Zero(d); });
    sums.template add_all<0>(block);
    sums.each([&](WinogradVec& v, std::size_t at) SLUICE_INLINE_LAMBDA {
        hn::StoreU(v, d, second + at);
        v = hn::Zero(d);
    });
    sums.template add_all<1>(block);
    sums.each([&](WinogradVec& v, std::size_t at) SLUICE_INLINE_LAMBDA {
        const WinogradVec middle = hn::LoadU(d, second + at);
        hn::StoreU(hn::Sub(middle, v), d, second + at);
        v = hn::Add(middle, v);
    });
    sums.template add_all<2>(block);
    sums.each([&](WinogradVec& v, std::size_t at) SLUICE_INLINE_LAMBDA {
        hn::StoreU(v, d, first + at);
        v = hn::LoadU(d, second + at);
    });
    sums.template add_all<3>(block);
    sums.each([&](WinogradVec& v, std::size_t at)
                  SLUICE_INLINE_LAMBDA { hn::StoreU(v, d, second + at); });
}

// The `vectors` of 1..kVectors that are left.
template <std::size_t kOutputs, std::size_t kVectors = kTileVectors>
HWY_INLINE void multiply_vectors(std::size_t vectors, const PointBlock& block) {
    if constexpr (kVectors > 1) {
        if (vectors < kVectors) {
            return multiply_vectors<kOutputs, kVectors - 1>(vectors, block);
        }
    }
    if constexpr (kHoldsBothRows) {
        multiply_both_rows<kOutputs, kVectors>(block);
    } else {
        multiply_rows_in_turn<kOutputs, kVectors>(block);
    }
}

void multiply(const ChainProducts& tiles) {
    const std::size_t vectors = div_ceil(tiles.tiles, kTileLanes);
    for (std::size_t point = 0; point < kWinogradTile; ++point) {
        std::size_t blocks = div_ceil(vectors, kTileVectors);
        for (std::size_t done = 0; done < vectors; --blocks) {
            const std::size_t count = div_ceil(vectors - done, blocks);
            // All outputs in turn, while what they read is in the first cache.
            for (std::size_t o = 0; o < tiles.outputs; o += kMaxPlanarOutputs) {
                const std::size_t outputs = std::min(tiles.outputs - o, kMaxPlanarOutputs);
                const PointBlock block{.tiles = tiles,
                                       .at = point * tiles.stride + tiles.first + done * kTileLanes,
                                       .weights =
                                           tiles.weights +
                                           (o * kChainPoints + point * kChainWindowRows * outputs) *
                                               tiles.inputs,
                                       .to = tiles.products + o * 2 * kChainRowPoints +
                                             point * kChainBlockTiles + done * kTileLanes};
                switch (outputs) {
                case 1: multiply_vectors<1>(count, block); break;
                case 2: multiply_vectors<2>(count, block); break;
                case 3: multiply_vectors<3>(count, block); break;
                default: multiply_vectors<4>(count, block); break;
                }
            }
            done += count;
        }
    }
}

void finish(const ChainTiles& row) {
    const WinogradTag d;
    const WinogradVec bias = hn::Set(d, row.bias);
    const WinogradVec low = hn::Set(d, row.low);
    const WinogradVec high = hn::Set(d, row.high);
    const WinogradVec zero = hn::Zero(d);
    for (std::size_t t = 0; t < row.tiles; t += kTileLanes) {
        transform_output<kChainPhases>(
            [&](std::size_t i) SLUICE_INLINE_LAMBDA {
                return hn::LoadU(d, row.products + i * kChainBlockTiles + t);
            },
            [&](std::size_t i, WinogradVec v) SLUICE_INLINE_LAMBDA {
                const WinogradVec sum = hn::Add(v, bias);
                float* const to = row.output + i * row.stride + t;
                // In this order NaN stays NaN, see chain_kernel.cpp.
                if (row.mirrored == nullptr) {
                    hn::StoreU(hn::Min(high, hn::Max(low, sum)), d, to);
                } else {
                    hn::StoreU(hn::Max(zero, sum), d, to);
                    hn::StoreU(hn::Max(zero, hn::Neg(sum)), d, row.mirrored + i * row.stride + t);
                }
            });
    }
}

constexpr ChainWinogradKernels kKernels = {
    .transform = &transform,
    .multiply = &multiply,
    .finish = &finish,
};

} // namespace

const ChainWinogradKernels& get_chain_winograd_kernels() {
    return kKernels;
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(get_chain_winograd_kernels);

const ChainWinogradKernels& chain_winograd_kernels() {
    return HWY_DYNAMIC_DISPATCH(get_chain_winograd_kernels)();
}

} // namespace sluice::cpu
#endif
