// SPDX-License-Identifier: Apache-2.0
// The kernels behind depthwise convolution, once per instruction set, and the choice among them.
#include "core/cpu/depthwise_kernel.h"

#include "core/cpu/highway.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/depthwise_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/activation-inl.h"
#include "core/cpu/unroll-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {

// Eight lanes at most: the networks have 8, 12, 24, 28, 36... channels.
using Tag = hn::CappedTag<float, 8>;
using Vec = hn::Vec<Tag>;
constexpr std::size_t kDepthwiseLanes = hn::MaxLanes(Tag());

// The residual of channels [c, c + lanes) of a pixel.
HWY_INLINE Vec residual_at(const DepthwiseTile& tile, std::size_t pixel, std::size_t c) {
    const Tag d;
    const float* const from = tile.residual + pixel * tile.residual_channels + c;
    if (c + kDepthwiseLanes <= tile.residual_channels) {
        return hn::LoadU(d, from);
    }
    return c < tile.residual_channels ? hn::LoadN(d, from, tile.residual_channels - c)
                                      : hn::Zero(d);
}

template <std::size_t kPixels>
struct Sums {
    Vec v[kPixels];
};

// One vector of channels. Each column is loaded once per kernel row and goes into every window that
// it belongs to.
template <std::size_t kWidth, std::size_t kStride, bool kEdge, std::size_t kPixels>
HWY_INLINE void convolve(const DepthwiseTile& tile, std::size_t c, Vec low, Vec high) {
    const Tag d;
    constexpr std::size_t kColumns = (kPixels - 1) * kStride + kWidth;
    Sums<kPixels> sums;
    const Vec bias = hn::LoadU(d, tile.bias + c);
    unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA { sums.v[p] = bias; });
    if (tile.residual != nullptr) {
        unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA {
            sums.v[p] = hn::Add(sums.v[p], residual_at(tile, p, c));
        });
    }
    const std::size_t channels = tile.channels;
    const float* HWY_RESTRICT weights = tile.weights + c;
    std::ptrdiff_t row = tile.base + static_cast<std::ptrdiff_t>(c);
    for (std::size_t r = 0; r < tile.rows; ++r) {
        Sums<kWidth> w;
        unroll<kWidth>([&]<std::size_t k>()
                           SLUICE_INLINE_LAMBDA { w.v[k] = hn::LoadU(d, weights + k * channels); });
        unroll<kColumns>([&]<std::size_t x>() SLUICE_INLINE_LAMBDA {
            if (kEdge && (x < tile.column_begin || x >= tile.column_end)) {
                return;
            }
            const Vec v =
                hn::LoadU(d, tile.input + (row + static_cast<std::ptrdiff_t>(x * channels)));
            unroll<kWidth>([&]<std::size_t k>() SLUICE_INLINE_LAMBDA {
                if constexpr (x >= k && (x - k) % kStride == 0 && (x - k) / kStride < kPixels) {
                    constexpr std::size_t p = (x - k) / kStride;
                    sums.v[p] = hn::MulAdd(v, w.v[k], sums.v[p]);
                }
            });
        });
        weights += kWidth * channels;
        row += static_cast<std::ptrdiff_t>(tile.row_stride);
    }
    unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA {
        hn::StoreU(hn::Min(high, hn::Max(low, sums.v[p])), d, tile.output + p * channels + c);
    });
}

template <std::size_t kWidth, std::size_t kStride, bool kEdge, std::size_t kPixels>
void fast_tile(const DepthwiseTile& tile) {
    const Tag d;
    const Bounds bounds = bounds_of(tile.activation);
    const Vec low = hn::Set(d, bounds.low);
    const Vec high = hn::Set(d, bounds.high);
    const std::size_t last = tile.channels - kDepthwiseLanes;
    // The last vector overlaps the one before it where the channels are no multiple of the lanes.
    for (std::size_t c = 0;; c = c + kDepthwiseLanes < last ? c + kDepthwiseLanes : last) {
        convolve<kWidth, kStride, kEdge, kPixels>(tile, c, low, high);
        if (c == last) {
            break;
        }
    }
    if (!is_bounds(tile.activation.kind)) {
        activate_all(tile.output, kPixels * tile.channels, tile.activation);
    }
}

