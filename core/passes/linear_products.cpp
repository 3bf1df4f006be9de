// SPDX-License-Identifier: Apache-2.0
// Linear products: a convolution without an activation and the 1x1 convolutions that read it are
// one convolution each, whose filters are products of matrices. Applied where that takes fewer
// operations, as for a 1x1 convolution to more channels and the one back, or for a last 1x1
// convolution behind a transposed one.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "core/passes/pass_manager.h"

namespace sluice::passes {

namespace {

using graph::OperandId;

// What a node multiplies by: [output][tap][input], and one value an output.
struct Product {
    std::size_t outputs = 0, taps = 0, inputs = 0;
    bool is_diagonal = false; // one tap; outputs == inputs, nothing between different channels
    std::vector<double> weights;
    std::vector<double> bias;

    // Multiplications for a pixel.
    [[nodiscard]] double cost() const {
        return static_cast<double>(is_diagonal ? outputs : outputs * taps * inputs);
    }
};

// The cost of `second` after `first` in one.
double joined_cost(const Product& first, const Product& second) {
    return static_cast<double>(second.outputs * first.taps * first.inputs);
}

// `first` is stretched out where it is diagonal.
Product join(const Product& first, const Product& second) {
    Product product{.outputs = second.outputs, .taps = first.taps, .inputs = first.inputs};
    const std::size_t row = first.taps * first.inputs;
    product.weights.assign(second.outputs * row, 0.0);
    product.bias = second.bias;
    for (std::size_t o = 0; o < second.outputs; ++o) {
        double* const to = product.weights.data() + o * row;
        const std::size_t begin = second.is_diagonal ? o : 0;
        const std::size_t end = second.is_diagonal ? o + 1 : second.inputs;
        for (std::size_t m = begin; m < end; ++m) {
            const double factor = second.weights[second.is_diagonal ? o : o * second.inputs + m];
            product.bias[o] += factor * first.bias[m];
            if (first.is_diagonal) {
                to[m] += factor * first.weights[m];
                continue;
            }
            const double* const from = first.weights.data() + m * row;
            for (std::size_t i = 0; i < row; ++i) {
                to[i] += factor * from[i];
            }
        }
    }
    return product;
}

class Joiner {
public:
    explicit Joiner(graph::GraphParts parts) : parts_(std::move(parts)) {}

    Result<graph::GraphParts> run() && {
        for (std::size_t i = 0; i < parts_.nodes.size(); ++i) {
            SLUICE_TRY(join_readers(i));
        }
        return std::move(parts_);
    }

private:
    [[nodiscard]] const graph::Shape& shape(OperandId id) const {
        return parts_.operand(id).desc.shape();
    }
    [[nodiscard]] bool is_constant(OperandId id) const {
        return parts_.operand(id).kind == graph::OperandKind::Constant;
    }
    [[nodiscard]] std::vector<float> floats(OperandId id) const {
        const auto& operand = parts_.operand(id);
        std::vector<float> values(operand.desc.element_count());
        std::memcpy(values.data(), operand.data.bytes.data(), values.size() * sizeof(float));
        return values;
    }

    // Whether the node adds up products of its picture alone, with constants.
    template <typename Op>
    [[nodiscard]] bool is_linear(const graph::Node& node, const Op& op) const {
        return op.input_layout == ops::InputLayout::Nhwc && is_constant(node.inputs[1]) &&
               (!op.has_bias || is_constant(node.inputs[2])) && !is_constant(node.inputs[0]) &&
               parts_.operand(node.outputs[0]).desc.type() == graph::DataType::Float32;
    }

    // A node that others may be joined to.
    [[nodiscard]] bool is_first(const graph::Node& node) const {
        if (const auto* op = std::get_if<ops::Conv2d>(&node.attributes)) {
            return is_linear(node, *op) && !op->has_residual &&
                   op->activation.kind == ops::UnaryKind::Identity &&
                   (op->groups == 1 || is_point(node, *op));
        }
        const auto* op = std::get_if<ops::ConvTranspose2d>(&node.attributes);
        return op != nullptr && is_linear(node, *op) && op->groups == 1 &&
               op->activation.kind == ops::UnaryKind::Identity;
    }

