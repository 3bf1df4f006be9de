// SPDX-License-Identifier: Apache-2.0
// One node with its operands and what it must compute: the rows that every backend is judged by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/attributes.h"

namespace sluice::testing {

// An input or constant of the node, as doubles that its data type can hold exactly.
struct CaseOperand {
    graph::DataType type = graph::DataType::Float32;
    graph::Shape shape;
    bool is_constant = false;
    std::vector<double> values;
};

// What one output must be. An element may be off by absolute + relative * magnitude, the magnitude
// being the sum of the absolute values of what was added up for it.
struct Expected {
    std::vector<double> values;
    std::vector<double> magnitudes;
};

struct OpCase {
    std::string name; // "conv2d/3x3_s1_c24_relu"; also the seed of its numbers
    ops::Attributes attributes;
    std::vector<CaseOperand> operands;
    double absolute = 1e-6;
    double relative = 1e-6;
    // Worked out by a plain loop of the test, one entry per output of the node.
    std::function<std::vector<Expected>(const OpCase&)> expected;
    // Whether the CPU backend must run it by itself, without falling back.
    bool on_cpu = true;
};

// Deterministic numbers: the seed is the case's name and a position.
class Random {
public:
    explicit Random(const std::string& seed);
    [[nodiscard]] double uniform(double low, double high);
    [[nodiscard]] std::uint32_t integer(std::uint32_t low, std::uint32_t high); // both included

private:
    std::uint64_t next();
    std::uint64_t state_;
};

// An operand of random numbers in [low, high], rounded to the type; integers for integer types.
[[nodiscard]] CaseOperand random_operand(Random& random, graph::DataType type,
                                         const graph::Shape& shape, double low, double high);
[[nodiscard]] inline CaseOperand as_constant(CaseOperand operand) {
    operand.is_constant = true;
    return operand;
}

// A case of these operands, of numbers that 8 bits hold, whose results must be exact.
[[nodiscard]] OpCase
exact_case(std::string name, ops::Attributes attributes,
           const std::vector<std::pair<graph::DataType, graph::Shape>>& operands);

// The value that element type `type` stores for `value`.
[[nodiscard]] double stored(graph::DataType type, double value);

// Index arithmetic of the expected loops: the position of flat element `i` in `shape`, and back.
[[nodiscard]] std::vector<std::size_t> position_of(std::size_t i, const graph::Shape& shape);
[[nodiscard]] std::size_t flat_of(const std::vector<std::size_t>& position,
                                  const graph::Shape& shape);
// The element of `operand` that broadcasts to `position` of a result.
[[nodiscard]] double broadcast_value(const CaseOperand& operand,
                                     const std::vector<std::size_t>& position);

// The nearest integer; the even one of two.
[[nodiscard]] double round_even(double x);

// Results of a function of every element's position; magnitudes are the values'.
[[nodiscard]] Expected
for_each_position(const graph::Shape& shape,
                  const std::function<double(const std::vector<std::size_t>&)>& value);

// The graph of one case: its operands, its node, and the outputs "y0", "y1", ...
[[nodiscard]] Result<graph::Graph> build_case(const OpCase& test);
// Bytes of an operand as its tensor holds them.
[[nodiscard]] std::vector<std::byte> bytes_of(const CaseOperand& operand);

// The tables, one per family of operators.
[[nodiscard]] std::vector<OpCase> conv2d_cases();
[[nodiscard]] std::vector<OpCase> conv_transpose2d_cases();
[[nodiscard]] std::vector<OpCase> conversion_cases();
[[nodiscard]] std::vector<OpCase> elementwise_cases();
[[nodiscard]] std::vector<OpCase> index_cases();
[[nodiscard]] std::vector<OpCase> matrix_cases();
[[nodiscard]] std::vector<OpCase> movement_cases();
[[nodiscard]] std::vector<OpCase> normalization_cases();
[[nodiscard]] std::vector<OpCase> pool2d_cases();
[[nodiscard]] std::vector<OpCase> quantized_cases();
[[nodiscard]] std::vector<OpCase> recurrent_cases();
[[nodiscard]] std::vector<OpCase> reduction_cases();
[[nodiscard]] std::vector<OpCase> resample2d_cases();
[[nodiscard]] std::vector<OpCase> special_value_cases();
[[nodiscard]] std::vector<OpCase> all_cases();

} // namespace sluice::testing
