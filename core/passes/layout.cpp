// SPDX-License-Identifier: Apache-2.0
// Layout: pictures NCHW become NHWC, which is what the backends' kernels take.
//
// Convolutions, pooling and the like are rewritten with a transposition before and one behind them;
// what lies between two of them and does not care for the order of its axes (element-wise
// functions, concat, pad, …) moves to the other side, so that transpositions remain only where a
// picture comes in, goes out, or meets an operator that names its axes. A graph without NCHW
// pictures is left as it is.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/passes/pass_manager.h"

namespace sluice::passes {

namespace {

using graph::OperandId;

using Order = std::array<std::uint32_t, 4>;
constexpr Order kToNhwc{0, 2, 3, 1}; // axis i of the result is axis kToNhwc[i] of NCHW
constexpr Order kToNchw{0, 3, 1, 2};

// Where axis `axis` of NCHW lies in NHWC.
std::uint32_t moved(std::uint32_t axis) {
    return kToNchw[axis];
}

template <typename T>
std::vector<T> reordered(const std::vector<T>& nchw) {
    std::vector<T> out;
    for (const std::uint32_t axis : kToNhwc) {
        out.push_back(nchw[axis]);
    }
    return out;
}

class LayoutChange {
public:
    explicit LayoutChange(graph::GraphParts parts) : parts_(std::move(parts)) {}

    Result<graph::GraphParts> run() && {
        std::vector<graph::Node> nodes = std::move(parts_.nodes);
        parts_.nodes.clear();
        for (graph::Node& node : nodes) {
            SLUICE_TRY_ASSIGN(const bool rewritten, rewrite(node));
            if (!rewritten) {
                for (const OperandId id : node.inputs) {
                    keep_nchw(id, node.label);
                }
                note_transposition(node);
                parts_.nodes.push_back(std::move(node));
            }
        }
        for (const auto& output : parts_.outputs) {
            keep_nchw(output.id, {});
        }
        return std::move(parts_);
    }

private:
    [[nodiscard]] const graph::TensorDesc& desc(OperandId id) const {
        return parts_.operand(id).desc;
    }
    [[nodiscard]] bool is_picture(OperandId id) const { return desc(id).rank() == 4; }
    // Whether the operand exists as NHWC, and as NCHW only if somebody asks.
    [[nodiscard]] bool is_nhwc(OperandId id) const { return nhwc_.contains(id); }

    void transpose(OperandId from, OperandId to, const Order& order, const std::string& label) {
        parts_.nodes.push_back(
            {.attributes = ops::Transpose{.permutation = {order.begin(), order.end()}},
             .inputs = {from},
             .outputs = {to},
             .label = label});
    }

    // A new operand for the NHWC form of this one.
    Result<OperandId> add_nhwc(OperandId nchw) {
        const graph::Shape shape = desc(nchw).shape();
        SLUICE_TRY_ASSIGN(
            const auto turned,
            graph::TensorDesc::create(desc(nchw).type(),
                                      graph::Shape{shape[0], shape[2], shape[3], shape[1]}));
        const OperandId id = parts_.add(
            {.desc = turned, .kind = graph::OperandKind::Result, .name = {}, .data = {}});
        nhwc_[nchw] = id;
        return id;
    }

    // The NHWC form, transposed now where there is none.
    Result<OperandId> nhwc(OperandId id, const std::string& label) {
        if (const auto found = nhwc_.find(id); found != nhwc_.end()) {
            return found->second;
        }
        SLUICE_TRY_ASSIGN(const OperandId turned, add_nhwc(id));
        transpose(id, turned, kToNhwc, label);
        whole_.insert(id);
        return turned;
    }

    // Makes the operand itself where only its NHWC form was computed.
    void keep_nchw(OperandId id, const std::string& label) {
        if (is_nhwc(id) && whole_.insert(id).second) {
            transpose(nhwc_.at(id), id, kToNchw, label);
        }
    }

