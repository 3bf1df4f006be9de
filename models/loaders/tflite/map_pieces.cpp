// SPDX-License-Identifier: Apache-2.0
// Mappings that join tensors or take them apart.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/tensorflow/pieces.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;

namespace {

// The one axis that a constant input holds.
Result<std::int64_t> axis_input(Operation& op, std::size_t input) {
    SLUICE_TRY_ASSIGN(const auto values, op.integers(input));
    if (values.size() != 1) {
        return fail(ErrorCode::Parse, "{} axes, one is needed", values.size());
    }
    return values[0];
}

Result<std::vector<OperandId>> all_inputs(Operation& op) {
    std::vector<OperandId> inputs;
    for (std::size_t i = 0; i < op.input_count(); ++i) {
        SLUICE_TRY_ASSIGN(inputs.emplace_back(), op.input(i));
    }
    return inputs;
}

} // namespace

Result<Outputs> map_concatenation(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::ConcatenationOptions>());
    SLUICE_TRY_ASSIGN(const auto pieces, all_inputs(op));
    SLUICE_TRY_ASSIGN(const OperandId joined, tensorflow::concat(op, pieces, options->axis()));
    return op.activate(joined, options->fused_activation_function());
}

Result<Outputs> map_pack(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::PackOptions>());
    SLUICE_TRY_ASSIGN(const auto pieces, all_inputs(op));
    return tensorflow::pack(op, pieces, options->axis());
}

Result<Outputs> map_unpack(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::UnpackOptions>());
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return tensorflow::unpack(op, x, options->axis(), op.output_count());
}

// The number of pieces is that of the outputs.
Result<Outputs> map_split(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(1));
    SLUICE_TRY_ASSIGN(const std::int64_t axis, axis_input(op, 0));
    return tensorflow::split(op, x, axis, op.output_count());
}

Result<Outputs> map_split_v(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto sizes, op.integers(1));
    SLUICE_TRY_ASSIGN(const std::int64_t axis, axis_input(op, 2));
    return tensorflow::split_v(op, x, axis, sizes);
}

Result<Outputs> map_slice(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto begin, op.integers(1));
    SLUICE_TRY_ASSIGN(const auto size, op.integers(2));
    return tensorflow::slice(op, x, begin, size);
}

Result<Outputs> map_strided_slice(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::StridedSliceOptions>());
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    tensorflow::StridedSlice slice{
        .begin = {},
        .end = {},
        .strides = {},
        .begin_mask = static_cast<std::uint32_t>(options->begin_mask()),
        .end_mask = static_cast<std::uint32_t>(options->end_mask()),
        .ellipsis_mask = static_cast<std::uint32_t>(options->ellipsis_mask()),
        .new_axis_mask = static_cast<std::uint32_t>(options->new_axis_mask()),
        .shrink_mask = static_cast<std::uint32_t>(options->shrink_axis_mask())};
    SLUICE_TRY_ASSIGN(slice.begin, op.integers(1));
    SLUICE_TRY_ASSIGN(slice.end, op.integers(2));
    SLUICE_TRY_ASSIGN(slice.strides, op.integers(3));
    if (options->offset()) {
        const std::size_t entries = std::min(slice.begin.size(), slice.end.size());
        for (std::size_t i = 0; i < entries; ++i) {
            // Far beyond any dimension, yet far from overflow.
            const auto near = [](std::int64_t at) {
                return std::clamp<std::int64_t>(at, -0x7FFFFFFF, 0x7FFFFFFF);
            };
            slice.end[i] = near(slice.begin[i]) + near(slice.end[i]);
        }
    }
    return tensorflow::strided_slice(op, x, slice);
}

} // namespace sluice::models::tflite
