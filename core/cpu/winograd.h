// SPDX-License-Identifier: Apache-2.0
// Winograd's minimal filtering for 3x3 and 5x5 convolutions of many channels.
#pragma once

#include <cstddef>
#include <memory>

#include "core/base/result.h"
#include "core/cpu/conv_shape.h"
#include "core/runtime/kernel.h"

namespace sluice::cpu {

// Whether it is possible, and by a model of both costs faster than the direct product.
[[nodiscard]] bool suits_winograd(const ConvShape& shape);
// Whether the user allows it: unless SLUICE_CPU_WINOGRAD is "off". Its sums are off by about twice
// as much as direct ones, and by the largest values of a tile rather than of a window.
[[nodiscard]] bool allows_winograd();

// How much tap `tap` of a filter's row of `taps` counts at place `place` of kWinogradTile.
[[nodiscard]] double winograd_filter_factor(std::size_t place, std::size_t tap, std::size_t taps);

// Inputs of the kernel are those of the node: x, filter, [bias], [residual].
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
make_winograd_conv(const ConvShape& shape, const ConvConstants& data);

} // namespace sluice::cpu
