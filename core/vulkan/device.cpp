// SPDX-License-Identifier: Apache-2.0
// Submission, waiting and retirement.
#include "core/vulkan/device.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <expected>
#include <format>
#include <iterator>
#include <memory>
#include <mutex>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/vulkan/device_state.h"
#include "core/vulkan/instance.h"
#include "core/vulkan/pipeline.h"
#include "core/vulkan/sync_files.h"

namespace sluice::vulkan {

namespace {

// The arrays of one submission, on the stack.
struct SubmitArrays {
    VkSemaphore wait = VK_NULL_HANDLE;
    std::array<VkSemaphore, 2> signal{};
    std::uint64_t wait_value = 0; // ignored for a binary semaphore
    std::array<std::uint64_t, 2> signal_values{};
    VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
};

VkResult queue_submit(const VolkDeviceTable& table, VkQueue queue, VkCommandBuffer commands,
                      const SubmitArrays& arrays) {
    const auto waits = arrays.wait != VK_NULL_HANDLE ? 1U : 0U;
    const auto signals = arrays.signal[1] != VK_NULL_HANDLE ? 2U : 1U;
    const VkTimelineSemaphoreSubmitInfo values{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .waitSemaphoreValueCount = waits,
        .pWaitSemaphoreValues = &arrays.wait_value,
        .signalSemaphoreValueCount = signals,
        .pSignalSemaphoreValues = arrays.signal_values.data(),
    };
    const VkSubmitInfo info{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .pNext = &values,
        .waitSemaphoreCount = waits,
        .pWaitSemaphores = &arrays.wait,
        .pWaitDstStageMask = &arrays.stage,
        .commandBufferCount = commands != VK_NULL_HANDLE ? 1U : 0U,
        .pCommandBuffers = &commands,
        .signalSemaphoreCount = signals,
        .pSignalSemaphores = arrays.signal.data(),
    };
    return table.vkQueueSubmit(queue, 1, &info, VK_NULL_HANDLE);
}

} // namespace

std::uint64_t Device::State::value() const {
    std::uint64_t reached = 0;
    if (table.vkGetSemaphoreCounterValue(device, timeline.get(), &reached) != VK_SUCCESS) {
        return 0;
    }
    return reached;
}

// Under the lock.
Error Device::State::failed(VkResult result, std::string_view call) {
    if (result == VK_ERROR_DEVICE_LOST && !lost.exchange(true)) {
        // Some call said so, which does not mean that all work has stopped: who is told may let go
        // of what it uses. A device that is really lost returns in finite time.
        if (!shared.owner) { // whose queues others may be using
            table.vkDeviceWaitIdle(device);
        }
        log::write(log::Level::Error, "vulkan",
                   std::format("device '{}' is lost in {}", profile.name, call));
    }
    return vulkan_error(result, call);
}

// Under the lock; the caller lets them go when it has left it, since they may call the device.
std::vector<Waiting> Device::State::take_done() {
    if (retired.empty()) {
        return {}; // allocates nothing
    }
    const std::uint64_t reached = lost ? UINT64_MAX : value();
    const auto done = std::ranges::partition(
        retired, [&](const Waiting& waiting) { return waiting.value > reached; });
    std::vector<Waiting> taken(std::make_move_iterator(done.begin()),
                               std::make_move_iterator(done.end()));
    retired.erase(done.begin(), done.end());
    return taken;
}

Device::Device(std::shared_ptr<State> state) : state_(std::move(state)) {}

Device::~Device() {
    // The one place that waits: what is retired may be in use until the last submission is done.
    if (state_->last > 0 && state_->shared.owner) {
        std::ignore = wait(state_->last);
    } else if (state_->last > 0) {
        state_->table.vkDeviceWaitIdle(state_->device);
    }
    state_->retired.clear();
    if (state_->pipelines && !state_->lost) {
        state_->pipelines->save();
    }
}

const DeviceProfile& Device::profile() const {
    return state_->profile;
}
VkDevice Device::handle() const {
    return state_->device;
}
VkPhysicalDevice Device::physical() const {
    return state_->physical;
}
std::uint32_t Device::queue_family() const {
    return state_->family;
}
const VolkDeviceTable& Device::table() const {
    return state_->table;
}
const VkPhysicalDeviceMemoryProperties& Device::memory_properties() const {
    return state_->memory;
}
PipelineStore& Device::pipelines() {
    return *state_->pipelines;
}
std::shared_ptr<const void> Device::lifeline() const {
    return state_;
}
bool Device::lost() const {
    return state_->lost;
}

Result<Device::Submitted> Device::submit(Submission submission) {
    State& state = *state_;
    std::vector<Waiting> done; // let go after the lock
    const std::lock_guard hold(state.lock);
    if (state.lost) {
        return std::unexpected(vulkan_error(VK_ERROR_DEVICE_LOST, "vkQueueSubmit"));
    }
    const bool uses_sync_files = submission.wait_sync_file || submission.export_sync_file;
    if (uses_sync_files && !state.profile.sync_fd) {
        return fail(ErrorCode::Unsupported, "device '{}' has no sync files", state.profile.name);
    }
    const std::uint64_t reached = uses_sync_files ? value_reached() : 0;
    SubmitArrays arrays;
    SyncFiles::Slot* wait = nullptr;
    SyncFiles::Slot* signal = nullptr;
    if (submission.wait_sync_file) {
        SLUICE_TRY_ASSIGN(wait,
                          state.sync_files->import(std::move(submission.wait_sync_file), reached));
        arrays.wait = wait->semaphore.get();
    }
    if (submission.export_sync_file) {
        SLUICE_TRY_ASSIGN(signal, state.sync_files->exportable(reached));
        arrays.signal[1] = signal->semaphore.get();
    }
    const std::uint64_t value = state.last + 1;
    arrays.signal[0] = state.timeline.get();
    arrays.signal_values[0] = value;
    if (state.shared.lock_queue) {
        state.shared.lock_queue();
    }
    const VkResult result = queue_submit(state.table, state.queue, submission.commands, arrays);
    if (state.shared.unlock_queue) {
        state.shared.unlock_queue();
    }
    if (result != VK_SUCCESS) {
        return std::unexpected(state.failed(result, "vkQueueSubmit"));
    }
    state.last = value;
    for (SyncFiles::Slot* slot : {wait, signal}) {
        if (slot != nullptr) {
            slot->busy_until = value;
        }
    }
    Submitted submitted{.value = value, .sync_file = {}};
    if (signal != nullptr) {
        SLUICE_TRY_ASSIGN(submitted.sync_file, state.sync_files->export_file(*signal));
    }
    done = state.take_done();
    return submitted;
}

std::uint64_t Device::value_reached() const {
    return state_->value();
}

Status Device::wait(std::uint64_t value, std::uint64_t timeout_ns) {
    State& state = *state_;
    if (state.lost) {
        return std::unexpected(vulkan_error(VK_ERROR_DEVICE_LOST, "vkWaitSemaphores"));
    }
    const VkSemaphore semaphore = state.timeline.get();
    const VkSemaphoreWaitInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
        .semaphoreCount = 1,
        .pSemaphores = &semaphore,
        .pValues = &value,
    };
    const VkResult result = state.table.vkWaitSemaphores(state.device, &info, timeout_ns);
    if (result == VK_TIMEOUT) {
        return fail(ErrorCode::Io, "device '{}' did not finish within {} ms", state.profile.name,
                    timeout_ns / 1'000'000);
    }
    if (result != VK_SUCCESS) {
        const std::lock_guard hold(state.lock);
        return std::unexpected(state.failed(result, "vkWaitSemaphores"));
    }
    return {};
}

bool Device::reached(std::uint64_t value) const {
    return value_reached() >= value;
}

std::uint64_t Device::last_submitted() const {
    return state_->last;
}

void Device::retire(std::unique_ptr<Retired> object, std::uint64_t value) {
    std::vector<Waiting> done; // let go after the lock
    const std::lock_guard hold(state_->lock);
    state_->retired.push_back({.object = std::move(object), .value = value});
    done = state_->take_done();
}

bool Device::validated() {
    const auto made = instance();
    return made && (*made)->validation;
}

std::uint64_t Device::validation_messages() {
    return validation_message_count();
}

Error vulkan_error(VkResult result, std::string_view call) {
    switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        return {.code = ErrorCode::OutOfMemory,
                .message = std::format("{}: the host's memory is exhausted", call)};
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        return {.code = ErrorCode::OutOfMemory,
                .message = std::format("{}: the device's memory is exhausted", call)};
    case VK_ERROR_DEVICE_LOST:
        return {.code = ErrorCode::DeviceLost,
                .message = std::format("{}: the device is lost; open it anew", call)};
    default:
        return {.code = ErrorCode::Internal,
                .message = std::format("{}: VkResult {}", call, static_cast<int>(result))};
    }
}

} // namespace sluice::vulkan
