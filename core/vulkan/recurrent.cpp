// SPDX-License-Identifier: Apache-2.0
// Steps of recurrent networks: their states go back and forth between two places.
#include "core/vulkan/recurrent.h"

#include <utility>
#include <vector>

#include "core/vulkan/functions.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

// lib/recurrent.glsl
struct StepPush {
    std::uint32_t directions, batches, hidden;
    std::uint32_t steps, turn;
    std::uint32_t is_backward;
};

std::uint32_t activation_constant(ops::RecurrentActivation activation) {
    switch (activation) {
    case ops::RecurrentActivation::Relu: return function_constant(ops::UnaryKind::Relu);
    case ops::RecurrentActivation::Sigmoid: return function_constant(ops::UnaryKind::Sigmoid);
    case ops::RecurrentActivation::Tanh: return function_constant(ops::UnaryKind::Tanh);
    }
    std::unreachable();
}

std::size_t units(const Recurrent& net) {
    return std::size_t{net.directions} * net.batches * net.hidden;
}

// sums[step][direction][picture][gate * hidden + unit] of the inputs and the biases.
RegionId write_sums(StepWriter& writer, const Recurrent& net, std::uint32_t gates,
                    bool with_recurrent_bias) {
    const std::uint32_t rows = gates * net.hidden;
    const std::size_t count = std::size_t{net.steps} * net.directions * net.batches * rows;
    struct {
        std::uint32_t count, directions, batches, rows, inputs;
    } const push{.count = static_cast<std::uint32_t>(count),
                 .directions = net.directions,
                 .batches = net.batches,
                 .rows = rows,
                 .inputs = net.inputs};
    const RegionId sums = writer.scratch(count * sizeof(float));
    const RegionId x = writer.region(net.x);
    const bool recurrent_bias = with_recurrent_bias && net.recurrent_bias;
    writer.dispatch(
        {.shader =
             by_type(writer.graph(), net.x, Shader::RecurrentInput, Shader::RecurrentInputHalf),
         .constants = {std::uint32_t{net.bias.has_value()}, std::uint32_t{recurrent_bias}},
         .buffers = {{x, Access::Read},
                     {writer.region(net.weight), Access::Read},
                     {net.bias ? writer.region(*net.bias) : x, Access::Read},
                     {recurrent_bias ? writer.region(*net.recurrent_bias) : x, Access::Read},
                     {sums, Access::Write}},
         .push = to_push(push),
         .groups = line_of(count, 64, writer.context().profile)});
    return sums;
}

// A state before the first step, between steps and behind the last.
class States {
public:
    States(StepWriter& writer, const Recurrent& net, std::optional<graph::OperandId> initial,
           graph::OperandId last)
        : last_(writer.region(last)), before_(last_) {
        const std::size_t bytes = units(net) * graph::size_of(writer.graph().desc(net.x).type());
        before_ =
            initial ? writer.region(*initial) : writer.constant(std::vector<std::byte>(bytes));
        for (std::uint32_t i = 0; i < 2 && i + 1 < net.steps; ++i) {
            between_[i] = writer.scratch(bytes);
        }
    }
    [[nodiscard]] RegionId before() const { return before_; }
    [[nodiscard]] RegionId after(const Recurrent& net, std::uint32_t turn) const {
        return turn + 1 == net.steps ? last_ : between_[turn % 2];
    }
    void step(const Recurrent& net, std::uint32_t turn) { before_ = after(net, turn); }

private:
    RegionId last_;
    RegionId before_;
    std::array<RegionId, 2> between_{};
};

DispatchStep step_of(const StepWriter& writer, const Recurrent& net, std::uint32_t turn,
                     Shader single, Shader half) {
    const StepPush push{.directions = net.directions,
                        .batches = net.batches,
                        .hidden = net.hidden,
                        .steps = net.steps,
                        .turn = turn,
                        .is_backward = std::uint32_t{net.backward}};
    return {.shader = by_type(writer.graph(), net.x, single, half),
            .constants = {},
            .buffers = {},
            .push = to_push(push),
            .groups = line_of(units(net), 64, writer.context().profile)};
}

enum class GruPhase : std::uint8_t { ResetAfter, Mask, FromMasked }; // gru_step.comp

} // namespace

