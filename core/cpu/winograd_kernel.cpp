// SPDX-License-Identifier: Apache-2.0
// Winograd's transforms, once per instruction set.
#include "core/cpu/winograd_kernel.h"

#include "core/cpu/highway.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/winograd_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/unroll-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using WinogradTag = hn::CappedTag<float, kMinWinogradChannels>;
using WinogradVec = hn::Vec<WinogradTag>;
constexpr std::size_t kWinogradLanes = hn::MaxLanes(WinogradTag());

constexpr float kNear2 = kNearPoint * kNearPoint;
constexpr float kFar2 = kFarPoint * kFarPoint;

// Six values in, six out, each `stride` floats from the last. Row p of the matrix holds the
// coefficients of the product of (x - q) over all other finite points q.
HWY_INLINE void transform_input(const float* from, std::size_t from_stride, float* to,
                                std::size_t to_stride) {
    const WinogradTag d;
    const auto load = [&](std::size_t i) HWY_ATTR { return hn::LoadU(d, from + i * from_stride); };
    const auto store = [&](std::size_t i, WinogradVec v)
                           HWY_ATTR { hn::StoreU(v, d, to + i * to_stride); };
    const auto set = [&](float value) HWY_ATTR { return hn::Set(d, value); };
    const WinogradVec d1 = load(1);
    const WinogradVec d2 = load(2);
    const WinogradVec d3 = load(3);
    const WinogradVec d4 = load(4);
    store(0, hn::MulAdd(load(0), set(kNear2 * kFar2), hn::NegMulAdd(d2, set(kNear2 + kFar2), d4)));
    store(5, hn::MulAdd(d1, set(kNear2 * kFar2), hn::NegMulAdd(d3, set(kNear2 + kFar2), load(5))));
    const WinogradVec near_even = hn::NegMulAdd(d2, set(kFar2), d4);
    const WinogradVec near_odd = hn::NegMulAdd(d1, set(kFar2), d3);
    store(1, hn::MulAdd(near_odd, set(kNearPoint), near_even));
    store(2, hn::NegMulAdd(near_odd, set(kNearPoint), near_even));
    const WinogradVec far_even = hn::NegMulAdd(d2, set(kNear2), d4);
    const WinogradVec far_odd = hn::NegMulAdd(d1, set(kNear2), d3);
    store(3, hn::MulAdd(far_odd, set(kFarPoint), far_even));
    store(4, hn::NegMulAdd(far_odd, set(kFarPoint), far_even));
}

// Six values in, kSize out: value i is the sum over the points of their i-th powers.
template <std::size_t kSize, typename Load, typename Store>
HWY_INLINE void transform_output(const Load& load, const Store& store) {
    const WinogradTag d;
    const auto set = [&](float value) HWY_ATTR { return hn::Set(d, value); };
    const WinogradVec near_even = hn::Add(load(1), load(2));
    const WinogradVec near_odd = hn::Sub(load(1), load(2));
    const WinogradVec far_even = hn::Add(load(3), load(4));
    const WinogradVec far_odd = hn::Sub(load(3), load(4));
    store(0, hn::Add(load(0), hn::Add(near_even, far_even)));
    const WinogradVec first =
        hn::MulAdd(near_odd, set(kNearPoint), hn::Mul(far_odd, set(kFarPoint)));
    if constexpr (kSize == 2) {
        store(1, hn::Add(first, load(5)));
    } else {
        static_assert(kSize == 4);
        store(1, first);
        store(2, hn::MulAdd(near_even, set(kNear2), hn::Mul(far_even, set(kFar2))));
        store(3, hn::MulAdd(near_odd, set(kNear2 * kNearPoint),
                            hn::MulAdd(far_odd, set(kFar2 * kFarPoint), load(5))));
    }
}

// Calls body(c) for vectors that cover all channels; the last may overlap the one before it.
template <typename Body>
HWY_INLINE void for_channels(std::size_t channels, const Body& body) {
    const std::size_t last = channels - kWinogradLanes;
    for (std::size_t c = 0; c < last; c += kWinogradLanes) {
        body(c);
    }
    body(last);
}

void input(const WinogradInput& tile) {
    constexpr std::size_t kSize = kWinogradTile;
    HWY_ALIGN float columns[kWinogradProducts * kWinogradLanes]; // [product row][column]
    for_channels(tile.channels, [&](std::size_t c) SLUICE_INLINE_LAMBDA {
        for (std::size_t x = 0; x < kSize; ++x) {
            transform_input(tile.input + x * tile.channels + c, tile.row_stride,
                            columns + x * kWinogradLanes, kSize * kWinogradLanes);
        }
        for (std::size_t y = 0; y < kSize; ++y) {
            transform_input(columns + y * kSize * kWinogradLanes, kWinogradLanes,
                            tile.output + y * kSize * tile.product_stride + c, tile.product_stride);
        }
    });
}

template <std::size_t kSize>
void output(const WinogradOutput& tile) {
    const WinogradTag d;
    const WinogradVec low = hn::Set(d, tile.bounds.low);
    const WinogradVec high = hn::Set(d, tile.bounds.high);
    HWY_ALIGN float rows[kSize * kWinogradTile * kWinogradLanes]; // [output row][product column]
    for_channels(tile.channels, [&](std::size_t c) SLUICE_INLINE_LAMBDA {
        for (std::size_t x = 0; x < kWinogradTile; ++x) {
            const float* const from = tile.sums + x * tile.product_stride + c;
            const std::size_t stride = kWinogradTile * tile.product_stride;
            transform_output<kSize>(
                [&](std::size_t i) SLUICE_INLINE_LAMBDA { return hn::LoadU(d, from + i * stride); },
                [&](std::size_t i, WinogradVec v) SLUICE_INLINE_LAMBDA {
                    hn::Store(v, d, rows + (i * kWinogradTile + x) * kWinogradLanes);
                });
        }
        const WinogradVec bias = hn::LoadU(d, tile.bias + c);
        for (std::size_t y = 0; y < tile.rows; ++y) {
            const float* const from = rows + y * kWinogradTile * kWinogradLanes;
            float* const to = tile.output + y * tile.row_stride + c;
            const float* const residual =
                tile.residual == nullptr ? nullptr : tile.residual + y * tile.row_stride + c;
            transform_output<kSize>(
                [&](std::size_t i)
                    SLUICE_INLINE_LAMBDA { return hn::Load(d, from + i * kWinogradLanes); },
                [&](std::size_t i, WinogradVec v) SLUICE_INLINE_LAMBDA {
                    if (i >= tile.columns) {
                        return;
                    }
                    v = hn::Add(v, bias);
                    if (residual != nullptr) {
                        v = hn::Add(v, hn::LoadU(d, residual + i * tile.channels));
                    }
                    // In this order NaN stays NaN.
                    hn::StoreU(hn::Min(high, hn::Max(low, v)), d, to + i * tile.channels);
                });
        }
    });
}

constexpr WinogradKernels kKernels = {
    .input = &input,
    .output4 = &output<4>,
    .output2 = &output<2>,
};

} // namespace

const WinogradKernels& get_winograd_kernels() {
    return kKernels;
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(get_winograd_kernels);

const WinogradKernels& winograd_kernels() {
    return HWY_DYNAMIC_DISPATCH(get_winograd_kernels)();
}

} // namespace sluice::cpu
#endif
