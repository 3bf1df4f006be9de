// SPDX-License-Identifier: Apache-2.0
// Vectorised steps of blurs, chosen for the CPU at run time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::zero_copy {

// out[x] = sum over k of weights[k] * in[k * stride + x]: a horizontal convolution with a stride of
// 1, a vertical one with a stride of a row. `in` and `out` do not overlap.
void convolve(const float* in, std::size_t stride, const float* weights, std::size_t taps,
              std::size_t count, float* out);
// sum += value * weight.
void accumulate_product(const float* value, const float* weight, std::size_t count, float* sum);
// out = total + in * scale.
void scale_offset(const float* in, float scale, float total, std::size_t count, float* out);
// sum += value.
void accumulate_strip(const float* value, std::size_t count, float* sum);
// out[x] = the sum of the bytes of `rows` rows, at most 256 of them.
void sum_byte_rows(const std::uint8_t* in, std::ptrdiff_t stride, std::size_t rows,
                   std::size_t count, float* out);
// out[i] = in[2 * i] + in[2 * i + 1]; `out` may be `in`.
void sum_pairs(const float* in, std::size_t pairs, float* out);
// value /= weight.
void divide_strip(const float* weight, std::size_t count, float* value);

} // namespace sluice::zero_copy
