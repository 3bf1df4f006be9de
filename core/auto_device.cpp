// SPDX-License-Identifier: Apache-2.0
// The choice of a device for device=auto.
#include "core/auto_device.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <format>
#include <string_view>
#include <system_error>

namespace sluice {

namespace {

using vulkan::DeviceProfile;
using vulkan::DeviceType;

// The GPUs that hand their work to the kernel through other nodes than DRM's.
constexpr std::array<const char*, 4> kOtherNodes{"/dev/nvidia0", "/dev/dxg", "/dev/kgsl-3d0",
                                                 "/dev/mali0"};

bool is_gpu(DeviceType type) {
    switch (type) {
    case DeviceType::Discrete:
    case DeviceType::Integrated:
    case DeviceType::Virtual: return true;
    case DeviceType::Software:
    case DeviceType::Other: return false;
    }
    return false;
}

} // namespace

std::optional<std::size_t> choose_gpu(std::span<const DeviceProfile> devices) {
    std::optional<std::size_t> chosen;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        if (is_gpu(devices[i].type) && devices[i].unusable.empty() &&
            (!chosen || devices[i].type < devices[*chosen].type)) {
            chosen = i;
        }
    }
    return chosen;
}

std::string reason_of_choice(std::span<const DeviceProfile> devices, std::size_t i,
                             std::optional<std::size_t> chosen) {
    if (!devices[i].unusable.empty()) {
        return std::format("it cannot be used: {}", devices[i].unusable);
    }
    if (chosen == i) {
        return "the best GPU of this machine";
    }
    if (!is_gpu(devices[i].type)) {
        return "no GPU: the cpu device's own kernels are faster";
    }
    return chosen ? std::format("auto prefers vulkan:{}, a {}", *chosen,
                                vulkan::name(devices[*chosen].type))
                  : std::string("the kernel shows no GPU");
}

bool kernel_has_gpu() {
    std::error_code error;
    const auto exists = [&](const char* path) { return std::filesystem::exists(path, error); };
    if (std::ranges::any_of(kOtherNodes, exists)) {
        return true;
    }
    for (std::filesystem::directory_iterator node("/dev/dri", error), end; !error && node != end;
         node.increment(error)) {
        if (node->path().filename().string().starts_with("renderD")) {
            return true;
        }
    }
    return false;
}

} // namespace sluice
