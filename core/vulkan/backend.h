// SPDX-License-Identifier: Apache-2.0
// The Vulkan backend: segments of a graph as recorded compute dispatches on one device.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/runtime/backend.h"
#include "core/vulkan/autotuner.h"
#include "core/vulkan/device.h"
#include "core/vulkan/tuning.h"

namespace sluice::vulkan {

// Kernels from the table of vendors and, where is_autotuned() by the environment, from timing them
// on the device. lowers_segments(); its segments are Programs (program.h), which keep the device
// alive.
[[nodiscard]] Result<std::unique_ptr<runtime::Backend>>
make_backend(std::shared_ptr<Device> device);

// The same with kernels and tiles that the device would not choose by itself, for tests.
[[nodiscard]] Result<std::unique_ptr<runtime::Backend>> make_backend(std::shared_ptr<Device> device,
                                                                     const Tuning& tuning);

// The same with a tuner that may choose other kernels for single nodes.
[[nodiscard]] Result<std::unique_ptr<runtime::Backend>>
make_backend(std::shared_ptr<Device> device, const Tuning& tuning,
             std::unique_ptr<Autotuner> autotuner);

} // namespace sluice::vulkan
