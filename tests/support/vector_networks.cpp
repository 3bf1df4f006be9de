// SPDX-License-Identifier: Apache-2.0
// The calls of gathers, scatters, normalisations, recurrent networks and quantisation.
#include <map>
#include <string>
#include <vector>

#include "tests/support/vector_call.h"

namespace sluice::testing {
namespace {

using graph::OperandId;

graph::ScaleAndBias scale_and_bias(const Call& call) {
    return {.scale = call.optional_operand("scale"), .bias = call.optional_operand("bias")};
}

// Absent where the call has none.
std::optional<std::vector<std::uint32_t>> axes_of(const Call& call) {
    return call.has("axes") ? std::optional(call.get("axes", std::vector<std::uint32_t>{}))
                            : std::nullopt;
}

template <std::size_t N>
void read_activations(const Call& call, std::array<ops::RecurrentActivation, N>& out) {
    static const std::map<std::string, ops::RecurrentActivation> kNames{
        {"relu", ops::RecurrentActivation::Relu},
        {"sigmoid", ops::RecurrentActivation::Sigmoid},
        {"tanh", ops::RecurrentActivation::Tanh}};
    const auto names = call.get("activations", std::vector<std::string>{});
    for (std::size_t i = 0; i < names.size(); ++i) {
        out.at(i) = kNames.at(names[i]);
    }
}

ops::Direction direction_of(const Call& call) {
    static const std::map<std::string, ops::Direction> kNames{
        {"forward", ops::Direction::Forward},
        {"backward", ops::Direction::Backward},
        {"both", ops::Direction::Both}};
    return kNames.at(call.get<std::string>("direction", "forward"));
}

ops::GruLayout gru_layout(const Call& call) {
    return call.get<std::string>("layout", "zrn") == "rzn" ? ops::GruLayout::Rzn
                                                           : ops::GruLayout::Zrn;
}

ops::LstmLayout lstm_layout(const Call& call) {
    return call.get<std::string>("layout", "iofg") == "ifgo" ? ops::LstmLayout::Ifgo
                                                             : ops::LstmLayout::Iofg;
}

graph::LstmOperands lstm_operands(const Call& call) {
    return {.bias = call.optional_operand("bias"),
            .recurrent_bias = call.optional_operand("recurrentBias"),
            .peephole_weight = call.optional_operand("peepholeWeight"),
            .initial_hidden_state = call.optional_operand("initialHiddenState"),
            .initial_cell_state = call.optional_operand("initialCellState")};
}

graph::GruOperands gru_operands(const Call& call) {
    return {.bias = call.optional_operand("bias"),
            .recurrent_bias = call.optional_operand("recurrentBias"),
            .initial_hidden_state = call.optional_operand("initialHiddenState")};
}

Operands batch_normalization(const Call& call) {
    ops::BatchNormalization options;
    options.axis = call.get("axis", options.axis);
    options.epsilon = call.get("epsilon", options.epsilon);
    return single(call.builder.batch_normalization(call.operand("input"), call.operand("mean"),
                                                   call.operand("variance"), options,
                                                   scale_and_bias(call)));
}

Operands instance_normalization(const Call& call) {
    ops::InstanceNormalization options;
    options.epsilon = call.get("epsilon", options.epsilon);
    options.layout = layout_of(call, "layout");
    return single(
        call.builder.instance_normalization(call.operand("input"), options, scale_and_bias(call)));
}

Operands layer_normalization(const Call& call) {
    return single(call.builder.layer_normalization(
        call.operand("input"), axes_of(call), call.get("epsilon", 1e-5), scale_and_bias(call)));
}

Operands cumulative_sum(const Call& call) {
    return single(call.builder.cumulative_sum(call.operand("input"),
                                              {.axis = call.get("axis", 0U),
                                               .exclusive = call.get("exclusive", false),
                                               .reversed = call.get("reversed", false)}));
}

Operands gru(const Call& call) {
    ops::Gru options;
    options.steps = call.get("steps", 0U);
    options.hidden_size = call.get("hiddenSize", 0U);
    options.reset_after = call.get("resetAfter", true);
    options.return_sequence = call.get("returnSequence", false);
    options.direction = direction_of(call);
    options.layout = gru_layout(call);
    read_activations(call, options.activations);
    return call.builder.gru(call.operand("input"), call.operand("weight"),
                            call.operand("recurrentWeight"), options, gru_operands(call));
}

Operands gru_cell(const Call& call) {
    ops::GruCell options;
    options.hidden_size = call.get("hiddenSize", 0U);
    options.reset_after = call.get("resetAfter", true);
    options.layout = gru_layout(call);
    read_activations(call, options.activations);
    return single(call.builder.gru_cell(call.operand("input"), call.operand("weight"),
                                        call.operand("recurrentWeight"),
                                        call.operand("hiddenState"), options, gru_operands(call)));
}

Operands lstm(const Call& call) {
    ops::Lstm options;
    options.steps = call.get("steps", 0U);
    options.hidden_size = call.get("hiddenSize", 0U);
    options.return_sequence = call.get("returnSequence", false);
    options.direction = direction_of(call);
    options.layout = lstm_layout(call);
    read_activations(call, options.activations);
    return call.builder.lstm(call.operand("input"), call.operand("weight"),
                             call.operand("recurrentWeight"), options, lstm_operands(call));
}

Operands lstm_cell(const Call& call) {
    ops::LstmCell options;
    options.hidden_size = call.get("hiddenSize", 0U);
    options.layout = lstm_layout(call);
    read_activations(call, options.activations);
    return call.builder.lstm_cell(call.operand("input"), call.operand("weight"),
                                  call.operand("recurrentWeight"), call.operand("hiddenState"),
                                  call.operand("cellState"), options, lstm_operands(call));
}

} // namespace

const std::map<std::string, BuildFunction>& network_functions() {
    static const std::map<std::string, BuildFunction> functions{
        {"batchNormalization", batch_normalization},
        {"cumulativeSum", cumulative_sum},
        {"gather",
         [](const Call& call) {
             return single(call.builder.gather(call.operand("input"), call.operand("indices"),
                                               call.get("axis", 0U)));
         }},
        {"gatherElements",
         [](const Call& call) {
             return single(call.builder.gather_elements(
                 call.operand("input"), call.operand("indices"), call.get("axis", 0U)));
         }},
        {"gatherND",
         [](const Call& call) {
             return single(call.builder.gather_nd(call.operand("input"), call.operand("indices")));
         }},
        {"gru", gru},
        {"gruCell", gru_cell},
        {"instanceNormalization", instance_normalization},
        {"layerNormalization", layer_normalization},
        {"lstm", lstm},
        {"lstmCell", lstm_cell},
        {"quantizeLinear",
         [](const Call& call) {
             return single(call.builder.quantize_linear(
                 call.operand("input"), call.operand("scale"), call.operand("zeroPoint")));
         }},
        {"reverse",
         [](const Call& call) {
             return single(call.builder.reverse(call.operand("input"), axes_of(call)));
         }},
        {"scatterElements",
         [](const Call& call) {
             return single(
                 call.builder.scatter_elements(call.operand("input"), call.operand("indices"),
                                               call.operand("updates"), call.get("axis", 0U)));
         }},
        {"scatterND",
         [](const Call& call) {
             return single(call.builder.scatter_nd(call.operand("input"), call.operand("indices"),
                                                   call.operand("updates")));
         }},
        {"tile",
         [](const Call& call) {
             return single(call.builder.tile(
                 call.operand("input"), call.get("repetitions", std::vector<std::uint32_t>{})));
         }},
        {"triangular",
         [](const Call& call) {
             return single(call.builder.triangular(
                 call.operand("input"),
                 {.upper = call.get("upper", true), .diagonal = call.get("diagonal", 0)}));
         }},
    };
    return functions;
}

} // namespace sluice::testing
