// SPDX-License-Identifier: Apache-2.0
// Mappings that rearrange or repeat elements.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/tensorflow/shape.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;

namespace {

// The shape that RESHAPE asks for: a constant, an option, or else what the file says of the output.
Result<std::vector<std::int64_t>> requested_shape(Operation& op) {
    if (op.has_input(1)) {
        SLUICE_TRY_ASSIGN(const std::size_t tensor, op.tensor(1));
        if (op.file().is_constant(tensor)) {
            return op.integers(1);
        }
    }
    const auto* options = op.options<schema::ReshapeOptions>();
    if (options != nullptr && options->new_shape() != nullptr && !op.has_input(1)) {
        return std::vector<std::int64_t>(options->new_shape()->begin(),
                                         options->new_shape()->end());
    }
    SLUICE_TRY_ASSIGN(const std::size_t output, op.output_tensor(0));
    if (!op.file().has_known_shape(output)) {
        return fail(ErrorCode::Unsupported, "the shape is computed at run time");
    }
    SLUICE_TRY_ASSIGN(const auto desc, op.output_desc(0));
    return std::vector<std::int64_t>(desc.shape().begin(), desc.shape().end());
}

// Calls function(op, x, the integers of input 1).
using WithIntegers = Result<OperandId> (*)(tensorflow::Context&, OperandId,
                                           std::span<const std::int64_t>);
Result<Outputs> with_integers(Operation& op, WithIntegers function) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto integers, op.integers(1));
    return function(op, x, integers);
}

} // namespace

Result<Outputs> map_reshape(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto wanted, requested_shape(op));
    return tensorflow::reshape(op, x, wanted);
}

Result<Outputs> map_squeeze(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const auto* options = op.options<schema::SqueezeOptions>();
    std::vector<std::int64_t> axes;
    if (options != nullptr && options->squeeze_dims() != nullptr) {
        axes.assign(options->squeeze_dims()->begin(), options->squeeze_dims()->end());
    }
    return tensorflow::squeeze(op, x, axes);
}

Result<Outputs> map_expand_dims(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto axes, op.integers(1));
    if (axes.size() != 1) {
        return fail(ErrorCode::Parse, "{} axes, one is needed", axes.size());
    }
    return tensorflow::expand_dims(op, x, axes[0]);
}

Result<Outputs> map_transpose(Operation& op) {
    return with_integers(op, tensorflow::transpose);
}

Result<Outputs> map_broadcast_to(Operation& op) {
    return with_integers(op, tensorflow::broadcast_to);
}

Result<Outputs> map_tile(Operation& op) {
    return with_integers(op, tensorflow::tile);
}

Result<Outputs> map_depth_to_space(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::DepthToSpaceOptions>());
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return tensorflow::depth_to_space(op, x, options->block_size());
}

Result<Outputs> map_space_to_depth(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto* options, op.required_options<schema::SpaceToDepthOptions>());
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    return tensorflow::space_to_depth(op, x, options->block_size());
}

} // namespace sluice::models::tflite
