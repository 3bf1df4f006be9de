// SPDX-License-Identifier: Apache-2.0
// Strip kernels: resampling, blending and colour conversion of strips of floats.
#include "zero_copy/strip_kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "zero_copy/strip_kernels.cpp"
#include <hwy/foreach_target.h> // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sluice::zero_copy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using Words = hn::RebindToUnsigned<Floats>;
using Bytes = hn::Rebind<std::uint8_t, Floats>;
using Vec = hn::Vec<Floats>;

HWY_INLINE float mix(float a, float b, float weight) {
    return a + ((b - a) * weight);
}

void gather(const float* in, std::int32_t base, const std::int32_t* first, const float* weight,
            std::size_t count, float* out) {
    const Floats df;
    const Ints di;
    const std::size_t n = hn::Lanes(df);
    const auto shift = hn::Set(di, base);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        const auto places = hn::LoadU(di, first + x);
        const Vec w = hn::LoadU(df, weight + x);
        // When enlarging, the taps of a vector lie within one vector: a permutation is several
        // times faster than a gather.
        const auto reach = static_cast<std::size_t>(first[x + n - 1] - first[x]) + 2;
        if (reach <= n && n <= kGatherPadding) {
            const Vec table = hn::LoadU(df, in + (first[x] - base));
            const auto index = hn::Sub(places, hn::Set(di, first[x]));
            const Vec a = hn::TableLookupLanes(table, hn::IndicesFromVec(df, index));
            const Vec b =
                hn::TableLookupLanes(table, hn::IndicesFromVec(df, hn::Add(index, hn::Set(di, 1))));
            hn::StoreU(hn::MulAdd(hn::Sub(b, a), w, a), df, out + x);
            continue;
        }
        const auto index = hn::Sub(places, shift);
        const Vec a = hn::GatherIndex(df, in, index);
        const Vec b = hn::GatherIndex(df, in + 1, index);
        hn::StoreU(hn::MulAdd(hn::Sub(b, a), w, a), df, out + x);
    }
    for (; x < count; ++x) {
        const float* const at = in + (first[x] - base);
        out[x] = mix(at[0], at[1], weight[x]);
    }
}

void lerp_floats(const float* upper, const float* lower, float weight, std::size_t count,
                 float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Vec w = hn::Set(df, weight);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        const Vec a = hn::LoadU(df, upper + x);
        hn::StoreU(hn::MulAdd(hn::Sub(hn::LoadU(df, lower + x), a), w, a), df, out + x);
    }
    for (; x < count; ++x) {
        out[x] = mix(upper[x], lower[x], weight);
    }
}

HWY_INLINE Vec load_bytes(const std::uint8_t* from) {
    return hn::ConvertTo(Floats(), hn::PromoteTo(Ints(), hn::LoadU(Bytes(), from)));
}

void lerp_byte_rows(const std::uint8_t* upper, const std::uint8_t* lower, float weight, float scale,
                    std::size_t count, float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Vec w = hn::Set(df, weight);
    const Vec unit = hn::Set(df, scale);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        const Vec a = load_bytes(upper + x);
        const Vec v = hn::MulAdd(hn::Sub(load_bytes(lower + x), a), w, a);
        hn::StoreU(hn::Mul(v, unit), df, out + x);
    }
    for (; x < count; ++x) {
        out[x] = mix(static_cast<float>(upper[x]), static_cast<float>(lower[x]), weight) * scale;
    }
}

HWY_INLINE Vec word_sample(const std::uint32_t* words, int shift, hn::Vec<Words> mask) {
    const auto bits = hn::And(hn::ShiftRightSame(hn::LoadU(Words(), words), shift), mask);
    return hn::ConvertTo(Floats(), hn::BitCast(Ints(), bits));
}

