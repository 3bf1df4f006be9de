// SPDX-License-Identifier: Apache-2.0
// Asks the loader for the layer before any device is opened, and the layer for its numbers.
#include "tests/support/vulkan_watch.h"

#include <array>
#include <cstdlib>
#include <format>

#include <dlfcn.h>

namespace sluice::testing {

namespace {

// Other layers that the environment asks for stay.
bool ask_for_layer() {
    const auto add = [](const char* name, std::string value) {
        if (const char* before = std::getenv(name); before != nullptr && *before != '\0') {
            value += std::string(":") + before;
        }
        return ::setenv(name, value.c_str(), 1) == 0;
    };
    return add("VK_ADD_LAYER_PATH", SLUICE_WATCH_FOLDER) &&
           add("VK_INSTANCE_LAYERS", "VK_LAYER_SLUICE_watch");
}
const bool kAsked = ask_for_layer();

template <typename Call>
Call find(const char* name) {
    // The same file that the loader opens: one set of counters.
    static void* const layer =
        ::dlopen(SLUICE_WATCH_FOLDER "/" SLUICE_WATCH_FILE, RTLD_NOW | RTLD_LOCAL);
    return layer == nullptr ? nullptr : reinterpret_cast<Call>(::dlsym(layer, name));
}

constexpr std::array kMaking{"vkCreate", "vkAllocate", "vkFree",         "vkDestroy",   "vkUpdate",
                             "vkBind",   "vkMap",      "vkBeginCommand", "vkEndCommand"};

} // namespace

namespace vulkan_watch {

std::uint64_t calls(const char* prefix) {
    static const auto ask = find<std::uint64_t (*)(const char*)>("sluice_watch_calls");
    return ask == nullptr ? 0 : ask(prefix);
}

bool works() {
    return kAsked && calls("vkCreate") > 0;
}

std::uint64_t making_calls() {
    std::uint64_t sum = 0;
    for (const char* prefix : kMaking) {
        sum += calls(prefix);
    }
    return sum;
}

std::string list() {
    std::string out;
    for (const char* prefix : kMaking) {
        out += std::format("{}{}* {}", out.empty() ? "" : ", ", prefix, calls(prefix));
    }
    return out;
}

std::int64_t alive() {
    static const auto ask = find<std::int64_t (*)()>("sluice_watch_alive");
    return ask == nullptr ? 0 : ask();
}

} // namespace vulkan_watch

namespace {

void set_fault(const char* prefix, std::uint64_t nth, int result, bool stays) {
    static const auto set =
        find<void (*)(const char*, std::uint64_t, int, bool)>("sluice_watch_fail");
    if (set != nullptr) {
        set(prefix, nth, result, stays);
    }
}

} // namespace

VulkanFault::VulkanFault(const char* prefix, std::uint64_t nth, int result, bool stays) {
    set_fault(prefix, nth, result, stays);
}

VulkanFault::~VulkanFault() {
    set_fault("", 0, 0, false);
}

bool VulkanFault::happened() const {
    static const auto ask = find<std::uint64_t (*)()>("sluice_watch_failed");
    return ask != nullptr && ask() > 0;
}

} // namespace sluice::testing
