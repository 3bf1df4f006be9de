// SPDX-License-Identifier: Apache-2.0
// GraphBuilder: WebNN's MLGraphBuilder, method for method.
//
// Names are WebNN's in snake_case; options are the attribute structs of core/ops. Every method
// validates as the specification says and returns the operand, or an error that names the operator
// and the label: "conv2d 'stem': groups 3 does not divide 16 input channels", or the place among
// the nodes where there is no label: "conv2d #3: ...". An id out of range is an InvalidArgument; an
// id of another builder is one too where it is out of this one's range, and cannot be told apart
// elsewhere. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/graph/graph.h"

namespace sluice::graph {

// The optional operands of the normalisations.
struct ScaleAndBias {
    std::optional<OperandId> scale{};
    std::optional<OperandId> bias{};
};

// The optional operands of gru and gru_cell; a cell takes no initial state.
struct GruOperands {
    std::optional<OperandId> bias{};
    std::optional<OperandId> recurrent_bias{};
    std::optional<OperandId> initial_hidden_state{};
};

// The optional operands of lstm and lstm_cell; a cell takes no initial states.
struct LstmOperands {
    std::optional<OperandId> bias{};
    std::optional<OperandId> recurrent_bias{};
    std::optional<OperandId> peephole_weight{};
    std::optional<OperandId> initial_hidden_state{};
    std::optional<OperandId> initial_cell_state{};
};

class GraphBuilder {
public:
    // Inputs need a unique, non-empty name.
    [[nodiscard]] Result<OperandId> input(std::string_view name, const TensorDesc& desc);
    // `data` must hold exactly desc.byte_size() bytes.
    [[nodiscard]] Result<OperandId> constant(const TensorDesc& desc, ConstantData data,
                                             std::string_view name = {});
    // A scalar of this type.
    [[nodiscard]] Result<OperandId> constant(DataType type, double value);

    // Any operator: validates, infers, appends. All methods below come down to it.
    [[nodiscard]] Result<std::vector<OperandId>> add_node(ops::Attributes attributes,
                                                          std::vector<OperandId> inputs,
                                                          std::string_view label = {});

    // Element-wise, one row of unary.def or binary.def each:
    // relu(x, label), sigmoid(x, label), ... ; add(a, b, label), mul(a, b, label), ...
    // Functions with parameters take an ops::Activation through unary().
#define SLUICE_UNARY(name, Type, domain, expression, low, high)                                    \
    [[nodiscard]] Result<OperandId> name(OperandId x, std::string_view label = {}) {               \
        return unary({.kind = ops::UnaryKind::Type}, x, label);                                    \
    }
#define SLUICE_BINARY(name, Type, domain, expression, low, high)                                   \
    [[nodiscard]] Result<OperandId> name(OperandId a, OperandId b, std::string_view label = {}) {  \
        return binary(ops::BinaryKind::Type, a, b, label);                                         \
    }
#include "core/ops/binary.def"
#include "core/ops/unary.def"
#undef SLUICE_UNARY
#undef SLUICE_BINARY
    [[nodiscard]] Result<OperandId> unary(const ops::Activation& function, OperandId x,
                                          std::string_view label = {});
    [[nodiscard]] Result<OperandId> binary(ops::BinaryKind kind, OperandId a, OperandId b,
                                           std::string_view label = {});