    // A 1x1 convolution of all channels, or of each for itself.
    [[nodiscard]] bool is_point(const graph::Node& node, const ops::Conv2d& op) const {
        const auto filter = ops::filter_dims(shape(node.inputs[1]), op.filter_layout);
        const bool whole = op.groups == 1;
        const bool diagonal = op.groups == filter.output_channels && filter.input_channels == 1 &&
                              shape(node.inputs[0])[3] == filter.output_channels;
        return is_linear(node, op) && filter.height == 1 && filter.width == 1 &&
               op.strides == std::array<std::uint32_t, 2>{1, 1} &&
               op.padding == std::array<std::uint32_t, 4>{0, 0, 0, 0} && (whole || diagonal);
    }

    // The sizes, without the values.
    template <typename Op>
    [[nodiscard]] Product sizes(const graph::Node& node, const Op& op) const {
        const auto filter = ops::filter_dims(shape(node.inputs[1]), op.filter_layout);
        return {.outputs = filter.output_channels,
                .taps = std::size_t{filter.height} * filter.width,
                .inputs = filter.input_channels * std::size_t{op.groups},
                .is_diagonal = op.groups > 1,
                .weights = {},
                .bias = {}};
    }
    template <typename Op>
    [[nodiscard]] Product load(const graph::Node& node, const Op& op) const {
        Product product = sizes(node, op);
        const graph::Shape& dims = shape(node.inputs[1]);
        const ops::FilterAxes axes = ops::filter_axes(op.filter_layout);
        std::array<std::size_t, 4> strides{};
        for (std::size_t axis = 4, stride = 1; axis-- > 0; stride *= dims[axis]) {
            strides[axis] = stride;
        }
        const std::vector<float> filter = floats(node.inputs[1]);
        const std::size_t width = dims[axes.width];
        const std::size_t group_inputs = product.is_diagonal ? 1 : product.inputs;
        for (std::size_t o = 0; o < product.outputs; ++o) {
            for (std::size_t tap = 0; tap < product.taps; ++tap) {
                for (std::size_t i = 0; i < group_inputs; ++i) {
                    product.weights.push_back(static_cast<double>(
                        filter[o * strides[axes.output_channel] + i * strides[axes.input_channel] +
                               tap / width * strides[axes.height] +
                               tap % width * strides[axes.width]]));
                }
            }
        }
        product.bias.resize(product.outputs, 0.0);
        if (op.has_bias) {
            std::ranges::copy(floats(node.inputs[2]), product.bias.begin());
        }
        return product;
    }
    [[nodiscard]] Product product_of(const graph::Node& node, bool with_values) const {
        if (const auto* op = std::get_if<ops::Conv2d>(&node.attributes)) {
            return with_values ? load(node, *op) : sizes(node, *op);
        }
        const auto& op = std::get<ops::ConvTranspose2d>(node.attributes);
        return with_values ? load(node, op) : sizes(node, op);
    }

    // Whether node `at`, which reads the result of `first`, can be joined to it.
    [[nodiscard]] bool is_joinable(const graph::Node& first, std::size_t at) const {
        const graph::Node& node = parts_.nodes[at];
        const auto* op = std::get_if<ops::Conv2d>(&node.attributes);
        const OperandId id = first.outputs[0];
        if (op == nullptr || !is_point(node, *op) || node.inputs[0] != id ||
            std::ranges::count(node.inputs, id) != 1) {
            return false;
        }
        const bool both_diagonal =
            op->groups > 1 && product_of(first, false).is_diagonal; // gains nothing worth having
        const bool transposed = std::holds_alternative<ops::ConvTranspose2d>(first.attributes);
        return !both_diagonal && !(transposed && op->has_residual);
    }