    // A transposition of the graph's own from NHWC to NCHW: its source is the NHWC form.
    void note_transposition(const graph::Node& node) {
        const auto* op = std::get_if<ops::Transpose>(&node.attributes);
        if (op != nullptr && std::ranges::equal(op->permutation, kToNchw)) {
            nhwc_[node.outputs[0]] = node.inputs[0];
            whole_.insert(node.outputs[0]);
        }
    }

    // Emits the node on the NHWC forms of its pictures, attributes being those for NHWC already.
    Result<bool> emit(graph::Node& node, std::span<const OperandId> inputs) {
        node.inputs.assign(inputs.begin(), inputs.end());
        std::vector<OperandId> outputs;
        for (const OperandId id : node.outputs) {
            SLUICE_TRY_ASSIGN(outputs.emplace_back(), add_nhwc(id));
        }
        node.outputs = std::move(outputs);
        parts_.nodes.push_back(std::move(node));
        return true;
    }

    // The node with its first input, a picture, in NHWC.
    Result<bool> emit_first(graph::Node& node) {
        std::vector<OperandId> inputs = node.inputs;
        SLUICE_TRY_ASSIGN(inputs[0], nhwc(node.inputs[0], node.label));
        for (const OperandId id : std::span(inputs).subspan(1)) { // filters, biases, …
            keep_nchw(id, node.label);
        }
        return emit(node, inputs);
    }

    // All inputs are pictures.
    Result<bool> emit_all(graph::Node& node) {
        std::vector<OperandId> inputs;
        for (const OperandId id : node.inputs) {
            SLUICE_TRY_ASSIGN(inputs.emplace_back(), nhwc(id, node.label));
        }
        return emit(node, inputs);
    }

    // An operand that is broadcast against a picture, as it must be against the NHWC form.
    Result<OperandId> broadcast_nhwc(OperandId id, const std::string& label) {
        const graph::Shape shape = desc(id).shape();
        if (shape.rank() == 4) {
            return nhwc(id, label);
        }
        if (shape.element_count() == 1) {
            return id;
        }
        std::vector<std::uint32_t> dims(4 - shape.rank(), 1);
        dims.insert(dims.end(), shape.begin(), shape.end());
        SLUICE_TRY_ASSIGN(const auto wider,
                          graph::TensorDesc::create(desc(id).type(), graph::Shape(dims)));
        const OperandId widened =
            parts_.add({.desc = wider, .kind = graph::OperandKind::Result, .name = {}, .data = {}});
        parts_.nodes.push_back({.attributes = ops::Reshape{.shape = wider.shape()},
                                .inputs = {id},
                                .outputs = {widened},
                                .label = label});
        return nhwc(widened, label);
    }

    // The node rewritten for NHWC and emitted, or false where it stays as it is.
    Result<bool> rewrite(graph::Node& node) {
        if (auto* conv = std::get_if<ops::Conv2d>(&node.attributes)) {
            return with_layout(node, conv->input_layout, !conv->has_residual);
        }
        if (auto* conv = std::get_if<ops::ConvTranspose2d>(&node.attributes)) {
            return with_layout(node, conv->input_layout, true);
        }
        if (auto* pool = std::get_if<ops::Pool2d>(&node.attributes)) {
            return with_layout(node, pool->layout, true);
        }
        if (cancel_transposition(node)) {
            return true;
        }
        const bool worth = std::ranges::any_of(
            node.inputs, [&](OperandId id) { return is_nhwc(id) && is_picture(id); });
        if (!worth || !is_picture(node.outputs[0])) {
            return false;
        }
        return follow(node);
    }

    Result<bool> with_layout(graph::Node& node, ops::InputLayout& layout, bool possible) {
        if (layout != ops::InputLayout::Nchw || !possible) {
            return false;
        }
        layout = ops::InputLayout::Nhwc;
        return emit_first(node);
    }

    // A transposition of the graph's own to NHWC, of a picture that is NHWC already: nothing to do
    // but to read that. A graph's output keeps its own memory.
    bool cancel_transposition(const graph::Node& node) {
        const auto* op = std::get_if<ops::Transpose>(&node.attributes);
        if (op == nullptr || !std::ranges::equal(op->permutation, kToNhwc) ||
            !is_nhwc(node.inputs[0])) {
            return false;
        }
        parts_.nodes.push_back({.attributes = ops::Reshape{.shape = desc(node.outputs[0]).shape()},
                                .inputs = {nhwc_.at(node.inputs[0])},
                                .outputs = {node.outputs[0]},
                                .label = node.label});
        return true;
    }

