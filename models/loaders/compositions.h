// SPDX-License-Identifier: Apache-2.0
// Functions that several formats have as one operator and WebNN as several.
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "core/graph/builder.h"

namespace sluice::models {

// x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))): the approximation of gelu.
[[nodiscard]] Result<graph::OperandId> gelu_tanh(graph::GraphBuilder& builder, graph::OperandId x,
                                                 std::string_view label);

// The angle of the point (x, y), floats, within -pi..pi, to some units of its last place: signs of
// zeros count, and two zeros or two infinities give what they give in C.
[[nodiscard]] Result<graph::OperandId> atan2(graph::GraphBuilder& builder, graph::OperandId y,
                                             graph::OperandId x, std::string_view label);

} // namespace sluice::models
