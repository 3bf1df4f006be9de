// SPDX-License-Identifier: Apache-2.0
// ResizeBilinear and ResizeNearestNeighbor.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/tensorflow/context.h"

namespace sluice::models::tensorflow {

// Where an output element lies: at most one of them; neither: i * from / to.
struct Convention {
    bool align_corners;
    bool half_pixel_centers;
};

// x is a picture NHWC, `sizes` its new height and width.
[[nodiscard]] Result<graph::OperandId> resize_bilinear(Context& op, graph::OperandId x,
                                                       std::span<const std::int64_t> sizes,
                                                       Convention convention);
[[nodiscard]] Result<graph::OperandId> resize_nearest_neighbor(Context& op, graph::OperandId x,
                                                               std::span<const std::int64_t> sizes,
                                                               Convention convention);

} // namespace sluice::models::tensorflow
