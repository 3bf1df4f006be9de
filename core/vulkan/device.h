// SPDX-License-Identifier: Apache-2.0
// Device: a logical device with one compute queue and one timeline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/vulkan/api.h"
#include "core/vulkan/handle.h"
#include "core/vulkan/profile.h"
#include "core/vulkan/shared_device.h"

namespace sluice::vulkan {

class PipelineStore;

// Somebody whose Vulkan objects must outlive a submission; see Device::retire().
class Retired {
public:
    Retired() = default;
    Retired(const Retired&) = delete;
    Retired& operator=(const Retired&) = delete;
    virtual ~Retired() = default;
};

// Shared by everything that runs on it; devices opened by the same selector are one object as long
// as anybody holds it. Thread-safe: submissions are ordered by a lock.
class Device : public std::enable_shared_from_this<Device> {
public:
    // `selector`: empty (the best usable: discrete before integrated before virtual before
    // software), an index ("1"), or a part of the name, any case ("llvmpipe"). NotFound lists the
    // devices; Unsupported says what the chosen one lacks.
    //
    // SLUICE_VULKAN_VALIDATION=1 in the environment turns the Khronos validation layer on,
    // synchronisation validation included; what it says goes to the log as errors and is counted.
    [[nodiscard]] static Result<std::shared_ptr<Device>> open(std::string_view selector = {});
    // Runs on a VkDevice of somebody else's, which is not destroyed here; the same object for the
    // same VkDevice. Unsupported says what was not enabled on it. As long as anybody holds the
    // result, open() finds it by selector().
    [[nodiscard]] static Result<std::shared_ptr<Device>> adopt(SharedDevice shared);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    [[nodiscard]] const DeviceProfile& profile() const;
    // What open() takes to give this one: "1", or "@" and a number for an adopted one.
    [[nodiscard]] std::string selector() const;
    [[nodiscard]] VkDevice handle() const;
    [[nodiscard]] VkPhysicalDevice physical() const;
    [[nodiscard]] std::uint32_t queue_family() const;
    [[nodiscard]] const VolkDeviceTable& table() const;
    [[nodiscard]] const VkPhysicalDeviceMemoryProperties& memory_properties() const;
    [[nodiscard]] PipelineStore& pipelines();

    // Wraps a fresh object; for use right after vkCreateX.
    template <typename Owner, typename H>
    [[nodiscard]] Owner own(H raw) const {
        return Owner(handle(), table(), raw);
    }

    struct Submission {
        VkCommandBuffer commands = VK_NULL_HANDLE;
        // A fence that the work waits for (a sync_file); consumed. Needs profile().sync_fd.
        UniqueFd wait_sync_file = {};
        // Ask for a sync_file that signals when the work is done. Needs profile().sync_fd.
        bool export_sync_file = false;
    };
    struct Submitted {
        std::uint64_t value = 0; // of the timeline, reached when the work is done
        UniqueFd sync_file;      // if asked for
    };
    // DeviceLost, OutOfMemory. After DeviceLost every further call says so.
    [[nodiscard]] Result<Submitted> submit(Submission submission);
    // Blocks until the timeline has reached `value`. DeviceLost; Io after `timeout_ns`.
    [[nodiscard]] Status wait(std::uint64_t value, std::uint64_t timeout_ns = UINT64_MAX);
    [[nodiscard]] bool reached(std::uint64_t value) const;
    [[nodiscard]] std::uint64_t last_submitted() const;
    // Deletes `object` once the timeline has reached `value`: at some later submit() or retire(),
    // or in the destructor. Nothing waits. `object` must not hold a shared_ptr to this Device (a
    // circle; Buffers do not).
    void retire(std::unique_ptr<Retired> object, std::uint64_t value);

    // Keeps the VkDevice and table() alive, not the Device: what owners of handles hold.
    [[nodiscard]] std::shared_ptr<const void> lifeline() const;
    [[nodiscard]] bool lost() const;

    // Whether the validation layer watches.
    [[nodiscard]] static bool validated();
    // Messages of the validation layer so far, for tests; 0 while it is off.
    [[nodiscard]] static std::uint64_t validation_messages();

private:
    struct State;
    explicit Device(std::shared_ptr<State> state);
    [[nodiscard]] static Result<std::shared_ptr<Device>> make(const DeviceProfile& profile,
                                                              VkPhysicalDevice physical);
    [[nodiscard]] std::uint64_t value_reached() const;
    std::shared_ptr<State> state_;
};

// The position in `devices` that a selector means (see Device::open()), or why there is none.
[[nodiscard]] Result<std::size_t> select_device(std::span<const DeviceProfile> devices,
                                                std::string_view selector);

// An error from a VkResult: OutOfMemory, DeviceLost or Internal, with the call's name.
[[nodiscard]] Error vulkan_error(VkResult result, std::string_view call);

} // namespace sluice::vulkan