void lerp_word_rows(const WordRow& upper, const WordRow& lower, const WordBits& bits,
                    float weight_y, const float* weight_x, std::size_t count, float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const auto mask = hn::Set(Words(), bits.mask);
    const Vec wy = hn::Set(df, weight_y);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        const Vec a0 = word_sample(upper.tap0 + x, bits.shift0, mask);
        const Vec a1 = word_sample(upper.tap1 + x, bits.shift1, mask);
        const Vec b0 = word_sample(lower.tap0 + x, bits.shift0, mask);
        const Vec b1 = word_sample(lower.tap1 + x, bits.shift1, mask);
        const Vec left = hn::MulAdd(hn::Sub(b0, a0), wy, a0);
        const Vec right = hn::MulAdd(hn::Sub(b1, a1), wy, a1);
        hn::StoreU(hn::MulAdd(hn::Sub(right, left), hn::LoadU(df, weight_x + x), left), df,
                   out + x);
    }
    const auto sample = [&](std::uint32_t word, int shift) {
        return static_cast<float>((word >> shift) & bits.mask);
    };
    for (; x < count; ++x) {
        const float left =
            mix(sample(upper.tap0[x], bits.shift0), sample(lower.tap0[x], bits.shift0), weight_y);
        const float right =
            mix(sample(upper.tap1[x], bits.shift1), sample(lower.tap1[x], bits.shift1), weight_y);
        out[x] = mix(left, right, weight_x[x]);
    }
}

// One output channel of a TensorTransform.
struct Channel {
    Vec x, y, z, offset, low, high;
    HWY_INLINE Channel(const TensorTransform& t, std::size_t c)
        : x(hn::Set(Floats(), t.matrix[c][0])), y(hn::Set(Floats(), t.matrix[c][1])),
          z(hn::Set(Floats(), t.matrix[c][2])), offset(hn::Set(Floats(), t.offset[c])),
          low(hn::Set(Floats(), t.minimum)), high(hn::Set(Floats(), t.maximum)) {}
    HWY_INLINE Vec operator()(Vec a, Vec b, Vec c) const {
        const Vec v = hn::MulAdd(a, x, hn::MulAdd(b, y, hn::MulAdd(c, z, offset)));
        return hn::Min(hn::Max(v, low), high);
    }
};

HWY_INLINE float convert_one(const TensorTransform& t, std::size_t channel, float a, float b,
                             float c) {
    const auto& row = t.matrix[channel];
    const float v = (a * row[0]) + (b * row[1]) + (c * row[2]) + t.offset[channel];
    return std::min(std::max(v, t.minimum), t.maximum);
}

void to_interleaved(const TensorTransform& t, const std::array<const float*, 3>& in,
                    std::size_t count, float* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Channel first(t, 0);
    const Channel second(t, 1);
    const Channel third(t, 2);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        const Vec a = hn::LoadU(df, in[0] + x);
        const Vec b = hn::LoadU(df, in[1] + x);
        const Vec c = hn::LoadU(df, in[2] + x);
        hn::StoreInterleaved3(first(a, b, c), second(a, b, c), third(a, b, c), df, out + (3 * x));
    }
    for (; x < count; ++x) {
        for (std::size_t channel = 0; channel < 3; ++channel) {
            out[(3 * x) + channel] = convert_one(t, channel, in[0][x], in[1][x], in[2][x]);
        }
    }
}

void to_planar(const TensorTransform& t, const std::array<const float*, 3>& in, std::size_t count,
               std::size_t channels, const std::array<float*, 3>& out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    for (std::size_t channel = 0; channel < channels; ++channel) {
        const Channel convert(t, channel);
        std::size_t x = 0;
        for (; x + n <= count; x += n) {
            const Vec v = convert(hn::LoadU(df, in[0] + x), hn::LoadU(df, in[1] + x),
                                  hn::LoadU(df, in[2] + x));
            hn::StoreU(v, df, out[channel] + x);
        }
        for (; x < count; ++x) {
            out[channel][x] = convert_one(t, channel, in[0][x], in[1][x], in[2][x]);
        }
    }
}

void blend_strips(const float* back, const float* mask, std::size_t count, float* fore) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        const Vec b = hn::LoadU(df, back + x);
        const Vec f = hn::LoadU(df, fore + x);
        hn::StoreU(hn::MulAdd(hn::Sub(f, b), hn::LoadU(df, mask + x), b), df, fore + x);
    }
    for (; x < count; ++x) {
        fore[x] = mix(back[x], fore[x], mask[x]);
    }
}

