// SPDX-License-Identifier: Apache-2.0
// Normalisation of groups of elements by their own mean and variance, for the instance and layer
// normalisations.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

#include "core/reference/tensor_access.h"

namespace sluice::reference {

// How a tensor falls into groups: `outer` has the dimensions that stay, 1 elsewhere; `inner` has
// those that a group spans.
struct Groups {
    graph::Shape outer;
    graph::Shape inner;
    Strides strides; // of the tensor
    // Of scale and bias, as seen from the tensor's axes: 0 where they repeat.
    Strides factor_strides;
};

struct Normalisation {
    double epsilon;
    std::size_t scale; // which input of the node; 0 where absent
    std::size_t bias;
};

// y = scale * (x - mean) / sqrt(variance + epsilon) + bias, group by group.
template <typename T>
void normalize(const Groups& groups, const Normalisation& how, const runtime::KernelIo& io) {
    const T* x = io.input<T>(0);
    const auto count = static_cast<double>(groups.inner.element_count());
    const std::array<Strides, 2> walk{groups.strides, groups.factor_strides};
    for_each_index(groups.outer, walk, [&](const auto& group) {
        double sum = 0.0;
        for_each_index(groups.inner, walk,
                       [&](const auto& at) { sum += widen(x[group[0] + at[0]]); });
        const double mean = sum / count;
        double squares = 0.0;
        for_each_index(groups.inner, walk, [&](const auto& at) {
            const double centred = widen(x[group[0] + at[0]]) - mean;
            squares += centred * centred;
        });
        const double deviation = std::sqrt(squares / count + how.epsilon);
        for_each_index(groups.inner, walk, [&](const auto& at) {
            const std::size_t factor = group[1] + at[1];
            const double scale = how.scale == 0 ? 1.0 : widen(io.input<T>(how.scale)[factor]);
            const double bias = how.bias == 0 ? 0.0 : widen(io.input<T>(how.bias)[factor]);
            const double centred = widen(x[group[0] + at[0]]) - mean;
            io.output<T>(0)[group[0] + at[0]] = narrow<T>(scale * centred / deviation + bias);
        });
    });
}

} // namespace sluice::reference
