// SPDX-License-Identifier: Apache-2.0
// Blur kernels on strips of floats.
#include "zero_copy/blur_kernels.h"

#include <cstddef>
#include <cstdint>

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

void sum_bytes(const std::uint8_t* in, std::ptrdiff_t stride, std::size_t rows, std::size_t count,
               float* out) {
    const hn::ScalableTag<std::uint16_t> words;
    const hn::Rebind<std::uint8_t, decltype(words)> bytes;
    const hn::RebindToUnsigned<Floats> longs;
    const hn::RebindToSigned<Floats> ints;
    const Floats df;
    const std::size_t n = hn::Lanes(words);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        auto sum = hn::Zero(words);
        const std::uint8_t* row = in + x;
        for (std::size_t y = 0; y < rows; ++y, row += stride) {
            sum = hn::Add(sum, hn::PromoteTo(words, hn::LoadU(bytes, row)));
        }
        const auto low = hn::PromoteLowerTo(longs, sum);
        const auto high = hn::PromoteUpperTo(longs, sum);
        hn::StoreU(hn::ConvertTo(df, hn::BitCast(ints, low)), df, out + x);
        hn::StoreU(hn::ConvertTo(df, hn::BitCast(ints, high)), df, out + x + (n / 2));
    }
    for (; x < count; ++x) {
        std::uint32_t sum = 0;
        for (std::size_t y = 0; y < rows; ++y) {
            sum += in[(static_cast<std::ptrdiff_t>(y) * stride) + static_cast<std::ptrdiff_t>(x)];
        }
        out[x] = static_cast<float>(sum);
    }
}

void add_pairs(const float* in, std::size_t pairs, float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    std::size_t i = 0;
    for (; i + n <= pairs; i += n) {
        Vec even;
        Vec odd;
        hn::LoadInterleaved2(df, in + (2 * i), even, odd);
        hn::StoreU(hn::Add(even, odd), df, out + i);
    }
    for (; i < pairs; ++i) {
        out[i] = in[2 * i] + in[(2 * i) + 1];
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
HWY_EXPORT(sum_bytes);
HWY_EXPORT(add_pairs);
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

void sum_byte_rows(const std::uint8_t* in, std::ptrdiff_t stride, std::size_t rows,
                   std::size_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(sum_bytes)(in, stride, rows, count, out);
}

void sum_pairs(const float* in, std::size_t pairs, float* out) {
    HWY_DYNAMIC_DISPATCH(add_pairs)(in, pairs, out);
}

void divide_strip(const float* weight, std::size_t count, float* value) {
    HWY_DYNAMIC_DISPATCH(divide_values)(weight, count, value);
}

} // namespace sluice::zero_copy
#endif
