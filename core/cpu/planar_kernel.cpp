// SPDX-License-Identifier: Apache-2.0
// The kernels behind convolutions to very few channels, once per instruction set.
#include "core/cpu/planar_kernel.h"

#include <algorithm>

#include "core/cpu/highway.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/planar_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/activation-inl.h"
#include "core/cpu/unroll-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {

using Tag = hn::CappedTag<float, kPlanarSlack>;
using Vec = hn::Vec<Tag>;
constexpr std::size_t kPlanarLanes = hn::MaxLanes(Tag());

// Vectors of pixels whose sums fit the registers, by output channels.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr std::size_t kBlockVectors[kMaxPlanarOutputs] = {8, 8, 8, 6};
#else
constexpr std::size_t kBlockVectors[kMaxPlanarOutputs] = {8, 6, 4, 3};
#endif

template <std::size_t kCount>
struct Vectors {
    Vec v[kCount];
};

// Pixels [x, x + kVectors * lanes) of the row; no more than `count` are stored.
template <std::size_t kOutputs, std::size_t kVectors>
HWY_INLINE void block(const PlanarRow& row, std::size_t x, std::size_t count, Vec low, Vec high) {
    const Tag d;
    Vectors<kOutputs * kVectors> sums;
    unroll<kOutputs>([&]<std::size_t o>() SLUICE_INLINE_LAMBDA {
        const Vec bias = hn::Set(d, row.bias[o]);
        unroll<kVectors>([&]<std::size_t v>()
                             SLUICE_INLINE_LAMBDA { sums.v[v * kOutputs + o] = bias; });
    });
    const float* HWY_RESTRICT weights = row.weights;
    for (std::size_t r = 0; r < row.row_count; ++r) {
        const float* plane = row.rows[r] + x;
        for (std::size_t i = 0; i < row.in_channels; ++i, plane += row.plane_stride) {
            for (std::size_t k = 0; k < row.kernel_width; ++k) {
                Vectors<kVectors> in;
                unroll<kVectors>([&]<std::size_t v>() SLUICE_INLINE_LAMBDA {
                    in.v[v] = hn::LoadU(d, plane + k + v * kPlanarLanes);
                });
                unroll<kOutputs>([&]<std::size_t o>() SLUICE_INLINE_LAMBDA {
                    const Vec w = hn::Set(d, weights[o]);
                    unroll<kVectors>([&]<std::size_t v>() SLUICE_INLINE_LAMBDA {
                        sums.v[v * kOutputs + o] = hn::MulAdd(w, in.v[v], sums.v[v * kOutputs + o]);
                    });
                });
                weights += kOutputs;
            }
        }
    }
    unroll<kOutputs * kVectors>([&]<std::size_t i>() SLUICE_INLINE_LAMBDA {
        sums.v[i] = hn::Min(high, hn::Max(low, sums.v[i]));
    });
    HWY_ALIGN float rest[kOutputs * kPlanarLanes];
    unroll<kVectors>([&]<std::size_t v>() SLUICE_INLINE_LAMBDA {
        const std::size_t first = v * kPlanarLanes;
        if (first >= count) {
            return;
        }
        const bool whole = first + kPlanarLanes <= count;
        float* const output = row.output + (x + first) * kOutputs;
        float* const to = whole ? output : rest;
        const Vec* const s = &sums.v[v * kOutputs];
        if constexpr (kOutputs == 1) {
            hn::StoreU(s[0], d, to);
        } else if constexpr (kOutputs == 2) {
            hn::StoreInterleaved2(s[0], s[1], d, to);
        } else if constexpr (kOutputs == 3) {
            hn::StoreInterleaved3(s[0], s[1], s[2], d, to);
        } else {
            hn::StoreInterleaved4(s[0], s[1], s[2], s[3], d, to);
        }
        if (!whole) {
            std::copy_n(rest, (count - first) * kOutputs, output);
        }
    });
}

