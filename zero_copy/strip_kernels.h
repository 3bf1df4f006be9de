// SPDX-License-Identifier: Apache-2.0
// Vectorised steps on strips of floats, chosen for the CPU at run time: resampling, blending and
// colour conversion. No function reads or writes beyond the count it is given. None allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::zero_copy {

// out[i] = lerp(in[first[i] - base], in[first[i] - base + 1], weight[i]); `first` does not fall.
// `in` is readable, if not initialised, kGatherPadding floats beyond the last tap.
inline constexpr std::size_t kGatherPadding = 16;
void gather_lerp(const float* in, std::int32_t base, const std::int32_t* first, const float* weight,
                 std::size_t count, float* out);
// out = upper + (lower - upper) * weight.
void lerp_rows(const float* upper, const float* lower, float weight, std::size_t count, float* out);
// The same from bytes, times `scale`.
void lerp_bytes(const std::uint8_t* upper, const std::uint8_t* lower, float weight, float scale,
                std::size_t count, float* out);

// Words of four bytes of a row: a pixel's two neighbouring taps when they are far from the next
// pixel's. word[i] holds row[first[i] * step + offset ...]; bytes at `row_bytes` and beyond read as
// 0.
void fetch_words(const std::byte* row, std::size_t row_bytes, std::size_t step, std::size_t offset,
                 const std::int32_t* first, std::size_t count, std::uint32_t* word);
// One component out of fetched words: bits `shift0` and up of `tap0`, `shift1` and up of `tap1`.
struct WordRow {
    const std::uint32_t* tap0;
    const std::uint32_t* tap1;
};
struct WordBits {
    int shift0;
    int shift1;
    std::uint32_t mask;
};
void lerp_words(const WordRow& upper, const WordRow& lower, const WordBits& bits, float weight_y,
                const float* weight_x, std::size_t count, float* out);

// A colour conversion into tensor values: out[c] = clamp(matrix[c] . in + offset[c]).
struct TensorTransform {
    std::array<std::array<float, 3>, 3> matrix{};
    std::array<float, 3> offset{};
    float minimum = 0.0F;
    float maximum = 0.0F;
};
void convert_interleaved(const TensorTransform& transform, const std::array<const float*, 3>& in,
                         std::size_t count, float* out);
// Channel c goes to out[c]; `channels` 1 or 3.
void convert_planar(const TensorTransform& transform, const std::array<const float*, 3>& in,
                    std::size_t count, std::size_t channels, const std::array<float*, 3>& out);

// fore = back + mask * (fore - back).
void blend_rows(const float* back, const float* mask, std::size_t count, float* fore);
void blend_constant(float back, const float* mask, std::size_t count, float* fore);

// out = clamp(in * 255, 0, 255), rounded.
void store_unit_bytes(const float* in, std::size_t count, std::uint8_t* out);

} // namespace sluice::zero_copy