// Whole tiles of 3x3 windows that lie inside the picture: channels outermost, so that the nine
// weights are loaded once. Columns are addressed in threes from one pointer, which x86 does in the
// load.
template <std::size_t kStride>
void inner_run(const DepthwiseTile& tile, std::size_t tiles) {
    const Tag d;
    constexpr std::size_t kPixels = kDepthwiseRunPixels;
    constexpr std::size_t kColumns = (kPixels - 1) * kStride + 3;
    const Bounds bounds = bounds_of(tile.activation);
    const Vec low = hn::Set(d, bounds.low);
    const Vec high = hn::Set(d, bounds.high);
    const bool bounded = tile.activation.kind != ops::UnaryKind::Identity;
    const std::size_t channels = tile.channels;
    const std::size_t last = channels - kDepthwiseLanes;
    for (std::size_t c = 0;; c = c + kDepthwiseLanes < last ? c + kDepthwiseLanes : last) {
        const Vec bias = hn::LoadU(d, tile.bias + c);
        Sums<9> w;
        unroll<9>([&]<std::size_t k>() SLUICE_INLINE_LAMBDA {
            w.v[k] = hn::LoadU(d, tile.weights + k * channels + c);
        });
        const float* from = tile.input + (tile.base + static_cast<std::ptrdiff_t>(c));
        float* to = tile.output + c;
        for (std::size_t t = 0; t < tiles; ++t) {
            Sums<kPixels> sums;
            unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA { sums.v[p] = bias; });
            if (tile.residual != nullptr) {
                unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA {
                    sums.v[p] = hn::Add(sums.v[p], residual_at(tile, t * kPixels + p, c));
                });
            }
            unroll<3>([&]<std::size_t r>() SLUICE_INLINE_LAMBDA {
                const float* const row = from + r * tile.row_stride;
                const float* columns[(kColumns + 2) / 3];
                unroll<(kColumns + 2) / 3>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
                    columns[i] = row + 3 * i * channels;
                });
                unroll<kColumns>([&]<std::size_t x>() SLUICE_INLINE_LAMBDA {
                    const Vec v = hn::LoadU(d, columns[x / 3] + (x % 3) * channels);
                    unroll<3>([&]<std::size_t k>() SLUICE_INLINE_LAMBDA {
                        if constexpr (x >= k && (x - k) % kStride == 0 &&
                                      (x - k) / kStride < kPixels) {
                            constexpr std::size_t p = (x - k) / kStride;
                            sums.v[p] = hn::MulAdd(v, w.v[r * 3 + k], sums.v[p]);
                        }
                    });
                });
            });
            if (bounded) {
                unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA {
                    sums.v[p] = hn::Min(high, hn::Max(low, sums.v[p]));
                });
            }
            unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA {
                hn::StoreU(sums.v[p], d, to + p * channels);
            });
            from += kPixels * kStride * channels;
            to += kPixels * channels;
        }
        if (c == last) {
            break;
        }
    }
    if (!is_bounds(tile.activation.kind)) {
        activate_all(tile.output, tiles * kPixels * channels, tile.activation);
    }
}

void any_tile(const DepthwiseTile& tile) {
    const Tag d;
    const Bounds bounds = bounds_of(tile.activation);
    const std::size_t taps = tile.column_end - tile.column_begin;
    for (std::size_t c = 0; c < tile.channels; c += kDepthwiseLanes) {
        const std::size_t count = HWY_MIN(tile.channels - c, kDepthwiseLanes);
        const auto load = [&](const float* from) HWY_ATTR {
            return count == kDepthwiseLanes ? hn::LoadU(d, from) : hn::LoadN(d, from, count);
        };
        Vec sum = load(tile.bias + c);
        if (tile.residual != nullptr) {
            sum = hn::Add(sum, residual_at(tile, 0, c));
        }
        for (std::size_t r = 0; r < tile.rows; ++r) {
            for (std::size_t t = 0; t < taps; ++t) {
                const std::size_t k = tile.column_begin + t;
                const auto at =
                    static_cast<std::ptrdiff_t>(r * tile.row_stride + k * tile.column_stride + c);
                const float* const weights =
                    tile.weights + (r * tile.kernel_width + k) * tile.channels + c;
                sum = hn::MulAdd(load(tile.input + (tile.base + at)), load(weights), sum);
            }
        }
        sum = hn::Min(hn::Set(d, bounds.high), hn::Max(hn::Set(d, bounds.low), sum));
        if (count == kDepthwiseLanes) {
            hn::StoreU(sum, d, tile.output + c);
        } else {
            hn::StoreN(sum, d, tile.output + c, count);
        }
    }
    if (!is_bounds(tile.activation.kind)) {
        activate_all(tile.output, tile.channels, tile.activation);
    }
}

template <std::size_t kWidth, std::size_t kStride, bool kEdge>
constexpr void add_tiles(DepthwiseKernels& kernels) {
    auto& to = kernels.fast[kWidth == 5][kStride - 1][kEdge];
    to[0] = &fast_tile<kWidth, kStride, kEdge, 1>;
    to[1] = &fast_tile<kWidth, kStride, kEdge, 2>;
    to[2] = &fast_tile<kWidth, kStride, kEdge, 4>;
    to[3] = &fast_tile<kWidth, kStride, kEdge, 8>;
}

constexpr DepthwiseKernels make_kernels() {
    DepthwiseKernels kernels{};
    kernels.lanes = kDepthwiseLanes;
    add_tiles<3, 1, false>(kernels);
    add_tiles<3, 1, true>(kernels);
    add_tiles<3, 2, false>(kernels);
    add_tiles<3, 2, true>(kernels);
    add_tiles<5, 1, false>(kernels);
    add_tiles<5, 1, true>(kernels);
    add_tiles<5, 2, false>(kernels);
    add_tiles<5, 2, true>(kernels);
    kernels.inner[0] = &inner_run<1>;
    kernels.inner[1] = &inner_run<2>;
    kernels.any = &any_tile;
    return kernels;
}

constexpr DepthwiseKernels kKernels = make_kernels();

} // namespace

const DepthwiseKernels& get_depthwise_kernels() {
    return kKernels;
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(get_depthwise_kernels);

const DepthwiseKernels& depthwise_kernels() {
    return HWY_DYNAMIC_DISPATCH(get_depthwise_kernels)();
}

} // namespace sluice::cpu
#endif
