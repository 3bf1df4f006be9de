// SPDX-License-Identifier: Apache-2.0
// Joins tensors along an axis: a dispatch for up to seven pieces.
#include "core/ops/concat.h"

#include <algorithm>
#include <array>
#include <span>
#include <variant>

#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

constexpr std::size_t kPieces = 7; // of one dispatch: the result takes one of the bindings
static_assert(kPieces + 1 == kMaxBindings);

// The largest word, in elements, of which every piece has a whole number in a line.
std::size_t elements_of_word(const graph::Graph& graph, const graph::Node& node, std::size_t axis,
                             std::size_t block, std::size_t element_bytes) {
    std::size_t elements = 1;
    for (; elements * 2 * element_bytes <= 16; elements *= 2) {
        const bool even = std::ranges::all_of(node.inputs, [&](graph::OperandId id) {
            return graph.desc(id).shape()[axis] * block % (elements * 2) == 0;
        });
        if (!even) {
            break;
        }
    }
    return elements;
}

Shader concat_shader(std::size_t word_bytes) {
    switch (word_bytes) {
    case 1: return Shader::Concat8;
    case 2: return Shader::Concat16;
    case 4: return Shader::Concat32;
    case 8: return Shader::Concat64;
    default: return Shader::Concat128;
    }
}

struct ConcatPush {
    std::uint32_t lines = 1;
    std::uint32_t line = 0;
    std::uint32_t start = 0;
    std::array<std::uint32_t, kPieces> ends{};
};

} // namespace

Status supports_concat(const Context& /*context*/, const graph::Graph& /*graph*/,
                       const graph::Node& /*node*/) {
    return {};
}

Status lower_concat(StepWriter& writer, const graph::Node& node) {
    const auto axis = std::get<ops::Concat>(node.attributes).axis;
    const graph::Graph& graph = writer.graph();
    const graph::TensorDesc& y = graph.desc(node.outputs[0]);
    const std::size_t block = graph::strides_of(y.shape())[axis];
    const std::size_t element_bytes = graph::size_of(y.type());
    const std::size_t word = elements_of_word(graph, node, axis, block, element_bytes);
    const auto words = [&](std::size_t size) {
        return static_cast<std::uint32_t>(size * block / word);
    };
    ConcatPush push{.lines =
                        static_cast<std::uint32_t>(y.element_count() / (y.shape()[axis] * block)),
                    .line = words(y.shape()[axis])};
    const std::span<const graph::OperandId> all(node.inputs);
    for (std::size_t first = 0; first < all.size(); first += kPieces) {
        const auto pieces = all.subspan(first, std::min(kPieces, all.size() - first));
        DispatchStep step{.shader = concat_shader(word * element_bytes), .groups = {}};
        std::uint32_t end = 0;
        for (std::size_t i = 0; i < kPieces; ++i) {
            // What is bound beyond the pieces is not read.
            const graph::OperandId id = pieces[std::min(i, pieces.size() - 1)];
            end += i < pieces.size() ? words(graph.desc(id).shape()[axis]) : 0;
            push.ends[i] = end;
            step.buffers.push_back({writer.region(id), Access::Read});
        }
        step.buffers.push_back({writer.region(node.outputs[0]), Access::Write});
        step.push = to_push(push);
        step.groups = line_of(std::uint64_t{push.lines} * end, 64, writer.context().profile);
        writer.dispatch(std::move(step));
        push.start += end;
    }
    return {};
}

} // namespace sluice::vulkan
