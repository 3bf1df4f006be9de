// SPDX-License-Identifier: Apache-2.0
// What the recurrent kernels share: activations of gates, products with their weights, and the
// order in which the steps of a direction run.
#pragma once

#include <cmath>
#include <cstddef>
#include <utility>

#include "core/ops/recurrent.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

[[nodiscard]] inline double activate(ops::RecurrentActivation function, double x) {
    switch (function) {
    case ops::RecurrentActivation::Relu: return x > 0.0 ? x : 0.0;
    case ops::RecurrentActivation::Sigmoid: return 1.0 / (1.0 + std::exp(-x));
    case ops::RecurrentActivation::Tanh: return std::tanh(x);
    }
    std::unreachable();
}

// The sum of products of a row of weights and a vector.
template <typename T>
[[nodiscard]] double dot(const T* row, const T* vector, std::size_t count) {
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        sum += widen(row[i]) * widen(vector[i]);
    }
    return sum;
}

// Element i of an operand that may be absent.
template <typename T>
[[nodiscard]] double element_or_zero(const T* operand, std::size_t i) {
    return operand == nullptr ? 0.0 : widen(operand[i]);
}

// Sizes of a recurrent network; a cell is one of a single step and direction.
struct RecurrentShape {
    std::size_t steps, directions, batch, input, hidden;
    bool backward; // of the first direction; the second always is

    // Elements of the state of one direction.
    [[nodiscard]] std::size_t state() const { return batch * hidden; }
    // The step of the input that direction `direction` reads as its `turn`-th.
    [[nodiscard]] std::size_t step(std::size_t direction, std::size_t turn) const {
        return backward || direction == 1 ? steps - 1 - turn : turn;
    }
};

// Which input of the node an optional operand is; kAbsent where it has none.
inline constexpr std::size_t kAbsent = 0;

// Numbers the optional operands in their order.
class OptionalInputs {
public:
    explicit OptionalInputs(std::size_t first) : next_(first) {}
    [[nodiscard]] std::size_t take(bool has) { return has ? next_++ : kAbsent; }

private:
    std::size_t next_;
};

// The elements of an optional operand that belong to a direction, or null.
template <typename T>
[[nodiscard]] const T* part_of(const runtime::KernelIo& io, std::size_t input,
                               std::size_t direction, std::size_t elements) {
    return input == kAbsent ? nullptr : io.input<T>(input) + direction * elements;
}

} // namespace sluice::reference
