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

// Eight lanes or fewer: the networks have 8, 12, 24, 28, 36... channels. Where vectors are longer,
// full ones come first.
using Tag = hn::CappedTag<float, 8>;
using FullTag = hn::CappedTag<float, 16>;
constexpr std::size_t kDepthwiseLanes = hn::MaxLanes(Tag());
constexpr std::size_t kFullLanes = hn::MaxLanes(FullTag());

// Calls body(tag, c) for vectors that cover all channels, of which there are at least
// kDepthwiseLanes. The last may overlap the one before it.
template <class Body>
HWY_INLINE void for_vectors(std::size_t channels, const Body& body) {
    std::size_t c = 0;
    if constexpr (kFullLanes > kDepthwiseLanes) {
        for (; c + kFullLanes <= channels; c += kFullLanes) {
            body(FullTag(), c);
        }
        if (c > 0 && c + kDepthwiseLanes < channels) {
            return body(FullTag(), channels - kFullLanes);
        }
    }
    for (; c + kDepthwiseLanes <= channels; c += kDepthwiseLanes) {
        body(Tag(), c);
    }
    if (c < channels) {
        body(Tag(), channels - kDepthwiseLanes);
    }
}

// The residual of channels [c, c + lanes) of a pixel.
template <class D>
HWY_INLINE hn::Vec<D> residual_at(D d, const DepthwiseTile& tile, std::size_t pixel,
                                  std::size_t c) {
    const float* const from = tile.residual + pixel * tile.residual_channels + c;
    if (c + hn::MaxLanes(d) <= tile.residual_channels) {
        return hn::LoadU(d, from);
    }
    return c < tile.residual_channels ? hn::LoadN(d, from, tile.residual_channels - c)
                                      : hn::Zero(d);
}

template <class D, std::size_t kPixels>
struct Sums {
    hn::Vec<D> v[kPixels];
};

// One vector of channels. Each column is loaded once per kernel row and goes into every window that
// it belongs to.
template <std::size_t kWidth, std::size_t kStride, bool kEdge, std::size_t kPixels, class D>
HWY_INLINE void convolve(D d, const DepthwiseTile& tile, std::size_t c, const Bounds& bounds) {
    using Vec = hn::Vec<D>;
    constexpr std::size_t kColumns = (kPixels - 1) * kStride + kWidth;
    Sums<D, kPixels> sums;
    const Vec bias = hn::LoadU(d, tile.bias + c);
    unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA { sums.v[p] = bias; });
    if (tile.residual != nullptr) {
        unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA {
            sums.v[p] = hn::Add(sums.v[p], residual_at(d, tile, p, c));
        });
    }
    const std::size_t channels = tile.channels;
    const float* HWY_RESTRICT weights = tile.weights + c;
    std::ptrdiff_t row = tile.base + static_cast<std::ptrdiff_t>(c);
    for (std::size_t r = 0; r < tile.rows; ++r) {
        Sums<D, kWidth> w;
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
                    constexpr std::size_t kPixel = (x - k) / kStride;
                    sums.v[kPixel] = hn::MulAdd(v, w.v[k], sums.v[kPixel]);
                }
            });
        });
        weights += kWidth * channels;
        row += static_cast<std::ptrdiff_t>(tile.row_stride);
    }
    const Vec low = hn::Set(d, bounds.low);
    const Vec high = hn::Set(d, bounds.high);
    unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA {
        hn::StoreU(hn::Min(high, hn::Max(low, sums.v[p])), d, tile.output + p * channels + c);
    });
}

template <std::size_t kWidth, std::size_t kStride, bool kEdge, std::size_t kPixels>
void fast_tile(const DepthwiseTile& tile) {
    const Bounds bounds = bounds_of(tile.activation);
    for_vectors(tile.channels, [&](auto d, std::size_t c) SLUICE_INLINE_LAMBDA {
        convolve<kWidth, kStride, kEdge, kPixels>(d, tile, c, bounds);
    });
    if (!is_bounds(tile.activation.kind)) {
        activate_all(tile.output, kPixels * tile.channels, tile.activation);
    }
}

// One vector of channels through a run of tiles: what it keeps in registers and where it is.
template <class D, std::size_t kRows>
struct RunState {
    hn::Vec<D> bias, low, high;
    Sums<D, 3 * kRows> weights;
    const float* from; // the first window of the tile
    float* to;
    std::size_t pixel; // of the run, for the residual
    std::size_t channel;
    bool bounded;
};

// A tile of a run. Columns are addressed in threes from one pointer, which x86 does in the load;
// the first is left out where it lies in the padding, and so is the last.
template <std::size_t kStride, std::size_t kPixels, bool kLeft, bool kRight, class D,
          std::size_t kRows>
