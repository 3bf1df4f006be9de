// SPDX-License-Identifier: Apache-2.0
// Convolutions and pooling of pictures NHWC.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/conv2d.h"
#include "core/ops/conv_transpose2d.h"
#include "core/ops/pool2d.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tensorflow/window.h"

namespace sluice::models::tensorflow {

// The operands of a convolution; x and filter must have four dimensions.
struct Picture {
    graph::OperandId x;
    graph::OperandId filter;
    std::optional<graph::OperandId> bias = {};
};

// How a window slides; pairs are height, width, and positive.
struct Sliding {
    std::array<std::int64_t, 2> strides{1, 1};
    std::array<std::int64_t, 2> dilations{1, 1};
    Padding padding = Padding::Valid;
    // Top, bottom, left, right, in the place of `padding`.
    std::optional<std::array<std::uint32_t, 4>> amounts = {};
};

// As many groups as the filter's input channels divide those of x.
[[nodiscard]] Result<graph::OperandId> convolve(Context& op, const Picture& picture,
                                                ops::Conv2dFilterLayout layout,
                                                const Sliding& sliding);
// A group an input channel; the multiplier follows from the number of filters.
[[nodiscard]] Result<graph::OperandId> convolve_depthwise(Context& op, const Picture& picture,
                                                          ops::Conv2dFilterLayout layout,
                                                          const Sliding& sliding);
// A transposed convolution with a result of `sizes` (height, width), padded like the convolution
// that it mirrors.
[[nodiscard]] Result<graph::OperandId> convolve_transposed(Context& op, const Picture& picture,
                                                           ops::ConvTranspose2dFilterLayout layout,
                                                           const Sliding& sliding,
                                                           std::array<std::uint32_t, 2> sizes);
// Padding is never averaged, as in WebNN.
[[nodiscard]] Result<graph::OperandId> pool(Context& op, graph::OperandId x, ops::PoolKind kind,
                                            std::array<std::int64_t, 2> window,
                                            const Sliding& sliding);

} // namespace sluice::models::tensorflow
