// SPDX-License-Identifier: Apache-2.0
// Fusion: what follows or precedes a heavy node and can be done in its loop moves into it.
//
//   pad + conv2d               the padding becomes the convolution's
//   conv2d + add               the other summand becomes the residual, also through a pad of
//   channels node + activation          conv2d, conv_transpose2d, gemm and binary apply it to their
//   result
//
// A pattern is applied only where the value in between has no other reader and is no output. The
// fused node takes the place of the last node of its pattern, so that the order stays topological.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/passes/pass_manager.h"

namespace sluice::passes {

namespace {

using graph::index;
using graph::OperandId;

// Functions cheap enough for an epilogue; the backends' kernels know exactly these.
bool is_epilogue_function(ops::UnaryKind kind) {
    constexpr std::array kFunctions{ops::UnaryKind::Clamp,       ops::UnaryKind::Elu,
                                    ops::UnaryKind::HardSigmoid, ops::UnaryKind::HardSwish,
                                    ops::UnaryKind::Relu,        ops::UnaryKind::LeakyRelu,
                                    ops::UnaryKind::Sigmoid,     ops::UnaryKind::Tanh};
    return std::ranges::contains(kFunctions, kind);
}

class Fuser {
public:
    explicit Fuser(graph::GraphParts parts) : parts_(std::move(parts)) {
        uses_.resize(parts_.operands.size(), 0);
        producer_.resize(parts_.operands.size());
        for (std::size_t i = 0; i < parts_.nodes.size(); ++i) {
            for (const OperandId id : parts_.nodes[i].inputs) {
                ++uses_[index(id)];
            }
            for (const OperandId id : parts_.nodes[i].outputs) {
                producer_[index(id)] = i;
            }
        }
        for (const auto& output : parts_.outputs) {
            ++uses_[index(output.id)];
        }
    }

    graph::GraphParts run() && {
        dead_.resize(parts_.nodes.size(), false);
        for (std::size_t i = 0; i < parts_.nodes.size(); ++i) {
            absorb_padding(i);
            if (!fuse_activation(i)) {
                fuse_residual(i);
            }
        }
        std::vector<graph::Node> kept;
        for (std::size_t i = 0; i < parts_.nodes.size(); ++i) {
            if (!dead_[i]) {
                kept.push_back(std::move(parts_.nodes[i]));
            }
        }
        parts_.nodes = std::move(kept);
        return std::move(parts_);
    }

private:
    // The node that makes this operand, where nothing else reads the operand.
    [[nodiscard]] std::optional<std::size_t> sole_producer(OperandId id) const {
        return uses_[index(id)] == 1 ? producer_[index(id)] : std::nullopt;
    }

    template <typename Op>
    Op* attributes_of(std::size_t node) {
        return std::get_if<Op>(&parts_.nodes[node].attributes);
    }

    // Moves node `from` to the place of `to`, which it now does the work of.
    void replace(std::size_t from, std::size_t to) {
        parts_.nodes[from].outputs = parts_.nodes[to].outputs;
        parts_.nodes[to] = std::move(parts_.nodes[from]);
        dead_[from] = true;
        producer_[index(parts_.nodes[to].outputs[0])] = to;
    }

    ops::Activation* epilogue_of(std::size_t node) {
        if (auto* op = attributes_of<ops::Conv2d>(node)) {
            return &op->activation;
        }
        if (auto* op = attributes_of<ops::ConvTranspose2d>(node)) {
            return &op->activation;
        }
        if (auto* op = attributes_of<ops::Gemm>(node)) {
            return &op->activation;
        }
        if (auto* op = attributes_of<ops::Binary>(node)) {
            const bool arithmetic =
                op->kind == ops::BinaryKind::Add || op->kind == ops::BinaryKind::Sub ||
                op->kind == ops::BinaryKind::Mul || op->kind == ops::BinaryKind::Div ||
                op->kind == ops::BinaryKind::Max || op->kind == ops::BinaryKind::Min;
            return arithmetic ? &op->activation : nullptr;
        }
        return nullptr;
    }

    [[nodiscard]] bool is_float32(OperandId id) const {
        return parts_.operand(id).desc.type() == graph::DataType::Float32;
    }

    bool fuse_activation(std::size_t i) {
        const auto* function = attributes_of<ops::Unary>(i);
        if (function == nullptr || !is_epilogue_function(function->function.kind) ||
            !is_float32(parts_.nodes[i].inputs[0])) {
            return false;
        }
        const auto source = sole_producer(parts_.nodes[i].inputs[0]);
        if (!source) {
            return false;
        }
        ops::Activation* epilogue = epilogue_of(*source);
        if (epilogue == nullptr || epilogue->kind != ops::UnaryKind::Identity) {
            return false;
        }
        *epilogue = function->function;
        replace(*source, i);
        return true;
    }

