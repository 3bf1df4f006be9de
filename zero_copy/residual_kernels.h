// SPDX-License-Identifier: Apache-2.0
// Vectorised steps of super-resolution on strips of floats, chosen for the CPU at run time. None
// reads or writes beyond what it says. None allocates.
#pragma once

#include <array>
#include <cstddef>

namespace sluice::zero_copy {

// Twice the samples: out[2i] and out[2i+1] from in[i-1], in[i], in[i+1] by weights. in[-1] and
// in[count] must be readable.
struct PairWeights {
    std::array<float, 3> even{};
    std::array<float, 3> odd{};
};
void upsample_pairs(const float* in, const PairWeights& weights, std::size_t count, float* out);
// out += in * scale; out += r * scale[0] + g * scale[1] + b * scale[2] of interleaved RGB.
void add_scaled(const float* in, float scale, std::size_t count, float* out);
void add_weighted_rgb(const float* rgb, const std::array<float, 3>& scale, std::size_t count,
                      float* out);
// Interleaved RGB, the mean of two rows, into three strips.
void mean_rgb_rows(const float* upper, const float* lower, std::size_t count,
                   const std::array<float*, 3>& out);
// out[i] = in[2i - 1] * weights[0] + in[2i] * weights[1] + in[2i + 1] * weights[2]; in[-1] must be
// readable.
void shrink_pairs(const float* in, const std::array<float, 3>& weights, std::size_t count,
                  float* out);

} // namespace sluice::zero_copy
