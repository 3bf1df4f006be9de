// SPDX-License-Identifier: Apache-2.0
// From steps to a program: memory placed, weights uploaded, pipelines made, everything recorded.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/vulkan/program.h"
#include "core/vulkan/steps.h"

namespace sluice::vulkan {

// `staged` as in Tuning.
[[nodiscard]] Result<std::unique_ptr<Program>> make_program(std::shared_ptr<Device> device,
                                                            Steps steps, bool staged);

} // namespace sluice::vulkan