template <std::size_t kOutputs>
void planar_row(const PlanarRow& row) {
    const Tag d;
    constexpr std::size_t kVectors = kBlockVectors[kOutputs - 1];
    constexpr std::size_t kBlock = kVectors * kPlanarLanes;
    const Bounds bounds = bounds_of(row.activation);
    const Vec low = hn::Set(d, bounds.low);
    const Vec high = hn::Set(d, bounds.high);
    std::size_t x = 0;
    for (; x + kBlock <= row.pixels; x += kBlock) {
        block<kOutputs, kVectors>(row, x, kBlock, low, high);
    }
    for (; x + 2 * kPlanarLanes <= row.pixels; x += 2 * kPlanarLanes) {
        block<kOutputs, 2>(row, x, 2 * kPlanarLanes, low, high);
    }
    for (; x < row.pixels; x += kPlanarLanes) {
        block<kOutputs, 1>(row, x, row.pixels - x, low, high);
    }
    if (!is_bounds(row.activation.kind)) {
        activate_all(row.output, row.pixels * kOutputs, row.activation);
    }
}

// Four channels of a vector of pixels: 4x4 transposes in the 128-bit blocks of the vectors.
HWY_INLINE void separate_four(const float* from, std::size_t channels, float* planes,
                              std::size_t plane_stride) {
    const Tag d;
    const hn::CappedTag<float, 4> four;
    const hn::Repartition<double, Tag> pairs;
    const auto pixel = [&](std::size_t p) HWY_ATTR {
        const auto lower = hn::LoadU(four, from + p * channels);
        if constexpr (kPlanarLanes == 8) {
            return hn::Combine(d, hn::LoadU(four, from + (p + 4) * channels), lower);
        } else {
            return lower;
        }
    };
    const Vec p0 = pixel(0);
    const Vec p1 = pixel(1);
    const Vec p2 = pixel(2);
    const Vec p3 = pixel(3);
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, p0, p1)); // c0 c0 c1 c1
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, p2, p3));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, p0, p1)); // c2 c2 c3 c3
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, p2, p3));
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, planes);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, planes + plane_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d,
               planes + 2 * plane_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d,
               planes + 3 * plane_stride);
}

void separate(const float* from, std::size_t pixels, std::size_t channels, float* planes,
              std::size_t plane_stride) {
    const Tag d;
    const std::size_t whole = pixels / kPlanarLanes * kPlanarLanes;
    std::size_t c = 0;
    if (channels == 3) {
        for (std::size_t x = 0; x < whole; x += kPlanarLanes) {
            Vec a;
            Vec b;
            Vec e;
            hn::LoadInterleaved3(d, from + x * 3, a, b, e);
            hn::StoreU(a, d, planes + x);
            hn::StoreU(b, d, planes + plane_stride + x);
            hn::StoreU(e, d, planes + 2 * plane_stride + x);
        }
        c = 3;
    }
    for (; c + 4 <= channels; c += 4) {
        for (std::size_t x = 0; x < whole; x += kPlanarLanes) {
            separate_four(from + x * channels + c, channels, planes + c * plane_stride + x,
                          plane_stride);
        }
    }
    // What vectors did not cover: the last channels, and the last pixels of all.
    for (std::size_t i = 0; i < channels; ++i) {
        for (std::size_t x = i < c ? whole : 0; x < pixels; ++x) {
            planes[i * plane_stride + x] = from[x * channels + i];
        }
    }
}

constexpr PlanarKernels kKernels = {
    .rows = {&planar_row<1>, &planar_row<2>, &planar_row<3>, &planar_row<4>},
    .separate = &separate,
};

} // namespace

const PlanarKernels& get_planar_kernels() {
    return kKernels;
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(get_planar_kernels);

const PlanarKernels& planar_kernels() {
    return HWY_DYNAMIC_DISPATCH(get_planar_kernels)();
}

} // namespace sluice::cpu
#endif
