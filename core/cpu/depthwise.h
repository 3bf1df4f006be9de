// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution: every channel has a filter of its own.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/cpu/conv_shape.h"
#include "core/runtime/kernel.h"

namespace sluice::cpu {

// For groups == input channels == output channels. Inputs of the kernel are those of the node: x,
// filter, [bias], [residual].
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
make_depthwise_conv(const ConvShape& shape, const ConvConstants& data);

} // namespace sluice::cpu
