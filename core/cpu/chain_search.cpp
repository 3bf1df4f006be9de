// SPDX-License-Identifier: Apache-2.0
// Which runs of nodes are chains.
#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <span>
#include <utility>
#include <variant>

#include "core/cpu/chain.h"
#include "core/cpu/conv_shape.h"
#include "core/cpu/planar_kernel.h"
#include "core/ops/attributes.h"

namespace sluice::cpu {
namespace {

using graph::OperandId;

// Beyond this many channels, a matrix product over channels is as fast and needs no halo.
constexpr std::size_t kMaxInputs = 16;
constexpr std::size_t kMaxPointInputs = 128; // of a 1x1 convolution
constexpr std::size_t kMaxOutputs = 16;
constexpr std::size_t kMaxKernel = 5;
// Smaller pictures fit the cache as they are.
constexpr std::size_t kMinPixels = std::size_t{64} * 64;
constexpr std::size_t kMinWidth = 32;

bool suits(const graph::Graph& graph, const graph::Node& node) {
    const auto* op = std::get_if<ops::Conv2d>(&node.attributes);
    if (op == nullptr || op->has_residual || !require_conv(graph, node, *op)) {
        return false;
    }
    const ConvShape s = conv_shape(graph, node, *op);
    const bool plain = s.batch == 1 && s.groups == 1 && s.stride_x == 1 && s.stride_y == 1 &&
                       s.dilation_x == 1 && s.dilation_y == 1;
    const bool same = s.in_height == s.out_height && s.in_width == s.out_width &&
                      s.pad_top < s.kernel_height && s.pad_left < s.kernel_width;
    const bool kernel = (s.kernel_width == 1 || s.kernel_width == 3 || s.kernel_width == 5) &&
                        s.kernel_height <= kMaxKernel;
    const std::size_t most = s.taps() == 1 ? kMaxPointInputs : kMaxInputs;
    return plain && same && kernel && s.in_channels <= most && s.out_channels <= kMaxOutputs &&
           s.out_width >= kMinWidth && s.out_width * s.out_height >= kMinPixels;
}

class Search {
public:
    Search(const graph::Graph& graph, std::size_t first) : graph_(graph), first_(first) {}

    std::optional<Chain> run() {
        if (!suits(graph_, node(first_))) {
            return std::nullopt;
        }
        chain_.source = node(first_).inputs[0];
        if (graph_.operand(chain_.source).kind == graph::OperandKind::Constant) {
            return std::nullopt;
        }
        collect();
        while (!chain_.convs.empty() && !is_closed()) {
            chain_.convs.pop_back();
            ends_.pop_back();
        }
        if (chain_.convs.empty()) {
            return std::nullopt;
        }
        chain_.node_count = ends_.back() - first_;
        find_shuffle();
        const auto windows = std::ranges::count_if(chain_.convs, [&](const ChainConv& conv) {
            const auto& op = std::get<ops::Conv2d>(conv.node->attributes);
            return conv_shape(graph_, *conv.node, op).taps() > 1;
        });
        const bool ends_small =
            chain_.shuffled || graph_.desc(result()).shape()[3] <= kMaxPlanarOutputs;
        return windows >= 2 && ends_small ? std::optional(std::move(chain_)) : std::nullopt;
    }

private:
    [[nodiscard]] const graph::Node& node(std::size_t i) const { return graph_.nodes()[i]; }
    [[nodiscard]] OperandId result() const { return chain_.convs.back().node->outputs[0]; }

    // Goes on while nodes read nothing but pictures of the chain.
    void collect() {
        pictures_[chain_.source] = {chain_.source};
        for (std::size_t i = first_; i < graph_.nodes().size(); ++i) {
            const graph::Node& here = node(i);
            const bool inside = std::holds_alternative<ops::Conv2d>(here.attributes)
                                    ? pictures_.contains(here.inputs[0])
                                    : std::ranges::all_of(here.inputs, [&](OperandId id) {
                                          return pictures_.contains(id);
                                      });
            if (!inside) {
                return;
            }
            if (suits(graph_, here)) {
                chain_.convs.push_back({.node = &here, .inputs = pictures_[here.inputs[0]]});
                pictures_[here.outputs[0]] = {here.outputs[0]};
                ends_.push_back(i + 1);
            } else if (const auto* concat = std::get_if<ops::Concat>(&here.attributes);
                       concat != nullptr && concat->axis == 3) {
                auto& joined = pictures_[here.outputs[0]];
                for (const OperandId id : here.inputs) {
                    std::ranges::copy(pictures_[id], std::back_inserter(joined));
                }
            } else {
                return;
            }
        }
    }