    // What a convolution of this result may take as residual in place of `id`: the operand itself
    // where the shapes agree, or what a pad of trailing channels reads.
    std::optional<OperandId> residual_for(const ops::Conv2d& conv, OperandId result, OperandId id) {
        if (conv.input_layout != ops::InputLayout::Nhwc) {
            return std::nullopt;
        }
        if (parts_.operand(id).desc.shape() != parts_.operand(result).desc.shape()) {
            return std::nullopt;
        }
        const auto source = producer_[index(id)];
        if (!source || dead_[*source]) {
            return id;
        }
        const auto* pad = attributes_of<ops::Pad>(*source);
        if (pad == nullptr || pad->mode != ops::PaddingMode::Constant || pad->value != 0.0) {
            return id;
        }
        const auto is_zero = [](std::uint32_t n) { return n == 0; };
        const bool channels_only =
            std::ranges::all_of(pad->beginning, is_zero) &&
            std::ranges::all_of(std::span(pad->ending).first(pad->ending.size() - 1), is_zero);
        return channels_only ? parts_.nodes[*source].inputs[0] : id;
    }

    void fuse_residual(std::size_t i) {
        const auto* sum = attributes_of<ops::Binary>(i);
        if (sum == nullptr || sum->kind != ops::BinaryKind::Add ||
            sum->activation.kind != ops::UnaryKind::Identity ||
            !is_float32(parts_.nodes[i].inputs[0])) {
            return;
        }
        for (const std::size_t side : {std::size_t{1}, std::size_t{0}}) {
            const OperandId result = parts_.nodes[i].inputs[side];
            const OperandId other = parts_.nodes[i].inputs[1 - side];
            const auto source = sole_producer(result);
            auto* conv = source ? attributes_of<ops::Conv2d>(*source) : nullptr;
            if (conv == nullptr || conv->has_residual ||
                conv->activation.kind != ops::UnaryKind::Identity) {
                continue;
            }
            const auto residual = residual_for(*conv, result, other);
            if (!residual) {
                continue;
            }
            conv->has_residual = true;
            if (*residual != other) {
                --uses_[index(other)];
                ++uses_[index(*residual)];
            }
            parts_.nodes[*source].inputs.push_back(*residual);
            replace(*source, i);
            return;
        }
    }

    // The height and width padding of a pad that adds zeros there only.
    static std::optional<std::array<std::uint32_t, 4>> spatial(const ops::Pad& pad,
                                                               ops::InputLayout layout) {
        if (pad.beginning.size() != 4 || pad.mode != ops::PaddingMode::Constant ||
            pad.value != 0.0) {
            return std::nullopt;
        }
        const std::size_t h = layout == ops::InputLayout::Nhwc ? 1 : 2;
        const std::size_t c = layout == ops::InputLayout::Nhwc ? 3 : 1;
        if (pad.beginning[0] + pad.ending[0] + pad.beginning[c] + pad.ending[c] != 0) {
            return std::nullopt;
        }
        return std::array{pad.beginning[h], pad.ending[h], pad.beginning[h + 1], pad.ending[h + 1]};
    }

    void absorb_padding(std::size_t i) {
        auto* conv = attributes_of<ops::Conv2d>(i);
        if (conv == nullptr) {
            return;
        }
        // The pad may have other readers; it then simply stays for them.
        const auto source = producer_[index(parts_.nodes[i].inputs[0])];
        const auto* pad = source && !dead_[*source] ? attributes_of<ops::Pad>(*source) : nullptr;
        const auto extra = pad != nullptr ? spatial(*pad, conv->input_layout) : std::nullopt;
        if (!extra) {
            return;
        }
        for (std::size_t side = 0; side < 4; ++side) {
            conv->padding[side] += (*extra)[side];
        }
        const OperandId inner = parts_.nodes[*source].inputs[0];
        --uses_[index(parts_.nodes[i].inputs[0])];
        ++uses_[index(inner)];
        parts_.nodes[i].inputs[0] = inner;
    }

    graph::GraphParts parts_;
    std::vector<std::size_t> uses_;                    // readers of an operand, outputs included
    std::vector<std::optional<std::size_t>> producer_; // index of the node that makes an operand
    std::vector<bool> dead_;                           // nodes that were fused away
};

} // namespace

Result<graph::GraphParts> fusion(graph::GraphParts parts, const PassContext& context);

Result<graph::GraphParts> fusion(graph::GraphParts parts, const PassContext& /*context*/) {
    return Fuser(std::move(parts)).run();
}

} // namespace sluice::passes
