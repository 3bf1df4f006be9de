// SPDX-License-Identifier: Apache-2.0
// Convolution to at most four channels, on planes.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/cpu/conv_shape.h"
#include "core/runtime/kernel.h"

namespace sluice::cpu {

// Whether it is possible, and better than a matrix product: there, four output channels would use a
// half of each vector.
[[nodiscard]] bool suits_planes(const ConvShape& shape);

// Inputs of the kernel are those of the node: x, filter, [bias].
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>> make_planar_conv(const ConvShape& shape,
                                                                        const ConvConstants& data);

} // namespace sluice::cpu