Status supports_recurrent(const Context& context, const graph::Graph& graph,
                          const graph::Node& node, std::uint64_t steps, std::uint64_t gates) {
    SLUICE_TRY(require_float(graph, node.inputs[0]));
    const std::uint64_t states = graph.desc(node.outputs[0]).element_count();
    const std::uint64_t most = context.profile.max_storage_range / sizeof(float);
    if (states * gates > most / steps) {
        return fail(ErrorCode::Unsupported,
                    "{} steps of {} gates of {} units are more than the {} sums that {} takes",
                    steps, gates, states, most, context.profile.name);
    }
    return {};
}

void write_gru(StepWriter& writer, const GruSteps& gru) {
    const Recurrent& net = gru.net;
    const RegionId sums = write_sums(writer, net, 3, false);
    const RegionId weights = writer.region(net.recurrent_weight);
    const RegionId bias = net.recurrent_bias ? writer.region(*net.recurrent_bias) : weights;
    States states(writer, net, net.state, net.last);
    const RegionId masked =
        gru.reset_after
            ? sums // bound, but not used
            : writer.scratch(units(net) * graph::size_of(writer.graph().desc(net.x).type()));
    const bool zrn = gru.layout == ops::GruLayout::Zrn;
    const auto write = [&](std::uint32_t turn, GruPhase phase) {
        DispatchStep step = step_of(writer, net, turn, Shader::GruStep, Shader::GruStepHalf);
        step.constants = {activation_constant(gru.activations[0]),
                          std::uint32_t{net.sequence.has_value()},
                          activation_constant(gru.activations[1]),
                          static_cast<std::uint32_t>(phase),
                          std::uint32_t{net.recurrent_bias.has_value()},
                          zrn ? 0U : 1U,
                          zrn ? 1U : 0U};
        const RegionId after = states.after(net, turn);
        step.buffers = {{sums, Access::Read},
                        {weights, Access::Read},
                        {bias, Access::Read},
                        {states.before(), Access::Read},
                        {masked, phase == GruPhase::Mask ? Access::Write : Access::Read}};
        // Bound in both phases, as the shader names them: all that the first one writes is masked.
        const bool masks = phase == GruPhase::Mask;
        step.buffers.push_back({masks ? masked : after, Access::Write});
        step.buffers.push_back(
            {masks ? masked : (net.sequence ? writer.region(*net.sequence) : after),
             Access::Write});
        writer.dispatch(std::move(step));
    };
    for (std::uint32_t turn = 0; turn < net.steps; ++turn) {
        if (gru.reset_after) {
            write(turn, GruPhase::ResetAfter);
        } else {
            write(turn, GruPhase::Mask);
            write(turn, GruPhase::FromMasked);
        }
        states.step(net, turn);
    }
}

void write_lstm(StepWriter& writer, const LstmSteps& lstm) {
    const Recurrent& net = lstm.net;
    const RegionId sums = write_sums(writer, net, 4, true);
    const RegionId weights = writer.region(net.recurrent_weight);
    const RegionId peephole = lstm.peephole ? writer.region(*lstm.peephole) : weights;
    States hidden(writer, net, net.state, net.last);
    States cell(writer, net, lstm.cell_state, lstm.last_cell);
    const bool iofg = lstm.layout == ops::LstmLayout::Iofg;
    for (std::uint32_t turn = 0; turn < net.steps; ++turn) {
        DispatchStep step = step_of(writer, net, turn, Shader::LstmStep, Shader::LstmStepHalf);
        step.constants = {activation_constant(lstm.activations[0]),
                          std::uint32_t{net.sequence.has_value()},
                          activation_constant(lstm.activations[1]),
                          activation_constant(lstm.activations[2]),
                          std::uint32_t{lstm.peephole.has_value()},
                          iofg ? 1U : 3U,
                          iofg ? 2U : 1U,
                          iofg ? 3U : 2U};
        const RegionId after = hidden.after(net, turn);
        step.buffers = {{sums, Access::Read},
                        {weights, Access::Read},
                        {peephole, Access::Read},
                        {hidden.before(), Access::Read},
                        {cell.before(), Access::Read},
                        {after, Access::Write},
                        {cell.after(net, turn), Access::Write},
                        {net.sequence ? writer.region(*net.sequence) : after, Access::Write}};
        writer.dispatch(std::move(step));
        hidden.step(net, turn);
        cell.step(net, turn);
    }
}

} // namespace sluice::vulkan
