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

// Vectors of tiles whose sums fit the registers, of kMaxPlanarOutputs channels.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr std::size_t kTileVectors = 4;
#else
constexpr std::size_t kTileVectors = 3;
#endif

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

template <std::size_t kCount>
struct TileSums {
    WinogradVec v[kCount];
};

// kVectors of tiles of one point; `weights` are those of the first plane.
template <std::size_t kOutputs, std::size_t kVectors>
HWY_INLINE void multiply_block(const ChainProducts& row, std::size_t at, const float* weights,
                               float* to) {
    const WinogradTag d;
    TileSums<kOutputs * kVectors> sums;
    unroll<kOutputs * kVectors>([&]<std::size_t i>()
                                    SLUICE_INLINE_LAMBDA { sums.v[i] = hn::Zero(d); });
    const float* const* const planes = row.planes;
    const std::size_t count = row.plane_count;
    for (std::size_t plane = 0; plane < count; ++plane) {
        const float* HWY_RESTRICT from = planes[plane] + at;
        TileSums<kVectors> in;
        unroll<kVectors>([&]<std::size_t v>() SLUICE_INLINE_LAMBDA {
            in.v[v] = hn::LoadU(d, from + v * kTileLanes);
        });
        unroll<kOutputs>([&]<std::size_t o>() SLUICE_INLINE_LAMBDA {
            const WinogradVec w = hn::Set(d, weights[o]);
            unroll<kVectors>([&]<std::size_t v>() SLUICE_INLINE_LAMBDA {
                sums.v[v * kOutputs + o] = hn::MulAdd(w, in.v[v], sums.v[v * kOutputs + o]);
            });
        });
        weights += kOutputs;
    }
    unroll<kOutputs>([&]<std::size_t o>() SLUICE_INLINE_LAMBDA {
        unroll<kVectors>([&]<std::size_t v>() SLUICE_INLINE_LAMBDA {
            hn::StoreU(sums.v[v * kOutputs + o], d,
                       to + o * kWinogradTile * row.stride + v * kTileLanes);
        });
    });
}

// The `vectors` of 1..kVectors that are left.
template <std::size_t kOutputs, std::size_t kVectors = kTileVectors>
HWY_INLINE void multiply_vectors(const ChainProducts& row, std::size_t vectors, std::size_t at,
                                 const float* weights, float* to) {
    if constexpr (kVectors > 1) {
        if (vectors < kVectors) {
            return multiply_vectors<kOutputs, kVectors - 1>(row, vectors, at, weights, to);
        }
    }
    multiply_block<kOutputs, kVectors>(row, at, weights, to);
}

void multiply(const ChainProducts& row) {
    const std::size_t vectors = div_ceil(row.tiles, kTileLanes);
    for (std::size_t point = 0; point < kWinogradTile; ++point) {
        std::size_t blocks = div_ceil(vectors, kTileVectors);
        for (std::size_t done = 0; done < vectors; --blocks) {
            const std::size_t count = div_ceil(vectors - done, blocks);
            const std::size_t at = point * row.stride + done * kTileLanes;
            // All outputs in turn, while what they read is in the first cache.
            for (std::size_t o = 0; o < row.outputs; o += kMaxPlanarOutputs) {
                const std::size_t outputs = std::min(row.outputs - o, kMaxPlanarOutputs);
                const float* const weights =
                    row.weights + o * kWinogradTile * row.filter_planes +
                    (point * row.filter_planes + row.first_plane) * outputs;
                float* const to = row.products + o * kWinogradTile * row.stride + at;
                switch (outputs) {
                case 1: multiply_vectors<1>(row, count, at, weights, to); break;
                case 2: multiply_vectors<2>(row, count, at, weights, to); break;
                case 3: multiply_vectors<3>(row, count, at, weights, to); break;
                default: multiply_vectors<4>(row, count, at, weights, to); break;
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
            [&](std::size_t i)
                SLUICE_INLINE_LAMBDA { return hn::LoadU(d, row.products + i * row.stride + t); },
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