void blend_with_constant(float back, const float* mask, std::size_t count, float* fore) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Vec b = hn::Set(df, back);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        const Vec f = hn::LoadU(df, fore + x);
        hn::StoreU(hn::MulAdd(hn::Sub(f, b), hn::LoadU(df, mask + x), b), df, fore + x);
    }
    for (; x < count; ++x) {
        fore[x] = mix(back, fore[x], mask[x]);
    }
}

void unit_bytes(const float* in, std::size_t count, std::uint8_t* out) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const Vec top = hn::Set(df, 255.0F);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        const Vec v = hn::Min(hn::Max(hn::Mul(hn::LoadU(df, in + x), top), hn::Zero(df)), top);
        hn::StoreU(hn::DemoteTo(Bytes(), hn::NearestInt(v)), Bytes(), out + x);
    }
    for (; x < count; ++x) {
        const float v = in[x] * 255.0F;
        const float kept = v > 0.0F ? std::min(v, 255.0F) : 0.0F;
        out[x] = static_cast<std::uint8_t>(std::nearbyint(kept));
    }
}

} // namespace sluice::zero_copy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::zero_copy {

HWY_EXPORT(gather);
HWY_EXPORT(lerp_floats);
HWY_EXPORT(lerp_byte_rows);
HWY_EXPORT(lerp_word_rows);
HWY_EXPORT(to_interleaved);
HWY_EXPORT(to_planar);
HWY_EXPORT(blend_strips);
HWY_EXPORT(blend_with_constant);
HWY_EXPORT(unit_bytes);

void gather_lerp(const float* in, std::int32_t base, const std::int32_t* first, const float* weight,
                 std::size_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(gather)(in, base, first, weight, count, out);
}

void lerp_rows(const float* upper, const float* lower, float weight, std::size_t count,
               float* out) {
    HWY_DYNAMIC_DISPATCH(lerp_floats)(upper, lower, weight, count, out);
}

void lerp_bytes(const std::uint8_t* upper, const std::uint8_t* lower, float weight, float scale,
                std::size_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(lerp_byte_rows)(upper, lower, weight, scale, count, out);
}

void fetch_words(const std::byte* row, std::size_t row_bytes, std::size_t step, std::size_t offset,
                 const std::int32_t* first, std::size_t count, std::uint32_t* word) {
    for (std::size_t x = 0; x < count; ++x) {
        const std::size_t at = (static_cast<std::size_t>(first[x]) * step) + offset;
        if (at + 4 <= row_bytes) [[likely]] {
            std::memcpy(word + x, row + at, 4);
        } else {
            word[x] = 0;
            std::memcpy(word + x, row + at, at < row_bytes ? row_bytes - at : 0);
        }
    }
}

void lerp_words(const WordRow& upper, const WordRow& lower, const WordBits& bits, float weight_y,
                const float* weight_x, std::size_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(lerp_word_rows)(upper, lower, bits, weight_y, weight_x, count, out);
}

void convert_interleaved(const TensorTransform& transform, const std::array<const float*, 3>& in,
                         std::size_t count, float* out) {
    HWY_DYNAMIC_DISPATCH(to_interleaved)(transform, in, count, out);
}

void convert_planar(const TensorTransform& transform, const std::array<const float*, 3>& in,
                    std::size_t count, std::size_t channels, const std::array<float*, 3>& out) {
    HWY_DYNAMIC_DISPATCH(to_planar)(transform, in, count, channels, out);
}

void blend_rows(const float* back, const float* mask, std::size_t count, float* fore) {
    HWY_DYNAMIC_DISPATCH(blend_strips)(back, mask, count, fore);
}

void blend_constant(float back, const float* mask, std::size_t count, float* fore) {
    HWY_DYNAMIC_DISPATCH(blend_with_constant)(back, mask, count, fore);
}

void store_unit_bytes(const float* in, std::size_t count, std::uint8_t* out) {
    HWY_DYNAMIC_DISPATCH(unit_bytes)(in, count, out);
}

} // namespace sluice::zero_copy
#endif
