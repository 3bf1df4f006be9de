// SPDX-License-Identifier: Apache-2.0
// What the program's Vulkan calls were, by the layer that watches them.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::testing {

// The layer counts the calls of all who use Vulkan in this process (the program and the plugin have
// a volk each), above the validation layer, whose own calls are not among them. It knows every call
// that makes something; those that it does not watch are hidden from the program.
namespace vulkan_watch {

// Whether the layer is in the way of calls: false before a device is opened, and where the loader
// did not find it.
[[nodiscard]] bool works();
// Calls so far whose names begin so: "vkCreate", "vkQueueSubmit".
[[nodiscard]] std::uint64_t calls(const char* prefix);
// Those that a steady state has none of: vkCreate*, vkAllocate*, vkFree*, vkDestroy*,
// vkUpdateDescriptorSets, vkBind*, vkMapMemory, vkBegin- and vkEndCommandBuffer.
[[nodiscard]] std::uint64_t making_calls();
// How often each of them was called, for the message of a failed test.
[[nodiscard]] std::string list();
// Objects and memories that were made and not destroyed.
[[nodiscard]] std::int64_t alive();

} // namespace vulkan_watch

// While it lives, the `nth` call (1: the next) whose name begins so fails, without being made; and
// all later ones if it `stays`.
class VulkanFault {
public:
    VulkanFault(const char* prefix, std::uint64_t nth, int result, bool stays = false);
    ~VulkanFault();
    VulkanFault(const VulkanFault&) = delete;
    VulkanFault& operator=(const VulkanFault&) = delete;

    [[nodiscard]] bool happened() const;
};

} // namespace sluice::testing