HWY_INLINE void run_step(D d, const DepthwiseTile& tile, RunState<D, kRows>& run) {
    constexpr std::size_t kColumns = (kPixels - 1) * kStride + 3;
    const std::size_t channels = tile.channels;
    Sums<D, kPixels> sums;
    unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA { sums.v[p] = run.bias; });
    if (tile.residual != nullptr) {
        unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA {
            sums.v[p] = hn::Add(sums.v[p], residual_at(d, tile, run.pixel + p, run.channel));
        });
    }
    unroll<kRows>([&]<std::size_t r>() SLUICE_INLINE_LAMBDA {
        const float* const row = run.from + r * tile.row_stride;
        const float* columns[(kColumns + 2) / 3];
        unroll<(kColumns + 2) / 3>(
            [&]<std::size_t i>() SLUICE_INLINE_LAMBDA { columns[i] = row + 3 * i * channels; });
        unroll<kColumns>([&]<std::size_t x>() SLUICE_INLINE_LAMBDA {
            if constexpr ((!kLeft || x > 0) && (!kRight || x + 1 < kColumns)) {
                const hn::Vec<D> v = hn::LoadU(d, columns[x / 3] + (x % 3) * channels);
                unroll<3>([&]<std::size_t k>() SLUICE_INLINE_LAMBDA {
                    if constexpr (x >= k && (x - k) % kStride == 0 && (x - k) / kStride < kPixels) {
                        constexpr std::size_t kPixel = (x - k) / kStride;
                        sums.v[kPixel] = hn::MulAdd(v, run.weights.v[r * 3 + k], sums.v[kPixel]);
                    }
                });
            }
        });
    });
    if (run.bounded) {
        unroll<kPixels>([&]<std::size_t p>() SLUICE_INLINE_LAMBDA {
            sums.v[p] = hn::Min(run.high, hn::Max(run.low, sums.v[p]));
        });
    }
    unroll<kPixels>([&]<std::size_t p>()
                        SLUICE_INLINE_LAMBDA { hn::StoreU(sums.v[p], d, run.to + p * channels); });
    run.from += kPixels * kStride * channels;
    run.to += kPixels * channels;
    run.pixel += kPixels;
}

// One vector of channels through all tiles, so that its weights are loaded once.
template <std::size_t kStride, std::size_t kRows, std::size_t kPixels, class D>
HWY_INLINE void run_vector(D d, const DepthwiseTile& tile, const DepthwiseRun& of, std::size_t c) {
    const Bounds bounds = bounds_of(tile.activation);
    const std::size_t channels = tile.channels;
    RunState<D, kRows> run;
    run.low = hn::Set(d, bounds.low);
    run.high = hn::Set(d, bounds.high);
    run.bounded = tile.activation.kind != ops::UnaryKind::Identity;
    run.bias = hn::LoadU(d, tile.bias + c);
    unroll<3 * kRows>([&]<std::size_t k>() SLUICE_INLINE_LAMBDA {
        run.weights.v[k] = hn::LoadU(d, tile.weights + k * channels + c);
    });
    run.from = tile.input + (tile.base + static_cast<std::ptrdiff_t>(c));
    run.to = tile.output + c;
    run.pixel = 0;
    run.channel = c;
    std::size_t inner = of.tiles;
    if (of.left && of.right && inner == 1) {
        return run_step<kStride, kPixels, true, true>(d, tile, run);
    }
    inner -= of.right ? 1 : 0;
    if (of.left) {
        run_step<kStride, kPixels, true, false>(d, tile, run);
        --inner;
    }
    for (; inner > 0; --inner) {
        run_step<kStride, kPixels, false, false>(d, tile, run);
    }
    if (of.right) {
        run_step<kStride, kPixels, false, true>(d, tile, run);
    }
}

template <std::size_t kStride, std::size_t kRows, std::size_t kPixels>
void run_tiles(const DepthwiseTile& tile, const DepthwiseRun& of) {
    for_vectors(tile.channels, [&](auto d, std::size_t c) SLUICE_INLINE_LAMBDA {
        run_vector<kStride, kRows, kPixels>(d, tile, of, c);
    });
    if (!is_bounds(tile.activation.kind)) {
        activate_all(tile.output, of.tiles * kPixels * tile.channels, tile.activation);
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
        auto sum = load(tile.bias + c);
        if (tile.residual != nullptr) {
            sum = hn::Add(sum, residual_at(d, tile, 0, c));
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

template <std::size_t kStride, std::size_t kRows>
constexpr void add_runs(DepthwiseKernels& kernels) {
    kernels.runs[kStride - 1][kRows - 2][0] = &run_tiles<kStride, kRows, kDepthwiseRunPixels[0]>;
    kernels.runs[kStride - 1][kRows - 2][1] = &run_tiles<kStride, kRows, kDepthwiseRunPixels[1]>;
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
    add_runs<1, 2>(kernels);
    add_runs<1, 3>(kernels);
    add_runs<2, 2>(kernels);
    add_runs<2, 3>(kernels);
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
