// SPDX-License-Identifier: Apache-2.0
// The two kernels of matrix products.
#include "core/vulkan/matrix_product.h"

#include "core/base/checked_math.h"
#include "core/vulkan/convolution.h"
#include "core/vulkan/functions.h"
#include "core/vulkan/lowerings.h"

namespace sluice::vulkan {
namespace {

constexpr std::uint32_t kTile = 16; // of gemm.comp

// The product as a convolution of a picture of rows * 1 pixels, if it is one.
std::optional<Convolution> as_convolution(const graph::Graph& graph, const MatrixProduct& p) {
    const bool dense_a = p.a_depth == 1 && (p.a_row == p.depth || p.rows == 1);
    const bool constant_b = graph.operand(p.b).kind == graph::OperandKind::Constant;
    const bool is_bias = !p.c || (p.c_row == 0 && p.c_column == 1 && p.beta == 1.0F);
    if (!dense_a || !constant_b || !is_bias || p.alpha != 1.0F || p.batches != 1) {
        return std::nullopt;
    }
    Convolution c{.type = graph.desc(p.a).type(),
                  .in = {.height = p.rows, .width = 1, .channels = p.depth},
                  .out = {.height = p.rows, .width = 1, .channels = p.columns},
                  .filter_strides = {.output = p.b_column, .input = p.b_depth},
                  .x = p.a,
                  .filter = p.b,
                  .bias = p.c,
                  .residual = {},
                  .activation = p.activation,
                  .y = p.y};
    return c;
}

} // namespace

Status supports_product(const Context& context, const MatrixProduct& p) {
    const std::uint32_t most = context.profile.max_workgroups_x;
    if (div_ceil(p.rows, kTile) > most || div_ceil(p.columns, kTile) > most) {
        return fail(ErrorCode::Unsupported, "a product of [{},{}] is more than {} workgroups",
                    p.rows, p.columns, most);
    }
    return {};
}

void write_product(StepWriter& writer, const MatrixProduct& p) {
    const graph::Graph& graph = writer.graph();
    if (const auto convolution = as_convolution(graph, p);
        convolution && supports_convolution(writer.context(), *convolution)) {
        write_convolution(writer, *convolution);
        return;
    }
    const ActivationWords words = to_words(p.activation);
    const auto word = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
    struct {
        std::uint32_t rows, columns, depth;
        std::uint32_t a_row, a_depth, b_depth, b_column, c_row, c_column;
        float alpha, beta, activation_alpha, activation_beta;
        std::uint32_t batches;
        std::array<std::uint32_t, 4> batch_shape, a_batch, b_batch;
    } const push{.rows = p.rows,
                 .columns = p.columns,
                 .depth = p.depth,
                 .a_row = word(p.a_row),
                 .a_depth = word(p.a_depth),
                 .b_depth = word(p.b_depth),
                 .b_column = word(p.b_column),
                 .c_row = word(p.c_row),
                 .c_column = word(p.c_column),
                 .alpha = p.alpha,
                 .beta = p.beta,
                 .activation_alpha = words.alpha,
                 .activation_beta = words.beta,
                 .batches = p.batches,
                 .batch_shape = p.batch_shape,
                 .a_batch = p.a_batch,
                 .b_batch = p.b_batch};
    const RegionId a = writer.region(p.a);
    writer.dispatch(
        {.shader = by_type(graph, p.a, Shader::Gemm,
                           writer.context().tuning.half_arithmetic ? Shader::GemmHalfMath
                                                                   : Shader::GemmHalf),
         .constants = {words.kind, std::uint32_t{p.c.has_value()}},
         .buffers = {{a, Access::Read},
                     {writer.region(p.b), Access::Read},
                     {p.c ? writer.region(*p.c) : a, Access::Read},
                     {writer.region(p.y), Access::Write}},
         .push = to_push(push),
         .groups = {div_ceil(p.columns, kTile), div_ceil(p.rows, kTile),
                    limited(p.batches, writer.context().profile)}});
}

} // namespace sluice::vulkan
