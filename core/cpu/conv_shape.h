// SPDX-License-Identifier: Apache-2.0
// The sizes of a convolution or a transposed one in one struct, and its constants as floats,
// whatever the layouts were.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/cpu/activation.h"
#include "core/graph/graph.h"
#include "core/ops/conv2d.h"
#include "core/ops/conv_transpose2d.h"

namespace sluice::cpu {

// Sizes of an NHWC convolution. All below kMaxTensorBytes by the graph's verifier.
struct ConvShape {
    std::size_t batch, in_height, in_width, in_channels;
    std::size_t out_height, out_width, out_channels;
    std::size_t kernel_height, kernel_width;
    std::size_t stride_y, stride_x, dilation_y, dilation_x;
    std::size_t pad_top, pad_left;
    std::size_t groups;
    std::size_t residual_channels; // 0: no residual
    Activation activation;

    [[nodiscard]] std::size_t group_in() const { return in_channels / groups; }
    [[nodiscard]] std::size_t group_out() const { return out_channels / groups; }
    [[nodiscard]] std::size_t taps() const { return kernel_height * kernel_width; }
    // Input columns between the first and the last tap of a window, both included.
    [[nodiscard]] std::size_t window_width() const { return (kernel_width - 1) * dilation_x + 1; }
    // Multiply-adds count twice.
    [[nodiscard]] double flops_per_pixel() const {
        return 2.0 * static_cast<double>(taps() * group_in() * out_channels);
    }
};
[[nodiscard]] ConvShape conv_shape(const graph::Graph& graph, const graph::Node& node,
                                   const ops::Conv2d& op);
[[nodiscard]] ConvShape conv_shape(const graph::Graph& graph, const graph::Node& node,
                                   const ops::ConvTranspose2d& op);

// The rows of the kernel that lie inside the picture for one output row: [begin, end), perhaps
// empty.
struct TapRange {
    std::size_t begin, end;
};
[[nodiscard]] TapRange valid_taps(std::size_t output, std::size_t stride, std::size_t pad,
                                  std::size_t dilation, std::size_t taps, std::size_t input_size);

// A filter, which may be a view of the graph's, and its bias (empty where there is none), as
// floats. Output channel o is one of all in a convolution and one of its group in a transposed one,
// input channel i the other way round.
struct ConvConstants {
    std::unique_ptr<float[]> own; // the filter, where the graph's cannot be read in place
    std::span<const float> filter;
    std::vector<float> bias;
    std::size_t stride_o, stride_y, stride_x, stride_i; // of the filter's elements

    [[nodiscard]] float at(std::size_t o, std::size_t y, std::size_t x, std::size_t i) const {
        return filter[o * stride_o + y * stride_y + x * stride_x + i * stride_i];
    }
};
// The operand must be a float32 constant.
[[nodiscard]] std::vector<float> constant_floats(const graph::Graph& graph, graph::OperandId id);
// The same in place where its bytes are aligned, else in `own`.
[[nodiscard]] std::span<const float> constant_view(const graph::Graph& graph, graph::OperandId id,
                                                   std::unique_ptr<float[]>& own);
[[nodiscard]] ConvConstants conv_constants(const graph::Graph& graph, const graph::Node& node,
                                           const ops::Conv2d& op);
[[nodiscard]] ConvConstants conv_constants(const graph::Graph& graph, const graph::Node& node,
                                           const ops::ConvTranspose2d& op);

// Unsupported unless the node is float32, NHWC, with a constant filter and bias and an activation
// that the kernels have.
[[nodiscard]] Status require_conv(const graph::Graph& graph, const graph::Node& node,
                                  const ops::Conv2d& op);
[[nodiscard]] Status require_conv(const graph::Graph& graph, const graph::Node& node,
                                  const ops::ConvTranspose2d& op);
// Unsupported unless the operand is a constant; `role` names it: "filter".
[[nodiscard]] Status require_constant(const graph::Graph& graph, graph::OperandId id,
                                      std::string_view role);

} // namespace sluice::cpu
