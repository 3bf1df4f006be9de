// SPDX-License-Identifier: Apache-2.0
// Names of devices, and the list of those that this machine has.
#include <algorithm>
#include <array>
#include <format>
#include <fstream>
#include <thread>

#include "core/auto_device.h"
#include "core/cpu/backend.h"
#include "core/engine.h"

namespace sluice {

namespace {

using vulkan::DeviceProfile;

// By DeviceKind.
constexpr std::array<std::string_view, 4> kNames{"auto", "cpu", "reference", "vulkan"};

// "model name" of the first processor, or nothing where the kernel does not tell.
std::string processor_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("model name")) {
            if (const auto colon = line.find(": "); colon != std::string::npos) {
                return line.substr(colon + 2) + ", ";
            }
        }
    }
    return {};
}

void list_abilities(const DeviceProfile& device, DeviceInfo& info) {
    const auto add = [&](bool can, std::string what) {
        (can ? info.can : info.cannot).push_back(std::move(what));
    };
    add(device.storage_16bit, "store float16");
    add(device.float16, "compute in float16");
    add(device.storage_8bit && device.int8, "store and compute int8");
    add(device.integer_dot_product, "integer dot products");
    add(device.subgroup_arithmetic, "subgroup arithmetic");
    add(device.cooperative_matrix, "cooperative matrices");
    add(device.unified_memory, "share its memory with the host");
    add(device.import_host_pointer, "read host memory in place (VK_EXT_external_memory_host)");
    add(device.import_dma_buf, "import linear dmabufs (VK_EXT_external_memory_dma_buf)");
    add(device.drm_modifiers,
        device.drm_modifiers ? std::format("import tiled dmabufs: {} pairs of format and modifier",
                                           device.modifiers.size())
                             : "import tiled dmabufs (VK_EXT_image_drm_format_modifier)");
    add(device.sync_fd, "exchange fences with other devices (sync_file)");
}

DeviceInfo info_of(std::span<const DeviceProfile> all, std::size_t i,
                   std::optional<std::size_t> chosen) {
    const DeviceProfile& device = all[i];
    DeviceInfo info{
        .name = std::format("vulkan:{}", i),
        .description = std::format("{}, {}{}{}", device.name, vulkan::name(device.type),
                                   device.driver.empty() ? "" : ", ", device.driver),
        .chosen_by_auto = chosen == i,
        .reason = reason_of_choice(all, i, chosen),
        .can = {},
        .cannot = {},
    };
    if (device.unusable.empty()) {
        list_abilities(device, info);
    } else {
        info.cannot.emplace_back("run anything");
    }
    return info;
}

} // namespace

std::string name(const DeviceChoice& device) {
    const std::string_view kind = kNames[static_cast<std::size_t>(device.kind)];
    return device.selector.empty() ? std::string(kind)
                                   : std::format("{}:{}", kind, device.selector);
}

std::vector<std::string> device_kind_names() {
    return {kNames.begin(), kNames.end()};
}

Result<DeviceChoice> device_from_name(std::string_view text) {
    const std::size_t colon = text.find(':');
    const auto found = std::ranges::find(kNames, text.substr(0, colon));
    const auto kind = static_cast<DeviceKind>(found - kNames.begin());
    if (found != kNames.end() && colon == std::string_view::npos) {
        return kind;
    }
    if (found != kNames.end() && kind == DeviceKind::Vulkan && colon + 1 < text.size()) {
        return DeviceChoice(kind, std::string(text.substr(colon + 1)));
    }
    std::string names;
    for (const std::string_view known : kNames) {
        names += std::format("{}, ", known);
    }
    return fail(ErrorCode::InvalidArgument,
                "there is no device '{}'; there are: {}vulkan:NUMBER, vulkan:PART-OF-ITS-NAME",
                text, names);
}

std::vector<DeviceInfo> devices() {
    const auto vulkan_devices = vulkan::list_devices();
    const std::span<const DeviceProfile> gpus =
        vulkan_devices ? *vulkan_devices : std::span<const DeviceProfile>();
    const auto chosen = kernel_has_gpu() ? choose_gpu(gpus) : std::nullopt;
    std::vector<DeviceInfo> list{
        {.name = name(DeviceKind::Cpu),
         .description = std::format("{}{}, {} cores", processor_name(), cpu::instruction_set(),
                                    std::thread::hardware_concurrency()),
         .chosen_by_auto = !chosen,
         .reason = chosen ? std::format("auto prefers vulkan:{}, a {}", *chosen,
                                        vulkan::name(gpus[*chosen].type))
                          : "the fastest device of this machine",
         .can = {},
         .cannot = {}},
        {.name = name(DeviceKind::Reference),
         .description = "plain loops, every operator and data type",
         .chosen_by_auto = false,
         .reason = "made to be right, not fast; runs what the cpu device cannot",
         .can = {},
         .cannot = {}},
    };
    for (std::size_t i = 0; i < gpus.size(); ++i) {
        list.push_back(info_of(gpus, i, chosen));
    }
    if (!vulkan_devices) {
        list.push_back({.name = name(DeviceKind::Vulkan),
                        .description = "none found",
                        .chosen_by_auto = false,
                        .reason = vulkan_devices.error().message,
                        .can = {},
                        .cannot = {}});
    }
    return list;
}

} // namespace sluice
