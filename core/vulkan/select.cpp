// SPDX-License-Identifier: Apache-2.0
// Choice of a device by its selector. Pure.
#include <algorithm>
#include <charconv>
#include <format>
#include <optional>
#include <string>

#include "core/vulkan/device.h"

namespace sluice::vulkan {

namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return out;
}

std::string listed(std::span<const DeviceProfile> devices) {
    std::string text;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        text += std::format("{}{} '{}'", text.empty() ? "" : ", ", i, devices[i].name);
    }
    return text;
}

std::optional<std::size_t> number(std::string_view text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
}

Result<std::size_t> usable(std::span<const DeviceProfile> devices, std::size_t i) {
    if (!devices[i].unusable.empty()) {
        return fail(ErrorCode::Unsupported, "Vulkan device {} '{}' cannot be used: {}", i,
                    devices[i].name, devices[i].unusable);
    }
    return i;
}

// The most capable type; the loader's order among equals.
Result<std::size_t> best(std::span<const DeviceProfile> devices) {
    std::optional<std::size_t> chosen;
    std::string reasons;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        if (!devices[i].unusable.empty()) {
            reasons += std::format("; '{}': {}", devices[i].name, devices[i].unusable);
        } else if (!chosen || devices[i].type < devices[*chosen].type) {
            chosen = i;
        }
    }
    if (!chosen) {
        return fail(ErrorCode::Unsupported, "no Vulkan device can be used{}", reasons);
    }
    return *chosen;
}

} // namespace

Result<std::size_t> select_device(std::span<const DeviceProfile> devices,
                                  std::string_view selector) {
    if (selector.empty()) {
        return best(devices);
    }
    if (const auto index = number(selector)) {
        if (*index < devices.size()) {
            return usable(devices, *index);
        }
    } else {
        std::optional<std::size_t> first;
        for (std::size_t i = 0; i < devices.size(); ++i) {
            if (!lower(devices[i].name).contains(lower(selector))) {
                continue;
            }
            if (devices[i].unusable.empty()) {
                return i;
            }
            first = first.value_or(i);
        }
        if (first) {
            return usable(devices, *first);
        }
    }
    return fail(ErrorCode::NotFound, "there is no Vulkan device '{}'; there are: {}", selector,
                listed(devices));
}

} // namespace sluice::vulkan
