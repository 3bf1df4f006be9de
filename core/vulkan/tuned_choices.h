// SPDX-License-Identifier: Apache-2.0
// TunedChoices: which candidate was the fastest for a kernel's shape, and the file that keeps it.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/base/result.h"
#include "core/vulkan/profile.h"

namespace sluice::vulkan {

using TunedChoices = std::map<std::string, std::string>; // candidate's name by kernel_shape()

// $XDG_CACHE_HOME/sluice/pipelines/<device>.tuning, else under ~/.cache; empty where there is
// neither.
[[nodiscard]] std::filesystem::path tuned_choices_path(const DeviceProfile& device);

// What write_tuned_choices() wrote for this very device, driver and these very kernels. Anything
// else is an error: Parse, and NotFound where there is no file.
[[nodiscard]] Result<TunedChoices> read_tuned_choices(const std::filesystem::path& path,
                                                      const DeviceProfile& device);
// By rename. The names of shapes and candidates are lines without tabs.
[[nodiscard]] Status write_tuned_choices(const std::filesystem::path& path,
                                         const DeviceProfile& device, const TunedChoices& choices);

} // namespace sluice::vulkan
