// SPDX-License-Identifier: Apache-2.0
// Blur kernels on strips of floats.
#include "zero_copy/blur_kernels.h"

#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "zero_copy/blur_kernels.cpp"
#include <hwy/foreach_target.h> // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sluice::zero_copy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vec = hn::Vec<Floats>;

void convolve_rows(const float* in, std::size_t stride, const float* weights, std::size_t taps,
                   std::size_t count, float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    std::size_t x = 0;
    // Two vectors at a time hide the latency of the chain of sums.
    for (; x + (2 * n) <= count; x += 2 * n) {
        Vec a = hn::Zero(df);
        Vec b = hn::Zero(df);
        for (std::size_t k = 0; k < taps; ++k) {
            const float* const from = in + (k * stride) + x;
            const Vec w = hn::Set(df, weights[k]);
            a = hn::MulAdd(hn::LoadU(df, from), w, a);
            b = hn::MulAdd(hn::LoadU(df, from + n), w, b);
        }
        hn::StoreU(a, df, out + x);
        hn::StoreU(b, df, out + x + n);
    }
    for (; x < count; ++x) {
        float sum = 0.0F;
        for (std::size_t k = 0; k < taps; ++k) {
            sum += in[(k * stride) + x] * weights[k];
        }
        out[x] = sum;
    }
}

void add_products(const float* value, const float* weight, std::size_t count, float* sum) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        hn::StoreU(
            hn::MulAdd(hn::LoadU(df, value + x), hn::LoadU(df, weight + x), hn::LoadU(df, sum + x)),
            df, sum + x);
    }
    for (; x < count; ++x) {
        sum[x] += value[x] * weight[x];
    }
}

void scale_and_offset(const float* in, float scale, float total, std::size_t count, float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Vec s = hn::Set(df, scale);
    const Vec t = hn::Set(df, total);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        hn::StoreU(hn::MulAdd(hn::LoadU(df, in + x), s, t), df, out + x);
    }
    for (; x < count; ++x) {
        out[x] = (in[x] * scale) + total;
    }
}

void add_values(const float* value, std::size_t count, float* sum) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        hn::StoreU(hn::Add(hn::LoadU(df, sum + x), hn::LoadU(df, value + x)), df, sum + x);
    }
    for (; x < count; ++x) {
        sum[x] += value[x];
    }
}

void divide_values(const float* weight, std::size_t count, float* value) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        hn::StoreU(hn::Div(hn::LoadU(df, value + x), hn::LoadU(df, weight + x)), df, value + x);
    }
    for (; x < count; ++x) {
        value[x] /= weight[x];
    }
}

} // namespace sluice::zero_copy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::zero_copy {

HWY_EXPORT(convolve_rows);
HWY_EXPORT(add_products);
HWY_EXPORT(scale_and_offset);
HWY_EXPORT(add_values);
HWY_EXPORT(divide_values);

void convolve(const float* in, std::size_t stride, const float* weights, std::size_t taps,
              std::size_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(convolve_rows)(in, stride, weights, taps, count, out);
}

void accumulate_product(const float* value, const float* weight, std::size_t count, float* sum) {
    HWY_DYNAMIC_DISPATCH(add_products)(value, weight, count, sum);
}

void scale_offset(const float* in, float scale, float total, std::size_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(scale_and_offset)(in, scale, total, count, out);
}

void accumulate_strip(const float* value, std::size_t count, float* sum) {
    HWY_DYNAMIC_DISPATCH(add_values)(value, count, sum);
}

void divide_strip(const float* weight, std::size_t count, float* value) {
    HWY_DYNAMIC_DISPATCH(divide_values)(weight, count, value);
}

} // namespace sluice::zero_copy
#endif
