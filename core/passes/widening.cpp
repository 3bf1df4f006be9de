// SPDX-License-Identifier: Apache-2.0
// Widening: what a graph computes in float16 is computed in float32, on hosts whose kernels are for
// that. Casts stand where float16 enters (inputs, constants, which folding widens for good, and
// what the graph itself casts to float16) and where it leaves (outputs).
//
// In between nothing is rounded to float16, so results are nearer to the exact ones than those of
// arithmetic in float16, and what overflows there on the way need not here.
#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/attributes.h"
#include "core/passes/pass_manager.h"

namespace sluice::passes {

namespace {

using graph::DataType;
using graph::OperandId;

class Widening {
public:
    explicit Widening(graph::GraphParts parts) : parts_(std::move(parts)) {}

    Result<graph::GraphParts> run() && {
        std::vector<graph::Node> old = std::move(parts_.nodes);
        parts_.nodes.clear();
        wide_.assign(parts_.operands.size(), graph::kNoOperand);
        same_ = wide_;
        is_output_.assign(parts_.operands.size(), false);
        for (const graph::NamedOperand& output : parts_.outputs) {
            is_output_[graph::index(output.id)] = true;
        }
        for (graph::Node& node : old) {
            SLUICE_TRY(rewrite(std::move(node)));
        }
        return std::move(parts_);
    }

private:
    [[nodiscard]] bool is_half(OperandId id) const {
        return parts_.operand(id).desc.type() == DataType::Float16;
    }

    // What a list by operand says; nothing of operands that this pass added.
    [[nodiscard]] static OperandId known(const std::vector<OperandId>& list, OperandId id) {
        return graph::index(id) < list.size() ? list[graph::index(id)] : graph::kNoOperand;
    }

    Result<OperandId> add_wide(OperandId half) {
        SLUICE_TRY_ASSIGN(
            const auto desc,
            graph::TensorDesc::create(DataType::Float32, parts_.operand(half).desc.shape()));
        return wide_[graph::index(half)] = parts_.add(
                   {.desc = desc, .kind = graph::OperandKind::Result, .name = {}, .data = {}});
    }
    void emit_cast(OperandId from, OperandId to) {
        parts_.nodes.push_back({.attributes = ops::Cast{.to = parts_.operand(to).desc.type()},
                                .inputs = {from},
                                .outputs = {to},
                                .label = {}});
    }

    // An operand in float32, cast where nobody has asked for it yet.
    Result<OperandId> widened(OperandId half) {
        if (const OperandId wide = known(wide_, half); wide != graph::kNoOperand) {
            return wide;
        }
        SLUICE_TRY_ASSIGN(const OperandId wide, add_wide(half));
        emit_cast(half, wide);
        return wide;
    }

    Status rewrite(graph::Node node) {
        const auto* cast = std::get_if<ops::Cast>(&node.attributes);
        const bool narrows = cast != nullptr && cast->to == DataType::Float16;
        if (cast != nullptr && cast->to == DataType::Float32 && is_half(node.inputs[0]) &&
            !is_output_[graph::index(node.outputs[0])]) {
            SLUICE_TRY_ASSIGN(same_[graph::index(node.outputs[0])], widened(node.inputs[0]));
            return {};
        }
        for (OperandId& input : node.inputs) {
            if (const OperandId same = known(same_, input); same != graph::kNoOperand) {
                input = same;
            } else if (is_half(input) && !narrows) {
                SLUICE_TRY_ASSIGN(input, widened(input));
            }
        }
        std::vector<std::pair<OperandId, OperandId>> leaving; // from float32, to float16
        for (OperandId& output : node.outputs) {
            if (is_half(output) && !narrows) {
                const OperandId half = output;
                SLUICE_TRY_ASSIGN(output, add_wide(half));
                if (is_output_[graph::index(half)]) {
                    leaving.emplace_back(output, half);
                }
            }
        }
        parts_.nodes.push_back(std::move(node));
        for (const auto& [wide, half] : leaving) {
            emit_cast(wide, half);
        }
        return {};
    }

    graph::GraphParts parts_;
    std::vector<OperandId> wide_; // by the float16 operand: what stands for it
    std::vector<OperandId> same_; // by the float32 operand that was cast from float16: likewise
    std::vector<bool> is_output_;
};

} // namespace

Result<graph::GraphParts> widening(graph::GraphParts parts, const PassContext& context);

Result<graph::GraphParts> widening(graph::GraphParts parts, const PassContext& context) {
    const bool has_half = std::ranges::any_of(parts.operands, [](const graph::Operand& operand) {
        return operand.desc.type() == DataType::Float16;
    });
    if (!context.on_host || !has_half) {
        return parts;
    }
    return Widening(std::move(parts)).run();
}

} // namespace sluice::passes
