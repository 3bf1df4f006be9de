// SPDX-License-Identifier: Apache-2.0
// Mappings of recurrent networks. Gates lie in WebNN's default order; the two biases of a gate
// follow each other in one tensor.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/builder.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/gru.h"
#include "core/ops/lstm.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;
using ops::RecurrentActivation;

namespace {

// What both networks have in common.
struct Recurrent {
    OperandId x; // [steps, batch, size]
    OperandId weight;
    OperandId recurrent_weight;
    std::optional<OperandId> bias;
    std::optional<OperandId> recurrent_bias;
    std::optional<OperandId> hidden;
    std::uint32_t steps = 0;
    std::uint32_t hidden_size = 0;
    ops::Direction direction = ops::Direction::Forward;
    bool batch_first = false;
};

Result<ops::Direction> direction_of(Operation& op) {
    SLUICE_TRY_ASSIGN(const std::string text, op.text("direction", "forward"));
    if (text == "forward") {
        return ops::Direction::Forward;
    }
    if (text == "reverse") {
        return ops::Direction::Backward;
    }
    if (text == "bidirectional") {
        return ops::Direction::Both;
    }
    return fail(ErrorCode::Parse, "direction is '{}'", text);
}

// The functions of one direction; those of the other must be the same.
template <std::size_t kCount>
Status read_activations(Operation& op, std::array<RecurrentActivation, kCount>& out) {
    SLUICE_TRY_ASSIGN(const auto names, op.text_list("activations"));
    if (op.has("activation_alpha") || op.has("activation_beta")) {
        return fail(ErrorCode::Unsupported, "activations with parameters");
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::string name = names[i];
        std::ranges::transform(name, name.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        RecurrentActivation function{};
        if (name == "sigmoid") {
            function = RecurrentActivation::Sigmoid;
        } else if (name == "tanh") {
            function = RecurrentActivation::Tanh;
        } else if (name == "relu") {
            function = RecurrentActivation::Relu;
        } else {
            return fail(ErrorCode::Unsupported,
                        "the activation '{}', WebNN has relu, sigmoid and tanh", names[i]);
        }
        if (i >= kCount && out[i % kCount] != function) {
            return fail(ErrorCode::Unsupported, "other activations in the second direction");
        }
        out[i % kCount] = function;
    }
    return {};
}

// The sequences must all have the full length.
Status check_lengths(Operation& op, std::uint32_t steps) {
    if (!op.has_input(4)) {
        return {};
    }
    SLUICE_TRY_ASSIGN(const auto lengths, op.integers(4));
    if (!std::ranges::all_of(lengths, [&](std::int64_t length) { return length == steps; })) {
        return fail(ErrorCode::Unsupported, "sequences shorter than the {} steps", steps);
    }
    return {};
}

// [batch, directions, hidden] to [directions, batch, hidden], where the batch comes first.
Result<std::optional<OperandId>> state(Operation& op, std::size_t i, bool batch_first) {
    SLUICE_TRY_ASSIGN(std::optional<OperandId> given, op.optional_input(i));
    if (given && batch_first) {
        SLUICE_TRY_ASSIGN(given, op.build().transpose(*given, {1, 0, 2}, op.label()));
    }
    return given;
}

Result<Recurrent> recurrent_of(Operation& op, std::uint32_t gates) {
    Recurrent out{};
    SLUICE_TRY_ASSIGN(out.x, op.input(0));
    SLUICE_TRY_ASSIGN(out.weight, op.input(1));
    SLUICE_TRY_ASSIGN(out.recurrent_weight, op.input(2));
    SLUICE_TRY_ASSIGN(out.direction, direction_of(op));
    SLUICE_TRY_ASSIGN(const std::int64_t layout, op.integer("layout", 0));
    out.batch_first = layout != 0;
    const Shape recurrent = op.shape(out.recurrent_weight);
    if (op.shape(out.x).rank() != 3 || recurrent.rank() != 3) {
        return fail(ErrorCode::Parse, "an input or weights that have not 3 dimensions");
    }
    SLUICE_TRY_ASSIGN(const std::int64_t hidden, op.integer("hidden_size", recurrent[2]));
    SLUICE_TRY_ASSIGN(out.hidden_size, positive(hidden, "hidden_size"));
    if (op.has("clip")) {
        return fail(ErrorCode::Unsupported, "clip, which WebNN's operator lacks");
    }
    if (out.batch_first) {
        SLUICE_TRY_ASSIGN(out.x, op.build().transpose(out.x, {1, 0, 2}, op.label()));
    }
    out.steps = op.shape(out.x)[0];
    SLUICE_TRY(check_lengths(op, out.steps));
    if (op.has_input(3)) {
        SLUICE_TRY_ASSIGN(const OperandId biases, op.input(3));
        if (out.hidden_size > 0xFFFFFFFF / gates) {
            return fail(ErrorCode::Parse, "hidden_size is {}", out.hidden_size);
        }
        const std::uint32_t size = gates * out.hidden_size;
        SLUICE_TRY_ASSIGN(const auto both,
                          op.build().split(biases, {.sizes = {size, size}, .axis = 1}, op.label()));
        out.bias = both[0];
        out.recurrent_bias = both[1];
    }
    SLUICE_TRY_ASSIGN(out.hidden, state(op, 5, out.batch_first));
    return out;
}

// [steps, directions, batch, hidden] and [directions, batch, hidden], or with the batch in front.
Result<OperandId> placed(Operation& op, OperandId y, bool batch_first) {
    if (!batch_first) {
        return y;
    }
    if (op.shape(y).rank() == 4) {
        return op.build().transpose(y, {2, 0, 1, 3}, op.label());
    }
    return op.build().transpose(y, {1, 0, 2}, op.label());
}

} // namespace

Result<Outputs> map_gru(Operation& op) {
    SLUICE_TRY_ASSIGN(const Recurrent network, recurrent_of(op, 3));
    SLUICE_TRY_ASSIGN(const std::int64_t after, op.integer("linear_before_reset", 0));
    ops::Gru options{.steps = network.steps,
                     .hidden_size = network.hidden_size,
                     .reset_after = after != 0,
                     .return_sequence = op.has_output(0),
                     .direction = network.direction};
    SLUICE_TRY(read_activations(op, options.activations));
    SLUICE_TRY_ASSIGN(const auto results,
                      op.build().gru(network.x, network.weight, network.recurrent_weight, options,
                                     {.bias = network.bias,
                                      .recurrent_bias = network.recurrent_bias,
                                      .initial_hidden_state = network.hidden},
                                     op.label()));
    SLUICE_TRY_ASSIGN(const OperandId last, placed(op, results[0], network.batch_first));
    SLUICE_TRY_ASSIGN(const OperandId all, placed(op, results.back(), network.batch_first));
    return std::vector{all, last};
}

Result<Outputs> map_lstm(Operation& op) {
    SLUICE_TRY_ASSIGN(const Recurrent network, recurrent_of(op, 4));
    SLUICE_TRY_ASSIGN(const std::int64_t coupled, op.integer("input_forget", 0));
    if (coupled != 0) {
        return fail(ErrorCode::Unsupported, "coupled gates, which WebNN's operator lacks");
    }
    SLUICE_TRY_ASSIGN(const auto cell, state(op, 6, network.batch_first));
    SLUICE_TRY_ASSIGN(const auto peephole, op.optional_input(7));
    ops::Lstm options{.steps = network.steps,
                      .hidden_size = network.hidden_size,
                      .return_sequence = op.has_output(0),
                      .direction = network.direction};
    SLUICE_TRY(read_activations(op, options.activations));
    SLUICE_TRY_ASSIGN(const auto results,
                      op.build().lstm(network.x, network.weight, network.recurrent_weight, options,
                                      {.bias = network.bias,
                                       .recurrent_bias = network.recurrent_bias,
                                       .peephole_weight = peephole,
                                       .initial_hidden_state = network.hidden,
                                       .initial_cell_state = cell},
                                      op.label()));
    SLUICE_TRY_ASSIGN(const OperandId hidden, placed(op, results[0], network.batch_first));
    SLUICE_TRY_ASSIGN(const OperandId last_cell, placed(op, results[1], network.batch_first));
    SLUICE_TRY_ASSIGN(const OperandId all, placed(op, results.back(), network.batch_first));
    return std::vector{all, hidden, last_cell};
}

} // namespace sluice::models::onnx
