// SPDX-License-Identifier: Apache-2.0
// Mappings of convolutions, products, pooling and resizing. Pictures are NHWC; filters are
// [height, width, in, out], and [height, width, in, multiplier] for depthwise ones.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"
#include "core/ops/conv_transpose2d.h"
#include "core/ops/pool2d.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tensorflow/convolution.h"
#include "models/loaders/tensorflow/resize.h"
#include "models/loaders/text.h"
#include "models/loaders/tfjs/mappings.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {

using graph::OperandId;
using graph::Shape;
using tensorflow::Picture;
using tensorflow::Sliding;

namespace {

Status require_nhwc(const Operation& op) {
    SLUICE_TRY_ASSIGN(const std::string format, op.text("data_format"));
    if (!format.empty() && format != "NHWC") {
        return fail(ErrorCode::Unsupported, "the data format {}", clean_text(format));
    }
    return {};
}

// Height and width of an attribute that lists one number a dimension; 1 where it is absent.
Result<std::array<std::int64_t, 2>> pair(const Operation& op, std::string_view name) {
    SLUICE_TRY_ASSIGN(const auto values, op.integer_list(name));
    if (values.empty()) {
        return std::array<std::int64_t, 2>{1, 1};
    }
    if (values.size() != 4 || values[0] != 1 || values[3] != 1) {
        return fail(ErrorCode::Unsupported, "'{}' along the batch or the channels", name);
    }
    return std::array{values[1], values[2]};
}

Result<Sliding> sliding_of(const Operation& op) {
    SLUICE_TRY(require_nhwc(op));
    Sliding sliding;
    SLUICE_TRY_ASSIGN(sliding.strides, pair(op, "strides"));
    SLUICE_TRY_ASSIGN(sliding.dilations, pair(op, "dilations"));
    SLUICE_TRY_ASSIGN(const std::string padding, op.text("padding"));
    if (padding == "SAME") {
        sliding.padding = tensorflow::Padding::Same;
        return sliding;
    }
    if (padding == "VALID") {
        return sliding;
    }
    SLUICE_TRY_ASSIGN(const auto amounts, op.integer_list("explicit_paddings"));
    if (padding != "EXPLICIT" || amounts.size() != 8) {
        return fail(ErrorCode::Parse, "padding '{}' with {} amounts", clean_text(padding),
                    amounts.size());
    }
    std::array<std::uint32_t, 4> explicit_amounts{};
    for (std::size_t i = 0; i < 4; ++i) {
        if (!std::in_range<std::uint32_t>(amounts[2 + i])) {
            return fail(ErrorCode::Parse, "a padding of {}", amounts[2 + i]);
        }
        explicit_amounts[i] = static_cast<std::uint32_t>(amounts[2 + i]);
    }
    sliding.amounts = explicit_amounts;
    return sliding;
}

// What a fused operator does behind its product: its bias, and the function with its operand.
struct Epilogue {
    std::optional<OperandId> bias;
    std::string function;
    std::optional<OperandId> slope; // of Prelu
};

Result<Epilogue> epilogue_of(Operation& op) {
    Epilogue out;
    SLUICE_TRY_ASSIGN(const auto names, op.text_list("fused_ops"));
    std::size_t next = 2;
    for (const std::string& name : names) {
        if (name == "BiasAdd" && !out.bias && out.function.empty()) {
            SLUICE_TRY_ASSIGN(out.bias, op.input(next++));
        } else if (out.function.empty()) {
            out.function = name;
        } else {
            return fail(ErrorCode::Unsupported, "{} fused behind {}", clean_text(name),
                        clean_text(out.function));
        }
    }
    if (out.function == "Prelu") {
        SLUICE_TRY_ASSIGN(out.slope, op.input(next));
    }
    return out;
}

Result<Outputs> finish(Operation& op, OperandId x, const Epilogue& epilogue) {
    using ops::UnaryKind;
    const std::string& function = epilogue.function;
    if (function.empty()) {
        return x;
    }
    if (function == "Relu") {
        return op.build().relu(x, op.label());
    }
    if (function == "Relu6") {
        return tensorflow::clamp(op, x, 0.0, 6.0);
    }
    if (function == "Elu") {
        return op.build().unary({.kind = UnaryKind::Elu, .alpha = 1.0}, x, op.label());
    }
    if (function == "LeakyRelu") {
        SLUICE_TRY_ASSIGN(const double alpha, op.real("leakyrelu_alpha", 0.2));
        return op.build().unary({.kind = UnaryKind::LeakyRelu, .alpha = alpha}, x, op.label());
    }
    if (function == "Sigmoid") {
        return op.build().sigmoid(x, op.label());
    }
    if (function == "Tanh") {
        return op.build().tanh(x, op.label());
    }
    if (epilogue.slope) {
        return op.build().prelu(x, *epilogue.slope, op.label());
    }
    return fail(ErrorCode::Unsupported, "the fused function {}", clean_text(function));
}

Result<Outputs> map_pool(Operation& op, ops::PoolKind kind) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto window, pair(op, "ksize"));
    SLUICE_TRY_ASSIGN(const Sliding sliding, sliding_of(op));
    return tensorflow::pool(op, x, kind, window, sliding);
}

