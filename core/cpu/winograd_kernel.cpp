// SPDX-License-Identifier: Apache-2.0
// Winograd's transforms, once per instruction set.
#include "core/cpu/winograd_kernel.h"

#include "core/cpu/highway.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/winograd_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/unroll-inl.h"
#include "core/cpu/winograd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kWinogradLanes = hn::MaxLanes(WinogradTag());

// transform_input() of values that lie `stride` floats from one another.
HWY_INLINE void transform_apart(const float* from, std::size_t from_stride, float* to,
                                std::size_t to_stride) {
    const WinogradTag d;
    transform_input([&](std::size_t i)
                        SLUICE_INLINE_LAMBDA { return hn::LoadU(d, from + i * from_stride); },
                    [&](std::size_t i, WinogradVec v)
                        SLUICE_INLINE_LAMBDA { hn::StoreU(v, d, to + i * to_stride); });
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
            transform_apart(tile.input + x * tile.channels + c, tile.row_stride,
                            columns + x * kWinogradLanes, kSize * kWinogradLanes);
        }
        for (std::size_t y = 0; y < kSize; ++y) {
            transform_apart(columns + y * kSize * kWinogradLanes, kWinogradLanes,
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
