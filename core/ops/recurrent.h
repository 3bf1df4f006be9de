// SPDX-License-Identifier: Apache-2.0
// What gru and lstm and their cells share: attributes, and the rules of their operands.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

enum class Direction : std::uint8_t { Forward, Backward, Both };
// The order of the gates in weights and biases: update, reset, new; input, output, forget, cell.
enum class GruLayout : std::uint8_t { Zrn, Rzn };
enum class LstmLayout : std::uint8_t { Iofg, Ifgo };
enum class RecurrentActivation : std::uint8_t { Relu, Sigmoid, Tanh };

[[nodiscard]] constexpr std::string_view name(Direction direction) {
    switch (direction) {
    case Direction::Forward: return "forward";
    case Direction::Backward: return "backward";
    case Direction::Both: return "both";
    }
    std::unreachable();
}

[[nodiscard]] constexpr std::string_view name(RecurrentActivation activation) {
    switch (activation) {
    case RecurrentActivation::Relu: return "relu";
    case RecurrentActivation::Sigmoid: return "sigmoid";
    case RecurrentActivation::Tanh: return "tanh";
    }
    std::unreachable();
}

// "sigmoid,tanh"
[[nodiscard]] inline std::string names(std::span<const RecurrentActivation> activations) {
    std::string text;
    for (const RecurrentActivation activation : activations) {
        text += text.empty() ? "" : ",";
        text += name(activation);
    }
    return text;
}

[[nodiscard]] constexpr std::uint32_t directions(Direction direction) {
    return direction == Direction::Both ? 2 : 1;
}

} // namespace sluice::ops

namespace sluice::ops::rules {

// One operand of a recurrent operator: the input's type and exactly this shape.
[[nodiscard]] inline Status recurrent_operand(const graph::TensorDesc& desc,
                                              std::string_view operand,
                                              const graph::TensorDesc& input,
                                              const graph::Shape& needed) {
    if (desc.type() != input.type()) {
        return fail(ErrorCode::InvalidArgument, "{} has type {} but input has type {}", operand,
                    graph::name(desc.type()), graph::name(input.type()));
    }
    if (desc.shape() != needed) {
        return fail(ErrorCode::InvalidArgument, "{} has shape {}, not {}", operand,
                    graph::to_string(desc.shape()), graph::to_string(needed));
    }
    return {};
}

// gates * hidden_size, the rows of the weights.
[[nodiscard]] inline Result<std::uint32_t> gate_rows(std::uint32_t hidden_size,
                                                     std::uint32_t gates) {
    const auto rows = checked_mul(hidden_size, gates);
    if (hidden_size == 0 || !rows) {
        return fail(ErrorCode::InvalidArgument, "hidden size {} is not within 1..{}", hidden_size,
                    std::uint32_t{0xFFFFFFFF} / gates);
    }
    return *rows;
}

// The steps that the call gives are the first dimension of its input.
[[nodiscard]] inline Status steps_of(const graph::TensorDesc& input, std::uint32_t steps) {
    if (steps == 0 || input.shape()[0] != steps) {
        return fail(ErrorCode::InvalidArgument, "{} steps given for an input of {}", steps,
                    graph::to_string(input));
    }
    return {};
}

// Hands out the operands of a node one by one, with their names and needed shapes.
class RecurrentOperands {
public:
    RecurrentOperands(std::span<const graph::TensorDesc> inputs, std::size_t next)
        : inputs_(inputs), next_(next) {}

    // Checks the next operand.
    [[nodiscard]] Status needs(std::string_view operand, const graph::Shape& shape) {
        return recurrent_operand(inputs_[next_++], operand, inputs_[0], shape);
    }
    // The same where it is there at all.
    [[nodiscard]] Status may_have(bool has, std::string_view operand, const graph::Shape& shape) {
        return has ? needs(operand, shape) : Status{};
    }

private:
    std::span<const graph::TensorDesc> inputs_;
    std::size_t next_;
};

} // namespace sluice::ops::rules