    // Operators that work on NHWC as well, their axes renamed.
    Result<bool> follow(graph::Node& node) {
        if (std::holds_alternative<ops::Unary>(node.attributes) ||
            std::holds_alternative<ops::Cast>(node.attributes)) {
            return emit_first(node);
        }
        if (std::holds_alternative<ops::Binary>(node.attributes)) {
            std::vector<OperandId> inputs;
            for (const OperandId id : node.inputs) {
                SLUICE_TRY_ASSIGN(inputs.emplace_back(), broadcast_nhwc(id, node.label));
            }
            return emit(node, inputs);
        }
        if (std::holds_alternative<ops::QuantizeLinear>(node.attributes) ||
            std::holds_alternative<ops::DequantizeLinear>(node.attributes)) {
            const bool one_scale = desc(node.inputs[1]).element_count() == 1;
            return one_scale ? emit_first(node) : Result<bool>(false);
        }
        if (auto* concat = std::get_if<ops::Concat>(&node.attributes)) {
            concat->axis = moved(concat->axis);
            return emit_all(node);
        }
        if (auto* split = std::get_if<ops::Split>(&node.attributes)) {
            split->axis = moved(split->axis);
            return emit_first(node);
        }
        if (auto* softmax = std::get_if<ops::Softmax>(&node.attributes)) {
            softmax->axis = moved(softmax->axis);
            return emit_first(node);
        }
        if (auto* norm = std::get_if<ops::BatchNormalization>(&node.attributes)) {
            norm->axis = moved(norm->axis);
            return emit_first(node);
        }
        if (auto* pad = std::get_if<ops::Pad>(&node.attributes)) {
            pad->beginning = reordered(pad->beginning);
            pad->ending = reordered(pad->ending);
            return emit_first(node);
        }
        if (auto* slice = std::get_if<ops::Slice>(&node.attributes)) {
            slice->starts = reordered(slice->starts);
            slice->sizes = reordered(slice->sizes);
            if (!slice->strides.empty()) {
                slice->strides = reordered(slice->strides);
            }
            return emit_first(node);
        }
        if (auto* resample = std::get_if<ops::Resample2d>(&node.attributes);
            resample != nullptr && resample->axes == std::array<std::uint32_t, 2>{2, 3}) {
            resample->axes = {1, 2};
            return emit_first(node);
        }
        if (auto* reduce = std::get_if<ops::Reduce>(&node.attributes);
            reduce != nullptr && reduce->keep_dimensions) {
            for (std::uint32_t& axis : reduce->axes) {
                axis = moved(axis);
            }
            std::ranges::sort(reduce->axes);
            return emit_first(node);
        }
        return false;
    }

    graph::GraphParts parts_;
    std::map<OperandId, OperandId> nhwc_; // NHWC forms of operands NCHW
    std::set<OperandId> whole_;           // of those, the ones that exist as NCHW too
};

bool has_nchw(const graph::Node& node) {
    if (const auto* conv = std::get_if<ops::Conv2d>(&node.attributes)) {
        return conv->input_layout == ops::InputLayout::Nchw;
    }
    if (const auto* conv = std::get_if<ops::ConvTranspose2d>(&node.attributes)) {
        return conv->input_layout == ops::InputLayout::Nchw;
    }
    const auto* pool = std::get_if<ops::Pool2d>(&node.attributes);
    return pool != nullptr && pool->layout == ops::InputLayout::Nchw;
}

} // namespace

Result<graph::GraphParts> layout(graph::GraphParts parts, const PassContext& context);

Result<graph::GraphParts> layout(graph::GraphParts parts, const PassContext& /*context*/) {
    if (std::ranges::none_of(parts.nodes, has_nchw)) {
        return parts;
    }
    return LayoutChange(std::move(parts)).run();
}

} // namespace sluice::passes
