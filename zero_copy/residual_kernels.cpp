// SPDX-License-Identifier: Apache-2.0
// Residual kernels: twofold upscaling and the sums of a network's residual.
#include "zero_copy/residual_kernels.h"

#include <array>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "zero_copy/residual_kernels.cpp"
#include <hwy/foreach_target.h> // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sluice::zero_copy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vec = hn::Vec<Floats>;

void upsample(const float* in, const PairWeights& weights, std::size_t count, float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Vec e0 = hn::Set(df, weights.even[0]);
    const Vec e1 = hn::Set(df, weights.even[1]);
    const Vec e2 = hn::Set(df, weights.even[2]);
    const Vec o0 = hn::Set(df, weights.odd[0]);
    const Vec o1 = hn::Set(df, weights.odd[1]);
    const Vec o2 = hn::Set(df, weights.odd[2]);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        const Vec a = hn::LoadU(df, in + x - 1);
        const Vec b = hn::LoadU(df, in + x);
        const Vec c = hn::LoadU(df, in + x + 1);
        const Vec even = hn::MulAdd(a, e0, hn::MulAdd(b, e1, hn::Mul(c, e2)));
        const Vec odd = hn::MulAdd(a, o0, hn::MulAdd(b, o1, hn::Mul(c, o2)));
        hn::StoreInterleaved2(even, odd, df, out + (2 * x));
    }
    for (; x < count; ++x) {
        const float* const at = in + x;
        out[2 * x] =
            (at[-1] * weights.even[0]) + (at[0] * weights.even[1]) + (at[1] * weights.even[2]);
        out[(2 * x) + 1] =
            (at[-1] * weights.odd[0]) + (at[0] * weights.odd[1]) + (at[1] * weights.odd[2]);
    }
}

void add_scaled_strip(const float* in, float scale, std::size_t count, float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Vec s = hn::Set(df, scale);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        hn::StoreU(hn::MulAdd(hn::LoadU(df, in + x), s, hn::LoadU(df, out + x)), df, out + x);
    }
    for (; x < count; ++x) {
        out[x] += in[x] * scale;
    }
}

void add_rgb_strip(const float* rgb, const std::array<float, 3>& scale, std::size_t count,
                   float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Vec sr = hn::Set(df, scale[0]);
    const Vec sg = hn::Set(df, scale[1]);
    const Vec sb = hn::Set(df, scale[2]);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        Vec r = sr;
        Vec g = sg;
        Vec b = sb;
        hn::LoadInterleaved3(df, rgb + (3 * x), r, g, b);
        const Vec sum =
            hn::MulAdd(r, sr, hn::MulAdd(g, sg, hn::MulAdd(b, sb, hn::LoadU(df, out + x))));
        hn::StoreU(sum, df, out + x);
    }
    for (; x < count; ++x) {
        const float* const at = rgb + (3 * x);
        out[x] += (at[0] * scale[0]) + (at[1] * scale[1]) + (at[2] * scale[2]);
    }
}

void mean_rgb(const float* upper, const float* lower, std::size_t count,
              const std::array<float*, 3>& out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Vec half = hn::Set(df, 0.5F);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        Vec r0 = half, g0 = half, b0 = half, r1 = half, g1 = half, b1 = half;
        hn::LoadInterleaved3(df, upper + (3 * x), r0, g0, b0);
        hn::LoadInterleaved3(df, lower + (3 * x), r1, g1, b1);
        hn::StoreU(hn::Mul(hn::Add(r0, r1), half), df, out[0] + x);
        hn::StoreU(hn::Mul(hn::Add(g0, g1), half), df, out[1] + x);
        hn::StoreU(hn::Mul(hn::Add(b0, b1), half), df, out[2] + x);
    }
    for (; x < count; ++x) {
        for (std::size_t c = 0; c < 3; ++c) {
            out[c][x] = (upper[(3 * x) + c] + lower[(3 * x) + c]) * 0.5F;
        }
    }
}

void shrink(const float* in, const std::array<float, 3>& weights, std::size_t count, float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Vec w0 = hn::Set(df, weights[0]);
    const Vec w1 = hn::Set(df, weights[1]);
    const Vec w2 = hn::Set(df, weights[2]);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        Vec before = w0;
        Vec at = w0;
        Vec after = w0;
        Vec unused = w0;
        hn::LoadInterleaved2(df, in + (2 * x), at, after);
        hn::LoadInterleaved2(df, in + (2 * x) - 1, before, unused);
        hn::StoreU(hn::MulAdd(before, w0, hn::MulAdd(at, w1, hn::Mul(after, w2))), df, out + x);
    }
    for (; x < count; ++x) {
        const float* const at = in + (2 * x);
        out[x] = (at[-1] * weights[0]) + (at[0] * weights[1]) + (at[1] * weights[2]);
    }
}

} // namespace sluice::zero_copy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::zero_copy {

HWY_EXPORT(upsample);
HWY_EXPORT(add_scaled_strip);
HWY_EXPORT(add_rgb_strip);
HWY_EXPORT(mean_rgb);
HWY_EXPORT(shrink);

void upsample_pairs(const float* in, const PairWeights& weights, std::size_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(upsample)(in, weights, count, out);
}

void add_scaled(const float* in, float scale, std::size_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(add_scaled_strip)(in, scale, count, out);
}

void add_weighted_rgb(const float* rgb, const std::array<float, 3>& scale, std::size_t count,
                      float* out) {
    HWY_DYNAMIC_DISPATCH(add_rgb_strip)(rgb, scale, count, out);
}

void mean_rgb_rows(const float* upper, const float* lower, std::size_t count,
                   const std::array<float*, 3>& out) {
    HWY_DYNAMIC_DISPATCH(mean_rgb)(upper, lower, count, out);
}

void shrink_pairs(const float* in, const std::array<float, 3>& weights, std::size_t count,
                  float* out) {
    HWY_DYNAMIC_DISPATCH(shrink)(in, weights, count, out);
}

} // namespace sluice::zero_copy
#endif
