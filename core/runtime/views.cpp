// SPDX-License-Identifier: Apache-2.0
// Which results of reshape, slice, split and concat lie in another tensor.
#include "core/runtime/views.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/runtime/kernel.h"

namespace sluice::runtime {

namespace {

// Whether all dimensions before the axis are 1: what is cut along it is one run of bytes.
bool is_outermost(const graph::Shape& shape, std::size_t axis) {
    return std::ranges::all_of(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis),
                               [](auto extent) { return extent == 1; });
}

class Finder {
public:
    explicit Finder(const graph::Graph& graph)
        : graph_(graph), parents_(graph.operands().size()), offsets_(graph.operands().size(), 0) {
        for (std::size_t i = 0; i < parents_.size(); ++i) {
            parents_[i] = graph::OperandId(static_cast<std::uint32_t>(i));
        }
    }

    // The root, and where the operand begins in it.
    [[nodiscard]] std::pair<graph::OperandId, std::size_t> resolve(graph::OperandId id) const {
        std::size_t offset = 0;
        while (parents_[graph::index(id)] != id) {
            offset += offsets_[graph::index(id)];
            id = parents_[graph::index(id)];
        }
        return {id, offset};
    }

    // Each makes views of all the node's results, or changes nothing and returns false.
    bool view_reshape(const graph::Node& node) {
        if (!may_lend(node.inputs[0]) || is_output(node.outputs[0])) {
            return false;
        }
        place(node.outputs[0], node.inputs[0], 0);
        return true;
    }

    bool view_slice(const graph::Node& node, const ops::Slice& op) {
        const graph::TensorDesc& x = graph_.desc(node.inputs[0]);
        const graph::TensorDesc& y = graph_.desc(node.outputs[0]);
        const auto strides = graph::strides_of(x.shape());
        // One run of bytes: all of the axes behind the last one that is cut, one item before it.
        std::size_t start = 0;
        std::size_t last_cut = 0;
        for (std::size_t axis = 0; axis < x.rank(); ++axis) {
            const bool is_strided = !op.strides.empty() && op.strides[axis] != 1;
            if (is_strided && y.shape()[axis] != 1) {
                return false;
            }
            last_cut = y.shape()[axis] == x.shape()[axis] ? last_cut : axis;
            start += op.starts[axis] * strides[axis] * graph::size_of(x.type());
        }
        if (!is_outermost(y.shape(), last_cut)) {
            return false;
        }
        if (!may_lend(node.inputs[0]) || is_output(node.outputs[0]) ||
            !is_aligned(node.inputs[0], start)) {
            return false;
        }
        place(node.outputs[0], node.inputs[0], start);
        return true;
    }

    bool view_split(const graph::Node& node, std::size_t axis) {
        if (!is_outermost(graph_.desc(node.inputs[0]).shape(), axis) || !may_lend(node.inputs[0])) {
            return false;
        }
        std::size_t start = 0;
        for (const graph::OperandId id : node.outputs) {
            if (is_output(id) || !is_aligned(node.inputs[0], start)) {
                return false;
            }
            start += graph_.desc(id).byte_size();
        }
        start = 0;
        for (const graph::OperandId id : node.outputs) {
            place(id, node.inputs[0], start);
            start += graph_.desc(id).byte_size();
        }
        return true;
    }

    bool view_concat(const graph::Node& node, std::size_t axis) {
        const graph::OperandId whole = node.outputs[0];
        if (!is_outermost(graph_.desc(whole).shape(), axis)) {
            return false;
        }
        std::vector<graph::OperandId> roots;
        std::size_t start = 0;
        for (const graph::OperandId id : node.inputs) {
            const auto [root, offset] = resolve(id);
            const std::size_t bytes = graph_.desc(id).byte_size();
            if (!may_lend(id) || offset != 0 || graph_.desc(root).byte_size() != bytes ||
                start % kTensorAlignment != 0 || std::ranges::contains(roots, root)) {
                return false;
            }
            roots.push_back(root);
            start += bytes;
        }
        start = 0;
        for (const graph::OperandId root : roots) {
            place(root, whole, start);
            start += graph_.desc(root).byte_size();
        }
        return true;
    }

private:
    [[nodiscard]] bool is_output(graph::OperandId id) const {
        return std::ranges::contains(graph_.outputs(), id, &graph::NamedOperand::id);
    }
    // Callers read and write inputs, constants and outputs.
    [[nodiscard]] bool may_lend(graph::OperandId id) const {
        const graph::OperandId root = resolve(id).first;
        return graph_.operand(root).kind == graph::OperandKind::Result && !is_output(root);
    }
    [[nodiscard]] bool is_aligned(graph::OperandId id, std::size_t start) const {
        return (resolve(id).second + start) % kTensorAlignment == 0;
    }
    void place(graph::OperandId id, graph::OperandId parent, std::size_t offset) {
        parents_[graph::index(id)] = parent;
        offsets_[graph::index(id)] = offset;
    }

    const graph::Graph& graph_;
    std::vector<graph::OperandId> parents_; // by operand: itself where it has memory of its own
    std::vector<std::size_t> offsets_;      // by operand: where it begins in its parent
};

bool only_moves(const graph::Node& node) {
    return std::holds_alternative<ops::Reshape>(node.attributes) ||
           std::holds_alternative<ops::Slice>(node.attributes) ||
           std::holds_alternative<ops::Split>(node.attributes) ||
           std::holds_alternative<ops::Concat>(node.attributes);
}

} // namespace

Views find_views(const graph::Graph& graph, std::span<const Assignment> assignments,
                 std::span<const std::size_t> runs) {
    Finder finder(graph);
    const auto on_device = [](const Assignment& assignment) {
        return assignment.backend->lowers_segments();
    };
    const bool all_on_host = std::ranges::none_of(assignments, on_device);
    Views views;
    views.moves_nothing.resize(assignments.size());
    for (std::size_t i = 0; i < assignments.size(); ++i) {
        const graph::Node& node = graph.nodes()[i];
        if (runs[i] != 1 || on_device(assignments[i]) || !only_moves(node)) {
            continue;
        }
        bool is_view = false;
        if (std::holds_alternative<ops::Reshape>(node.attributes)) {
            is_view = finder.view_reshape(node);
        } else if (!all_on_host) {
            is_view = false;
        } else if (const auto* slice = std::get_if<ops::Slice>(&node.attributes)) {
            is_view = finder.view_slice(node, *slice);
        } else if (const auto* split = std::get_if<ops::Split>(&node.attributes)) {
            is_view = finder.view_split(node, split->axis);
        } else if (const auto* concat = std::get_if<ops::Concat>(&node.attributes)) {
            is_view = finder.view_concat(node, concat->axis);
        }
        views.moves_nothing[i] = is_view ? 1 : 0;
        for (const graph::OperandId id : node.outputs) {
            views.copied_bytes += is_view ? 0 : graph.desc(id).byte_size();
        }
    }
    for (std::size_t i = 0; i < graph.operands().size(); ++i) {
        const auto [root, offset] = finder.resolve(graph::OperandId(static_cast<std::uint32_t>(i)));
        views.roots.push_back(root);
        views.offsets.push_back(offset);
    }
    return views;
}

} // namespace sluice::runtime
