// SPDX-License-Identifier: Apache-2.0
// Matrix products with any strides and batch axes: what gemm and matmul come down to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/graph/graph.h"
#include "core/ops/unary.h"
#include "core/vulkan/steps.h"

namespace sluice::vulkan {

// y = activation(alpha * a b + beta * c), dense and row-major.
struct MatrixProduct {
    std::uint32_t rows = 1, columns = 1, depth = 1;
    // Element strides.
    std::size_t a_row = 0, a_depth = 0, b_depth = 0, b_column = 0, c_row = 0, c_column = 0;
    float alpha = 1.0F, beta = 1.0F;
    ops::Activation activation{};
    graph::OperandId a{}, b{}, y{};
    std::optional<graph::OperandId> c;
    // Axes of the result before the last two, innermost first.
    std::uint32_t batches = 1;
    std::array<std::uint32_t, 4> batch_shape{1, 1, 1, 1};
    std::array<std::uint32_t, 4> a_batch{};
    std::array<std::uint32_t, 4> b_batch{};
};

// As a 1x1 convolution where B is a constant and everything else dense, so that B is packed once.
void write_product(StepWriter& writer, const MatrixProduct& product);
// Unsupported where the result has more rows or columns than the device has workgroups.
[[nodiscard]] Status supports_product(const Context& context, const MatrixProduct& product);

} // namespace sluice::vulkan