using Resize = Result<OperandId> (*)(tensorflow::Context&, OperandId, std::span<const std::int64_t>,
                                     tensorflow::Convention);

Result<Outputs> map_resize(Operation& op, Resize resize) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto sizes, op.integers(1));
    return resize(op, x, sizes,
                  {.align_corners = op.flag("align_corners"),
                   .half_pixel_centers = op.flag("half_pixel_centers")});
}

} // namespace

Result<Outputs> map_conv_2d(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto operands, op.inputs(0, 2));
    SLUICE_TRY_ASSIGN(const Epilogue epilogue, epilogue_of(op));
    SLUICE_TRY_ASSIGN(const Sliding sliding, sliding_of(op));
    SLUICE_TRY_ASSIGN(
        const OperandId y,
        tensorflow::convolve(op, {.x = operands[0], .filter = operands[1], .bias = epilogue.bias},
                             ops::Conv2dFilterLayout::Hwio, sliding));
    return finish(op, y, epilogue);
}

Result<Outputs> map_depthwise_conv_2d(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto operands, op.inputs(0, 2));
    SLUICE_TRY_ASSIGN(const Epilogue epilogue, epilogue_of(op));
    SLUICE_TRY_ASSIGN(const Sliding sliding, sliding_of(op));
    const Shape filter = op.shape(operands[1]);
    if (filter.rank() != 4) {
        return fail(ErrorCode::Parse, "a filter of {} dimensions", filter.rank());
    }
    // Channel i * multiplier + m: the last two dimensions as one.
    const std::uint32_t outputs = filter[2] * filter[3]; // factors of an existing tensor's size
    SLUICE_TRY_ASSIGN(
        const OperandId flat,
        op.build().reshape(operands[1], Shape{filter[0], filter[1], 1, outputs}, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId y,
                      tensorflow::convolve_depthwise(
                          op, {.x = operands[0], .filter = flat, .bias = epilogue.bias},
                          ops::Conv2dFilterLayout::Hwio, sliding));
    return finish(op, y, epilogue);
}

// Inputs: the result's shape, the filter [height, width, out, in], x.
Result<Outputs> map_conv_2d_backprop_input(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto shape, op.integers(0));
    SLUICE_TRY_ASSIGN(const auto operands, op.inputs(1, 3));
    SLUICE_TRY_ASSIGN(const Sliding sliding, sliding_of(op));
    if (shape.size() != 4) {
        return fail(ErrorCode::Parse, "an output shape of {} dimensions", shape.size());
    }
    std::array<std::uint32_t, 2> sizes{};
    SLUICE_TRY_ASSIGN(sizes[0], tensorflow::positive(shape[1], "output height"));
    SLUICE_TRY_ASSIGN(sizes[1], tensorflow::positive(shape[2], "output width"));
    return tensorflow::convolve_transposed(op, {.x = operands[1], .filter = operands[0]},
                                           ops::ConvTranspose2dFilterLayout::Hwoi, sliding, sizes);
}

Result<Outputs> map_mat_mul(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto operands, op.inputs(0, 2));
    SLUICE_TRY_ASSIGN(const Epilogue epilogue, epilogue_of(op));
    SLUICE_TRY_ASSIGN(const OperandId y, op.build().gemm(operands[0], operands[1],
                                                         {.a_transpose = op.flag("transpose_a"),
                                                          .b_transpose = op.flag("transpose_b")},
                                                         epilogue.bias, op.label()));
    return finish(op, y, epilogue);
}

Result<Outputs> map_batch_mat_mul(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto operands, op.inputs(0, 2));
    return tensorflow::matmul(op, operands[0], operands[1], op.flag("adj_x"), op.flag("adj_y"));
}

// Inputs: x, scale, offset, mean, variance.
Result<Outputs> map_batch_norm(Operation& op) {
    SLUICE_TRY(require_nhwc(op));
    SLUICE_TRY_ASSIGN(const auto x, op.inputs(0, 5));
    SLUICE_TRY_ASSIGN(const double epsilon, op.real("epsilon", 1e-4));
    const std::size_t rank = op.shape(x[0]).rank();
    if (rank == 0) {
        return fail(ErrorCode::Parse, "a scalar has no channels");
    }
    return op.build().batch_normalization(
        x[0], x[3], x[4], {.axis = static_cast<std::uint32_t>(rank - 1), .epsilon = epsilon},
        {.scale = x[1], .bias = x[2]}, op.label());
}

Result<Outputs> map_avg_pool(Operation& op) {
    return map_pool(op, ops::PoolKind::Average);
}

Result<Outputs> map_max_pool(Operation& op) {
    return map_pool(op, ops::PoolKind::Max);
}

Result<Outputs> map_resize_bilinear(Operation& op) {
    return map_resize(op, tensorflow::resize_bilinear);
}

Result<Outputs> map_resize_nearest_neighbor(Operation& op) {
    return map_resize(op, tensorflow::resize_nearest_neighbor);
}

} // namespace sluice::models::tfjs