    [[nodiscard]] Result<OperandId> arg_min_max(OperandId x, const ops::ArgMinMax& options,
                                                std::string_view label = {});
    // has_scale and has_bias, here and below, are set from the optional operands.
    [[nodiscard]] Result<OperandId> batch_normalization(OperandId x, OperandId mean,
                                                        OperandId variance,
                                                        ops::BatchNormalization options = {},
                                                        const ScaleAndBias& operands = {},
                                                        std::string_view label = {});
    [[nodiscard]] Result<OperandId> cast(OperandId x, DataType to, std::string_view label = {});
    [[nodiscard]] Result<OperandId> concat(std::span<const OperandId> inputs, std::uint32_t axis,
                                           std::string_view label = {});
    // has_bias and has_c are set from the optional operands; epilogues must be left at defaults.
    [[nodiscard]] Result<OperandId> conv2d(OperandId x, OperandId filter, ops::Conv2d options = {},
                                           std::optional<OperandId> bias = {},
                                           std::string_view label = {});
    [[nodiscard]] Result<OperandId> conv_transpose2d(OperandId x, OperandId filter,
                                                     ops::ConvTranspose2d options = {},
                                                     std::optional<OperandId> bias = {},
                                                     std::string_view label = {});
    [[nodiscard]] Result<OperandId> cumulative_sum(OperandId x, const ops::CumulativeSum& options,
                                                   std::string_view label = {});
    [[nodiscard]] Result<OperandId> dequantize_linear(OperandId x, OperandId scale,
                                                      OperandId zero_point,
                                                      std::string_view label = {});
    [[nodiscard]] Result<OperandId> expand(OperandId x, const Shape& shape,
                                           std::string_view label = {});
    [[nodiscard]] Result<OperandId> gather(OperandId x, OperandId indices, std::uint32_t axis = 0,
                                           std::string_view label = {});
    [[nodiscard]] Result<OperandId> gather_elements(OperandId x, OperandId indices,
                                                    std::uint32_t axis = 0,
                                                    std::string_view label = {});
    [[nodiscard]] Result<OperandId> gather_nd(OperandId x, OperandId indices,
                                              std::string_view label = {});
    [[nodiscard]] Result<OperandId> gemm(OperandId a, OperandId b, ops::Gemm options = {},
                                         std::optional<OperandId> c = {},
                                         std::string_view label = {});
    // The last hidden state, and where return_sequence is set all of them.
    [[nodiscard]] Result<std::vector<OperandId>> gru(OperandId x, OperandId weight,
                                                     OperandId recurrent_weight, ops::Gru options,
                                                     const GruOperands& operands = {},
                                                     std::string_view label = {});
    [[nodiscard]] Result<OperandId> gru_cell(OperandId x, OperandId weight,
                                             OperandId recurrent_weight, OperandId hidden_state,
                                             ops::GruCell options, const GruOperands& operands = {},
                                             std::string_view label = {});
    [[nodiscard]] Result<OperandId> instance_normalization(OperandId x,
                                                           ops::InstanceNormalization options = {},
                                                           const ScaleAndBias& operands = {},
                                                           std::string_view label = {});
    // Absent axes: all but the first.
    [[nodiscard]] Result<OperandId>
    layer_normalization(OperandId x, std::optional<std::vector<std::uint32_t>> axes = {},
                        double epsilon = 1e-5, const ScaleAndBias& operands = {},
                        std::string_view label = {});
    // The last hidden state, the last cell state, and where return_sequence is set all hidden ones.
    [[nodiscard]] Result<std::vector<OperandId>> lstm(OperandId x, OperandId weight,
                                                      OperandId recurrent_weight, ops::Lstm options,
                                                      const LstmOperands& operands = {},
                                                      std::string_view label = {});
    // The new hidden and the new cell state.
    [[nodiscard]] Result<std::vector<OperandId>>
    lstm_cell(OperandId x, OperandId weight, OperandId recurrent_weight, OperandId hidden_state,
              OperandId cell_state, ops::LstmCell options, const LstmOperands& operands = {},
              std::string_view label = {});
    [[nodiscard]] Result<OperandId> matmul(OperandId a, OperandId b, std::string_view label = {});
    [[nodiscard]] Result<OperandId> pad(OperandId x, ops::Pad options, std::string_view label = {});
    [[nodiscard]] Result<OperandId> pool2d(OperandId x, const ops::Pool2d& options,
                                           std::string_view label = {});
    [[nodiscard]] Result<OperandId> quantize_linear(OperandId x, OperandId scale,
                                                    OperandId zero_point,
                                                    std::string_view label = {});
    // Absent axes: all of them.
    [[nodiscard]] Result<OperandId> reduce(ops::ReduceKind kind, OperandId x,
                                           std::optional<std::vector<std::uint32_t>> axes = {},
                                           bool keep_dimensions = false,
                                           std::string_view label = {});
    [[nodiscard]] Result<OperandId> resample2d(OperandId x, const ops::Resample2d& options,
                                               std::string_view label = {});
    [[nodiscard]] Result<OperandId> reshape(OperandId x, const Shape& shape,
                                            std::string_view label = {});
    // Absent axes: all of them.
    [[nodiscard]] Result<OperandId> reverse(OperandId x,
                                            std::optional<std::vector<std::uint32_t>> axes = {},
                                            std::string_view label = {});
    [[nodiscard]] Result<OperandId> scatter_elements(OperandId x, OperandId indices,
                                                     OperandId updates, std::uint32_t axis = 0,
                                                     std::string_view label = {});
    [[nodiscard]] Result<OperandId> scatter_nd(OperandId x, OperandId indices, OperandId updates,
                                               std::string_view label = {});
    [[nodiscard]] Result<OperandId> slice(OperandId x, ops::Slice options,
                                          std::string_view label = {});
    [[nodiscard]] Result<OperandId> softmax(OperandId x, std::uint32_t axis,
                                            std::string_view label = {});
    [[nodiscard]] Result<std::vector<OperandId>> split(OperandId x, ops::Split options,
                                                       std::string_view label = {});
    [[nodiscard]] Result<OperandId> tile(OperandId x, std::vector<std::uint32_t> repetitions,
                                         std::string_view label = {});
    // Absent permutation: the axes reversed.
    [[nodiscard]] Result<OperandId> transpose(OperandId x,
                                              std::vector<std::uint32_t> permutation = {},
                                              std::string_view label = {});
    [[nodiscard]] Result<OperandId> triangular(OperandId x, const ops::Triangular& options = {},
                                               std::string_view label = {});
    [[nodiscard]] Result<OperandId> where(OperandId condition, OperandId true_value,
                                          OperandId false_value, std::string_view label = {});

    [[nodiscard]] const TensorDesc& desc(OperandId id) const { return parts_.operand(id).desc; }
    [[nodiscard]] const Operand& operand(OperandId id) const { return parts_.operand(id); }

    // Names the graph's outputs, which must be results of nodes, and finishes. The builder is empty
    // afterwards, also after a failure.
    [[nodiscard]] Result<Graph> build(std::vector<NamedOperand> outputs);

private:
    [[nodiscard]] Result<OperandId>
    add_single(ops::Attributes attributes, std::vector<OperandId> inputs, std::string_view label);

    GraphParts parts_;
};

} // namespace sluice::graph
