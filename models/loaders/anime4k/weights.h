// SPDX-License-Identifier: Apache-2.0
// The contents of an Anime4K file: named layers of 4x4 matrices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace sluice::models::anime4k {

// A convolution with four output channels. `weights` is a list of 4x4 matrices, each column by
// column, that map four input channels to the outputs: for every group of four input channels one
// matrix (1x1), or nine (3x3) with the taps of a column together.
struct Layer {
    std::vector<float> weights;
    std::vector<float> bias; // 4
};

struct Weights {
    std::string name;                    // what the file calls itself
    std::map<std::string, Layer> layers; // by name
};

[[nodiscard]] Result<Weights> read_weights(std::span<const std::byte> bytes);

// Convolutions whose outputs lie side by side, as one dense filter.
struct Filter {
    std::uint32_t outputs = 0;
    std::uint32_t size = 0; // 1 or 3, of both axes
    std::uint32_t inputs = 0;
    std::vector<float> values; // [outputs, size, size, inputs]
    std::vector<float> bias;   // [outputs]
};

// Joins layers of `size`x`size` taps and `inputs` input channels; of a last group that the inputs
// do not fill, the missing ones are dropped. Parse where the number of weights does not fit.
[[nodiscard]] Result<Filter> join(std::span<const Layer* const> layers, std::uint32_t size,
                                  std::uint32_t inputs);

} // namespace sluice::models::anime4k
