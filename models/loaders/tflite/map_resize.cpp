// SPDX-License-Identifier: Apache-2.0
// Mappings of resizing.
#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/tensorflow/resize.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {
namespace {

using graph::OperandId;

template <typename Options>
tensorflow::Convention convention_of(const Operation& op) {
    const auto* options = op.options<Options>();
    return {.align_corners = options != nullptr && options->align_corners(),
            .half_pixel_centers = options != nullptr && options->half_pixel_centers()};
}

} // namespace

Result<Outputs> map_resize_bilinear(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto sizes, op.integers(1));
    return tensorflow::resize_bilinear(op, x, sizes,
                                       convention_of<schema::ResizeBilinearOptions>(op));
}

Result<Outputs> map_resize_nearest_neighbor(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto sizes, op.integers(1));
    return tensorflow::resize_nearest_neighbor(
        op, x, sizes, convention_of<schema::ResizeNearestNeighborOptions>(op));
}

} // namespace sluice::models::tflite
