// SPDX-License-Identifier: Apache-2.0
// Convolution as an implicit matrix product over packed weights, for any groups.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/cpu/conv_shape.h"
#include "core/runtime/kernel.h"

namespace sluice::cpu {

// Inputs of the kernel are those of the node: x, filter, [bias], [residual].
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>> make_dense_conv(const ConvShape& shape,
                                                                       const ConvConstants& data);

} // namespace sluice::cpu