    [[nodiscard]] bool is_output(OperandId id) const {
        return std::ranges::contains(graph_.outputs(), id, &graph::NamedOperand::id);
    }
    [[nodiscard]] bool is_read_from(std::size_t first, OperandId id) const {
        return is_output(id) ||
               std::ranges::any_of(graph_.nodes().subspan(first), [&](const graph::Node& reader) {
                   return std::ranges::contains(reader.inputs, id);
               });
    }
    // Whether nothing but the last convolution's result is read behind it.
    [[nodiscard]] bool is_closed() const {
        for (std::size_t i = first_; i + 1 < ends_.back(); ++i) {
            if (is_read_from(ends_.back(), node(i).outputs[0])) {
                return false;
            }
        }
        return true;
    }

    // Reshape, transpose, reshape: [1, H, W, 4 * C] to [1, 2H, 2W, C], sub-pixel by sub-pixel.
    void find_shuffle() {
        const std::size_t begin = first_ + chain_.node_count;
        if (begin + 3 > graph_.nodes().size()) {
            return;
        }
        const auto* turn = std::get_if<ops::Transpose>(&node(begin + 1).attributes);
        if (turn == nullptr || turn->permutation != std::vector<std::uint32_t>{0, 1, 3, 2, 4, 5} ||
            !std::holds_alternative<ops::Reshape>(node(begin).attributes) ||
            !std::holds_alternative<ops::Reshape>(node(begin + 2).attributes)) {
            return;
        }
        OperandId from = result();
        for (std::size_t i = begin; i < begin + 3; ++i) {
            if (node(i).inputs[0] != from || is_read_from(i + 1, from)) {
                return;
            }
            from = node(i).outputs[0];
        }
        const graph::Shape& x = graph_.desc(result()).shape();
        const std::uint32_t channels = x[3] / 4;
        if (x[3] % 4 != 0 || channels > kMaxPlanarOutputs ||
            graph_.desc(node(begin).outputs[0]).shape() !=
                graph::Shape{1, x[1], x[2], 2, 2, channels} ||
            graph_.desc(from).shape() != graph::Shape{1, 2 * x[1], 2 * x[2], channels}) {
            return;
        }
        chain_.shuffled = from;
        chain_.node_count += 3;
        find_sum(begin + 3);
    }

    void find_sum(std::size_t at) {
        if (at + 2 > graph_.nodes().size() || node(at).inputs[0] != chain_.source) {
            return;
        }
        const auto* enlarge = std::get_if<ops::Resample2d>(&node(at).attributes);
        const auto* add = std::get_if<ops::Binary>(&node(at + 1).attributes);
        if (enlarge == nullptr || enlarge->mode != ops::Interpolation::Linear ||
            enlarge->axes != std::array<std::uint32_t, 2>{1, 2} || add == nullptr ||
            add->kind != ops::BinaryKind::Add || add->activation.kind != ops::UnaryKind::Identity) {
            return;
        }
        const bool doubles =
            enlarge->sizes[0] != 0 || (enlarge->scales[0] == 2.0F && enlarge->scales[1] == 2.0F);
        const OperandId larger = node(at).outputs[0];
        const auto& inputs = node(at + 1).inputs;
        const bool joins = (inputs[0] == larger && inputs[1] == *chain_.shuffled) ||
                           (inputs[1] == larger && inputs[0] == *chain_.shuffled);
        const graph::Shape& x = graph_.desc(larger).shape();
        const graph::Shape& y = graph_.desc(*chain_.shuffled).shape();
        const bool fits = x[1] == y[1] && x[2] == y[2] && x[3] <= kMaxPlanarOutputs &&
                          (y[3] == x[3] || y[3] == 1);
        if (doubles && joins && fits && !is_read_from(at + 2, larger)) {
            chain_.sum = node(at + 1).outputs[0];
            chain_.node_count += 2;
        }
    }

    const graph::Graph& graph_;
    std::size_t first_;
    Chain chain_{};
    std::vector<std::size_t> ends_; // of each convolution: the node behind it
    std::map<OperandId, std::vector<OperandId>> pictures_; // what each is joined of
};

} // namespace

std::optional<Chain> find_chain(const graph::Graph& graph, std::size_t first) {
    return Search(graph, first).run();
}

} // namespace sluice::cpu
