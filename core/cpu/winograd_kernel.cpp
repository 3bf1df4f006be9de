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

// Eight values in, eight out, each `stride` floats from the last.
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
    const WinogradVec d5 = load(5);
    const WinogradVec d6 = load(6);
    store(0, hn::MulAdd(hn::Sub(d4, d2), set(5.25F), hn::Sub(load(0), d6)));
    store(7, hn::MulAdd(hn::Sub(d3, d5), set(5.25F), hn::Sub(load(7), d1)));
    const WinogradVec even1 = hn::NegMulAdd(d4, set(4.25F), hn::Add(d2, d6));
    const WinogradVec odd1 = hn::NegMulAdd(d3, set(4.25F), hn::Add(d1, d5));
    store(1, hn::Add(even1, odd1));
    store(2, hn::Sub(even1, odd1));
    const WinogradVec even2 = hn::NegMulAdd(d4, set(1.25F), hn::MulAdd(d2, set(0.25F), d6));
    const WinogradVec odd2 =
        hn::MulAdd(d5, set(2.0F), hn::NegMulAdd(d3, set(2.5F), hn::Mul(d1, set(0.5F))));
    store(3, hn::Add(even2, odd2));
    store(4, hn::Sub(even2, odd2));
    const WinogradVec even3 = hn::MulAdd(hn::NegMulAdd(d4, set(1.25F), d2), set(4.0F), d6);
    const WinogradVec odd3 =
        hn::MulAdd(d5, set(0.5F), hn::NegMulAdd(d3, set(2.5F), hn::Add(d1, d1)));
    store(5, hn::Add(even3, odd3));
    store(6, hn::Sub(even3, odd3));
}

// Eight values in, kSize out.
template <std::size_t kSize, typename Load, typename Store>
HWY_INLINE void transform_output(const Load& load, const Store& store) {
    const WinogradTag d;
    const auto set = [&](float value) HWY_ATTR { return hn::Set(d, value); };
    const WinogradVec even1 = hn::Add(load(1), load(2));
    const WinogradVec odd1 = hn::Sub(load(1), load(2));
    const WinogradVec even2 = hn::Add(load(3), load(4));
    const WinogradVec odd2 = hn::Sub(load(3), load(4));
    const WinogradVec even3 = hn::Add(load(5), load(6));
    const WinogradVec odd3 = hn::Sub(load(5), load(6));
    store(0, hn::MulAdd(even3, set(32.0F), hn::Add(hn::Add(load(0), even1), even2)));
    store(1, hn::MulAdd(odd3, set(16.0F), hn::MulAdd(odd2, set(2.0F), odd1)));
    store(2, hn::MulAdd(even3, set(8.0F), hn::MulAdd(even2, set(4.0F), even1)));
    const WinogradVec third = hn::MulAdd(odd3, set(4.0F), hn::MulAdd(odd2, set(8.0F), odd1));
    if constexpr (kSize == 4) {
        store(3, hn::Add(third, load(7)));
    } else {
        static_assert(kSize == 6);
        store(3, third);
        store(4, hn::MulAdd(even3, set(2.0F), hn::MulAdd(even2, set(16.0F), even1)));
        store(5, hn::MulAdd(odd2, set(32.0F), hn::Add(hn::Add(load(7), odd3), odd1)));
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
    .output6 = &output<6>,
    .output4 = &output<4>,
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
