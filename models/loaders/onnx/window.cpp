// SPDX-License-Identifier: Apache-2.0
// Reading of sliding windows.
#include "models/loaders/onnx/window.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;

namespace {

Result<AutoPad> auto_pad_of(Operation& op) {
    SLUICE_TRY_ASSIGN(const std::string text, op.text("auto_pad", "NOTSET"));
    if (text == "NOTSET") {
        return AutoPad::NotSet;
    }
    if (text == "SAME_UPPER") {
        return AutoPad::SameUpper;
    }
    if (text == "SAME_LOWER") {
        return AutoPad::SameLower;
    }
    if (text == "VALID") {
        return AutoPad::Valid;
    }
    return fail(ErrorCode::Parse, "auto_pad is '{}'", text);
}

// An attribute of one number per spatial axis, or `count` times the default.
Result<std::vector<std::uint32_t>> numbers(Operation& op, const char* name, std::size_t count,
                                           std::uint32_t otherwise) {
    SLUICE_TRY_ASSIGN(const auto listed, op.integer_list(name));
    if (listed.empty()) {
        return std::vector<std::uint32_t>(count, otherwise);
    }
    if (listed.size() != count) {
        return fail(ErrorCode::Parse, "{} has {} entries, {} are needed", name, listed.size(),
                    count);
    }
    std::vector<std::uint32_t> out;
    for (const std::int64_t value : listed) {
        if (otherwise == 0 && value < 0) {
            return fail(ErrorCode::Unsupported, "{} of {}, which crop", name, value);
        }
        SLUICE_TRY_ASSIGN(out.emplace_back(),
                          otherwise == 0 ? not_negative(value, name) : positive(value, name));
    }
    return out;
}

} // namespace

Result<Window> window_of(Operation& op, OperandId x, const std::vector<std::uint32_t>& kernel) {
    const std::size_t rank = op.shape(x).rank();
    if (rank < 3) {
        return fail(ErrorCode::Parse, "an input of {} dimensions", rank);
    }
    const std::size_t spatial = rank - 2;
    if (spatial > 2) {
        return fail(ErrorCode::Unsupported, "a window of {} dimensions, WebNN's have 2", spatial);
    }
    std::vector<std::uint32_t> sizes = kernel;
    if (op.has("kernel_shape")) {
        SLUICE_TRY_ASSIGN(sizes, numbers(op, "kernel_shape", spatial, 1));
    }
    if (sizes.size() != spatial || (!kernel.empty() && sizes != kernel)) {
        return fail(ErrorCode::Parse, "kernel_shape does not fit the input or the filter");
    }
    SLUICE_TRY_ASSIGN(const auto strides, numbers(op, "strides", spatial, 1));
    SLUICE_TRY_ASSIGN(const auto dilations, numbers(op, "dilations", spatial, 1));
    Window window{.axes = {}, .auto_pad = AutoPad::NotSet, .flat = spatial == 1};
    SLUICE_TRY_ASSIGN(window.auto_pad, auto_pad_of(op));
    std::vector<std::uint32_t> pads(2 * spatial, 0);
    if (window.auto_pad == AutoPad::NotSet) {
        SLUICE_TRY_ASSIGN(pads, numbers(op, "pads", 2 * spatial, 0));
    }
    for (std::size_t i = 0; i < spatial; ++i) {
        window.axes[2 - spatial + i] = {.size = sizes[i],
                                        .stride = strides[i],
                                        .dilation = dilations[i],
                                        .pad_begin = pads[i],
                                        .pad_end = pads[spatial + i]};
    }
    return window;
}

Status resolve_same(Window& window, const std::array<std::uint32_t, 2>& input) {
    if (window.auto_pad != AutoPad::SameUpper && window.auto_pad != AutoPad::SameLower) {
        return {};
    }
    for (std::size_t i = 0; i < 2; ++i) {
        Along& along = window.axes[i];
        const std::uint64_t steps = (std::uint64_t{input[i]} + along.stride - 1) / along.stride;
        const std::uint64_t covered = (steps - 1) * along.stride + along.extent();
        const std::uint64_t total = covered > input[i] ? covered - input[i] : 0;
        if (total > 0x7FFFFFFF) {
            return fail(ErrorCode::Parse, "a window of {} with dilation {} over {} elements",
                        along.size, along.dilation, input[i]);
        }
        const auto smaller = static_cast<std::uint32_t>(total / 2);
        const auto larger = static_cast<std::uint32_t>(total - total / 2);
        const bool upper = window.auto_pad == AutoPad::SameUpper;
        along.pad_begin = upper ? smaller : larger;
        along.pad_end = upper ? larger : smaller;
    }
    return {};
}

Result<OperandId> raised(Operation& op, OperandId x) {
    const Shape shape = op.shape(x);
    return op.build().reshape(x, Shape{shape[0], shape[1], 1, shape[2]}, op.label());
}

Result<OperandId> lowered(Operation& op, OperandId x) {
    const Shape shape = op.shape(x);
    return op.build().reshape(x, Shape{shape[0], shape[1], shape[3]}, op.label());
}

} // namespace sluice::models::onnx
