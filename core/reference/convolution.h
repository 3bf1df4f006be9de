// SPDX-License-Identifier: Apache-2.0
// What the two convolutions share: the filter's layout, and the walk over the output.
#pragma once

#include <array>
#include <cstddef>

#include "core/ops/conv2d.h"
#include "core/reference/activation.h"
#include "core/reference/tensor_access.h"
#include "core/runtime/kernel.h"

namespace sluice::reference {

// Element strides of a filter by name, whichever way it is laid out.
struct FilterStrides {
    std::size_t output_channel, input_channel, row, column;
};

[[nodiscard]] inline FilterStrides filter_strides(const graph::Shape& filter,
                                                  const ops::FilterAxes& axes) {
    const Strides s = graph::strides_of(filter);
    return {.output_channel = s[axes.output_channel],
            .input_channel = s[axes.input_channel],
            .row = s[axes.height],
            .column = s[axes.width]};
}

// Writes activation(sum_at({batch, channel, row, column}) + bias) to every element of `y`.
template <typename T, typename SumAt>
void write_convolution(const Picture& y, const ops::Activation& activation, const T* bias,
                       const runtime::KernelIo& io, const SumAt& sum_at) {
    for (std::size_t n = 0; n < y.batches; ++n) {
        for (std::size_t oc = 0; oc < y.channels; ++oc) {
            for (std::size_t oy = 0; oy < y.height; ++oy) {
                for (std::size_t ox = 0; ox < y.width; ++ox) {
                    double sum = sum_at(std::array<std::size_t, 4>{n, oc, oy, ox});
                    if (bias != nullptr) {
                        sum += widen(bias[oc]);
                    }
                    const float value = evaluate(activation, static_cast<float>(sum));
                    io.output<T>(0)[y.at(n, oc, oy, ox)] = narrow<T>(static_cast<double>(value));
                }
            }
        }
    }
}

} // namespace sluice::reference
