// SPDX-License-Identifier: Apache-2.0
// The attributes of sliding windows as explicit numbers: kernel_shape, strides, dilations, pads and
// auto_pad. One-dimensional windows become two-dimensional ones of height 1.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

// One axis of a window.
struct Along {
    std::uint32_t size = 1;
    std::uint32_t stride = 1;
    std::uint32_t dilation = 1;
    std::uint32_t pad_begin = 0;
    std::uint32_t pad_end = 0;

    // Elements between the first and the last that the window covers, both included.
    [[nodiscard]] std::uint64_t extent() const { return (std::uint64_t{size} - 1) * dilation + 1; }
};

enum class AutoPad : std::uint8_t { NotSet, SameUpper, SameLower, Valid };

struct Window {
    std::array<Along, 2> axes; // height, width
    AutoPad auto_pad = AutoPad::NotSet;
    bool flat = false; // the file's has one dimension
};

// The window over x, whose first two axes are batch and channels. `kernel` are the sizes where
// kernel_shape is absent. Unsupported: three dimensions and more. auto_pad is not resolved.
[[nodiscard]] Result<Window> window_of(Operation& op, graph::OperandId x,
                                       const std::vector<std::uint32_t>& kernel);
// Turns SAME into paddings for an input of this height and width.
[[nodiscard]] Status resolve_same(Window& window, const std::array<std::uint32_t, 2>& input);

// A tensor of three dimensions with a height of 1 inserted, and the way back.
[[nodiscard]] Result<graph::OperandId> raised(Operation& op, graph::OperandId x);
[[nodiscard]] Result<graph::OperandId> lowered(Operation& op, graph::OperandId x);

} // namespace sluice::models::onnx
