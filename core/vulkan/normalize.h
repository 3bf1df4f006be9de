// SPDX-License-Identifier: Apache-2.0
// Normalisation of groups of elements by their own mean and variance (normalize.comp).
#pragma once

#include "core/graph/graph.h"
#include "core/vulkan/steps.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {

struct Normalisation {
    graph::Shape groups;      // x's shape with 1 on the axes within a group
    graph::Shape members;     // x's shape with 1 on the other axes
    Strides factor_strides{}; // of scale and bias along x's axes
    double epsilon = 0.0;
    bool has_scale = false; // the second input
    bool has_bias = false;  // the last input
};

void write_normalisation(StepWriter& writer, const graph::Node& node, const Normalisation& how);

} // namespace sluice::vulkan