    Status join_readers(std::size_t at) {
        if (!is_first(parts_.nodes[at])) {
            return {};
        }
        const graph::Node first = parts_.nodes[at];
        const OperandId id = first.outputs[0];
        const Product sizes = product_of(first, false);
        std::vector<std::size_t> readers;
        bool all = !std::ranges::contains(parts_.outputs, id, &graph::NamedOperand::id);
        double before = 0.0;
        double after = 0.0;
        for (std::size_t i = at + 1; i < parts_.nodes.size(); ++i) {
            if (is_joinable(first, i)) {
                const Product second = product_of(parts_.nodes[i], false);
                // By pixel of the result; a transposed convolution makes each from some taps only,
                // the same ones in both ways.
                before += second.cost();
                after += joined_cost(sizes, second);
                readers.push_back(i);
            } else if (std::ranges::contains(parts_.nodes[i].inputs, id)) {
                all = false;
            }
        }
        if (const auto* op = std::get_if<ops::ConvTranspose2d>(&first.attributes)) {
            after /= op->strides[0] * op->strides[1];
        }
        before += all ? first_cost(first, sizes) : 0.0;
        if (readers.empty() || after >= before) {
            return {};
        }
        const Product values = product_of(first, true);
        for (const std::size_t reader : readers) {
            SLUICE_TRY(replace(first, values, parts_.nodes[reader]));
        }
        return {};
    }

    static double first_cost(const graph::Node& node, const Product& sizes) {
        const auto* op = std::get_if<ops::ConvTranspose2d>(&node.attributes);
        return op == nullptr ? sizes.cost() : sizes.cost() / (op->strides[0] * op->strides[1]);
    }

    Result<OperandId> add_constant(const graph::Shape& shape, std::span<const double> values) {
        SLUICE_TRY_ASSIGN(const graph::TensorDesc desc,
                          graph::TensorDesc::create(graph::DataType::Float32, shape));
        std::vector<float> rounded(values.begin(), values.end());
        return parts_.add({.desc = desc,
                           .kind = graph::OperandKind::Constant,
                           .name = {},
                           .data = graph::ConstantData::copy(std::span<const float>(rounded))});
    }

    // Makes `node` do its own work and that of `first`.
    Status replace(const graph::Node& first, const Product& values, graph::Node& node) {
        const auto own = std::get<ops::Conv2d>(node.attributes);
        const Product product = join(values, product_of(node, true));
        const auto kernel = [&](const auto& op) {
            const auto filter = ops::filter_dims(shape(first.inputs[1]), op.filter_layout);
            return graph::Shape{static_cast<std::uint32_t>(product.outputs), filter.height,
                                filter.width, static_cast<std::uint32_t>(product.inputs)};
        };
        graph::Shape filter_shape;
        if (const auto* op = std::get_if<ops::Conv2d>(&first.attributes)) {
            ops::Conv2d joined = *op;
            filter_shape = kernel(*op);
            joined.filter_layout = ops::Conv2dFilterLayout::Ohwi;
            joined.groups = 1;
            joined.has_bias = true;
            joined.has_residual = own.has_residual;
            joined.activation = own.activation;
            node.attributes = joined;
        } else {
            ops::ConvTranspose2d joined = std::get<ops::ConvTranspose2d>(first.attributes);
            filter_shape = kernel(joined);
            joined.filter_layout = ops::ConvTranspose2dFilterLayout::Ohwi;
            joined.has_bias = true;
            joined.activation = own.activation;
            node.attributes = joined;
        }
        SLUICE_TRY_ASSIGN(const OperandId filter, add_constant(filter_shape, product.weights));
        SLUICE_TRY_ASSIGN(
            const OperandId bias,
            add_constant(graph::Shape{static_cast<std::uint32_t>(product.outputs)}, product.bias));
        std::vector<OperandId> inputs{first.inputs[0], filter, bias};
        if (own.has_residual) {
            inputs.push_back(node.inputs.back());
        }
        node.inputs = std::move(inputs);
        return {};
    }

    graph::GraphParts parts_;
};

} // namespace

Result<graph::GraphParts> linear_products(graph::GraphParts parts, const PassContext& context);

Result<graph::GraphParts> linear_products(graph::GraphParts parts, const PassContext& /*context*/) {
    return Joiner(std::move(parts)).run();
}

} // namespace sluice::passes
