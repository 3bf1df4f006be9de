// SPDX-License-Identifier: Apache-2.0
// The Vulkan backend: segments of a graph as recorded compute dispatches on one device.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/runtime/backend.h"
#include "core/vulkan/device.h"
#include "core/vulkan/tuning.h"

namespace sluice::vulkan {

// lowers_segments(); its segments are Programs (program.h), which keep the device alive.
[[nodiscard]] Result<std::unique_ptr<runtime::Backend>>
make_backend(std::shared_ptr<Device> device);

// The same with kernels and tiles that the device would not choose by itself, for tests.
[[nodiscard]] Result<std::unique_ptr<runtime::Backend>> make_backend(std::shared_ptr<Device> device,
                                                                     const Tuning& tuning);

} // namespace sluice::vulkan
