// SPDX-License-Identifier: Apache-2.0
// What device=auto means on a machine.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "core/vulkan/profile.h"

namespace sluice {

// The position of the GPU that auto takes; none: the CPU, whose kernels beat a software device.
[[nodiscard]] std::optional<std::size_t> choose_gpu(std::span<const vulkan::DeviceProfile> devices);

// Why auto takes or leaves devices[i], given what it chose.
[[nodiscard]] std::string reason_of_choice(std::span<const vulkan::DeviceProfile> devices,
                                           std::size_t i, std::optional<std::size_t> chosen);

// Whether the kernel shows a GPU at all. Where it does not, auto need not load Vulkan's drivers,
// which takes a tenth of a second and 50 MB with Mesa's.
[[nodiscard]] bool kernel_has_gpu();

} // namespace sluice
