// SPDX-License-Identifier: Apache-2.0
// The tapes' calls of gathers, scatters, normalisations, recurrent networks and quantisation.
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/core/ops/tape_calls.h"

namespace sluice::testing {
namespace {

using nlohmann::json;

std::uint32_t axis_of(const CallContext& call, std::uint32_t fallback) {
    return call.options.contains("axis") ? number(call.options["axis"]) : fallback;
}

std::optional<std::vector<std::uint32_t>> axes_of(const CallContext& call) {
    return call.options.contains("axes") ? std::optional(numbers(call.options["axes"]))
                                         : std::nullopt;
}

graph::ScaleAndBias scale_and_bias(const CallContext& call) {
    return {.scale = operand(call, "scale"), .bias = operand(call, "bias")};
}

// Our types fix how many activations there are.
template <std::size_t N>
void read_activations(const CallContext& call, std::array<ops::RecurrentActivation, N>& out) {
    if (!call.options.contains("activations")) {
        return;
    }
    const json& names = call.options["activations"];
    if (names.size() != N) {
        throw Obstacle::NotExpressible;
    }
    using Activation = ops::RecurrentActivation;
    for (std::size_t i = 0; i < N; ++i) {
        read_layout(json{{"activation", names[i]}}, "activation", out[i],
                    {{"relu", Activation::Relu},
                     {"sigmoid", Activation::Sigmoid},
                     {"tanh", Activation::Tanh}});
    }
}

// What gru, lstm and their cells have in common; `sizes` is where the numbers begin.
template <typename Op>
Op recurrent(const CallContext& call, std::size_t sizes) {
    Op op;
    if constexpr (requires { op.steps; }) {
        op.steps = number(call.args.at(sizes++));
        op.return_sequence = call.options.value("returnSequence", false);
        read_layout(call.options, "direction", op.direction,
                    {{"forward", ops::Direction::Forward},
                     {"backward", ops::Direction::Backward},
                     {"both", ops::Direction::Both}});
    }
    op.hidden_size = number(call.args.at(sizes));
    if constexpr (requires { op.reset_after; }) {
        op.reset_after = call.options.value("resetAfter", true);
        read_layout(call.options, "layout", op.layout,
                    {{"zrn", ops::GruLayout::Zrn}, {"rzn", ops::GruLayout::Rzn}});
    } else {
        read_layout(call.options, "layout", op.layout,
                    {{"iofg", ops::LstmLayout::Iofg}, {"ifgo", ops::LstmLayout::Ifgo}});
    }
    read_activations(call, op.activations);
    return op;
}

graph::GruOperands gru_operands(const CallContext& call) {
    return {.bias = operand(call, "bias"),
            .recurrent_bias = operand(call, "recurrentBias"),
            .initial_hidden_state = operand(call, "initialHiddenState")};
}

graph::LstmOperands lstm_operands(const CallContext& call) {
    return {.bias = operand(call, "bias"),
            .recurrent_bias = operand(call, "recurrentBias"),
            .peephole_weight = operand(call, "peepholeWeight"),
            .initial_hidden_state = operand(call, "initialHiddenState"),
            .initial_cell_state = operand(call, "initialCellState")};
}

void add_recurrent_calls(std::map<std::string, MakeCall>& table) {
    table["gru"] = [](const CallContext& call) {
        return call.builder.gru(arg(call, 0), arg(call, 1), arg(call, 2),
                                recurrent<ops::Gru>(call, 3), gru_operands(call), call.label);
    };
    table["gruCell"] = [](const CallContext& call) {
        return single(call.builder.gru_cell(arg(call, 0), arg(call, 1), arg(call, 2), arg(call, 3),
                                            recurrent<ops::GruCell>(call, 4), gru_operands(call),
                                            call.label));
    };
    table["lstm"] = [](const CallContext& call) {
        return call.builder.lstm(arg(call, 0), arg(call, 1), arg(call, 2),
                                 recurrent<ops::Lstm>(call, 3), lstm_operands(call), call.label);
    };
    table["lstmCell"] = [](const CallContext& call) {
        return call.builder.lstm_cell(arg(call, 0), arg(call, 1), arg(call, 2), arg(call, 3),
                                      arg(call, 4), recurrent<ops::LstmCell>(call, 5),
                                      lstm_operands(call), call.label);
    };
}

void add_normalization_calls(std::map<std::string, MakeCall>& table) {
    table["batchNormalization"] = [](const CallContext& call) {
        return single(call.builder.batch_normalization(
            arg(call, 0), arg(call, 1), arg(call, 2),
            {.axis = axis_of(call, 1), .epsilon = call.options.value("epsilon", 1e-5)},
            scale_and_bias(call), call.label));
    };
    table["instanceNormalization"] = [](const CallContext& call) {
        ops::InstanceNormalization op{.epsilon = call.options.value("epsilon", 1e-5)};
        read_layout(call.options, "layout", op.layout,
                    {{"nchw", ops::InputLayout::Nchw}, {"nhwc", ops::InputLayout::Nhwc}});
        return single(call.builder.instance_normalization(arg(call, 0), op, scale_and_bias(call),
                                                          call.label));
    };
    table["layerNormalization"] = [](const CallContext& call) {
        return single(call.builder.layer_normalization(arg(call, 0), axes_of(call),
                                                       call.options.value("epsilon", 1e-5),
                                                       scale_and_bias(call), call.label));
    };
}

void add_index_calls(std::map<std::string, MakeCall>& table) {
    table["gather"] = [](const CallContext& call) {
        return single(
            call.builder.gather(arg(call, 0), arg(call, 1), axis_of(call, 0), call.label));
    };
    table["gatherElements"] = [](const CallContext& call) {
        return single(
            call.builder.gather_elements(arg(call, 0), arg(call, 1), axis_of(call, 0), call.label));
    };
    table["gatherND"] = [](const CallContext& call) {
        return single(call.builder.gather_nd(arg(call, 0), arg(call, 1), call.label));
    };
    table["scatterElements"] = [](const CallContext& call) {
        return single(call.builder.scatter_elements(arg(call, 0), arg(call, 1), arg(call, 2),
                                                    axis_of(call, 0), call.label));
    };
    table["scatterND"] = [](const CallContext& call) {
        return single(
            call.builder.scatter_nd(arg(call, 0), arg(call, 1), arg(call, 2), call.label));
    };
}

} // namespace

void add_network_calls(std::map<std::string, MakeCall>& table) {
    add_recurrent_calls(table);
    add_normalization_calls(table);
    add_index_calls(table);
    table["cumulativeSum"] = [](const CallContext& call) {
        return single(
            call.builder.cumulative_sum(arg(call, 0),
                                        {.axis = number(call.args.at(1)),
                                         .exclusive = call.options.value("exclusive", false),
                                         .reversed = call.options.value("reversed", false)},
                                        call.label));
    };
    table["quantizeLinear"] = [](const CallContext& call) {
        return single(
            call.builder.quantize_linear(arg(call, 0), arg(call, 1), arg(call, 2), call.label));
    };
    table["reverse"] = [](const CallContext& call) {
        return single(call.builder.reverse(arg(call, 0), axes_of(call), call.label));
    };
    table["tile"] = [](const CallContext& call) {
        return single(call.builder.tile(arg(call, 0), numbers(call.args.at(1)), call.label));
    };
    table["triangular"] = [](const CallContext& call) {
        return single(call.builder.triangular(arg(call, 0),
                                              {.upper = call.options.value("upper", true),
                                               .diagonal = call.options.value("diagonal", 0)},
                                              call.label));
    };
}

} // namespace sluice::testing
