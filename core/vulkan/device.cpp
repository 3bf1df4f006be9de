// SPDX-License-Identifier: Apache-2.0
// Opening, submission, waiting and retirement.
#include "core/vulkan/device.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/vulkan/features.h"
#include "core/vulkan/instance.h"
#include "core/vulkan/pipeline.h"
#include "core/vulkan/sync_files.h"

namespace sluice::vulkan {

namespace {

struct Waiting {
    std::unique_ptr<Retired> object;
    std::uint64_t value = 0;
};

} // namespace

// Outlives the Device as long as somebody holds its lifeline, so that handles can be destroyed.
struct Device::State {
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    // Of an adopted device what is made here goes, and the device stays.
    ~State() {
        pipelines.reset();
        sync_files.reset();
        timeline = {};
        if (device != VK_NULL_HANDLE && !shared.owner) {
            table.vkDestroyDevice(device, nullptr);
        }
    }

    SharedDevice shared; // first: let go last; with an owner where the device is adopted
    DeviceProfile profile;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    VolkDeviceTable table{};
    VkPhysicalDeviceMemoryProperties memory{};
    std::uint32_t family = 0;
    VkQueue queue = VK_NULL_HANDLE;
    SemaphoreHandle timeline;
    std::unique_ptr<SyncFiles> sync_files;
    std::unique_ptr<PipelineStore> pipelines;

    std::atomic<bool> lost = false;
    std::atomic<std::uint64_t> last = 0; // submitted; written under the lock
    std::mutex lock;                     // guards queue, sync_files, retired and what follows
    std::vector<Waiting> retired;

    [[nodiscard]] Status create();
    [[nodiscard]] Status prepare();
    [[nodiscard]] std::uint64_t value() const;
    [[nodiscard]] Error failed(VkResult result, std::string_view call);
    [[nodiscard]] std::vector<Waiting> take_done();
};

Status Device::State::create() {
    const Features features(physical);
    family = compute_queue_family(physical).value_or(0);
    constexpr float kPriority = 1.0F;
    const VkDeviceQueueCreateInfo queue_info{
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueFamilyIndex = family,
        .queueCount = 1,
        .pQueuePriorities = &kPriority,
    };
    const VkDeviceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .pNext = &features.base,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue_info,
        .enabledExtensionCount = static_cast<std::uint32_t>(features.extensions.size()),
        .ppEnabledExtensionNames = features.extensions.data(),
    };
    if (const VkResult result = vkCreateDevice(physical, &info, nullptr, &device);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreateDevice"));
    }
    volkLoadDeviceTable(&table, device);
    table.vkGetDeviceQueue(device, family, 0, &queue);
    return prepare();
}

// What is made on any device.
Status Device::State::prepare() {
    vkGetPhysicalDeviceMemoryProperties(physical, &memory);

    const VkSemaphoreTypeCreateInfo type{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
        .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
    };
    const VkSemaphoreCreateInfo semaphore{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
        .pNext = &type,
    };
    VkSemaphore raw = VK_NULL_HANDLE;
    if (const VkResult result = table.vkCreateSemaphore(device, &semaphore, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreateSemaphore"));
    }
    timeline = SemaphoreHandle(device, table, raw);
    sync_files = std::make_unique<SyncFiles>(device, table);
    return {};
}

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

Result<std::shared_ptr<Device>> Device::make(const DeviceProfile& profile,
                                             VkPhysicalDevice physical) {
    auto state = std::make_shared<State>();
    state->profile = profile;
    state->physical = physical;
    SLUICE_TRY(state->create());
    const std::shared_ptr<Device> device(new Device(std::move(state)));
    SLUICE_TRY_ASSIGN(device->state_->pipelines, PipelineStore::create(*device));
    return device;
}

namespace {

// Those that are adopted, by selector.
struct Adopted {
    std::mutex lock;
    std::map<std::string, std::weak_ptr<Device>, std::less<>> devices;
};
Adopted& adopted() {
    static Adopted all;
    return all;
}

std::string selector_of(VkDevice device) {
    return std::format("@{:x}", reinterpret_cast<std::uintptr_t>(device));
}

Result<std::shared_ptr<Device>> find_adopted(std::string_view selector) {
    Adopted& all = adopted();
    const std::lock_guard hold(all.lock);
    const auto at = all.devices.find(selector);
    auto device = at != all.devices.end() ? at->second.lock() : nullptr;
    if (device == nullptr) {
        return fail(ErrorCode::NotFound, "nobody shares a Vulkan device '{}' any more", selector);
    }
    return device;
}

} // namespace

Result<std::shared_ptr<Device>> Device::adopt(SharedDevice shared) {
    // Loads the functions that are no device's. They work on any instance of the loader.
    SLUICE_TRY_ASSIGN([[maybe_unused]] const Instance* of, instance());
    const std::string selector = selector_of(shared.device);
    Adopted& all = adopted();
    const std::lock_guard hold(all.lock);
    std::weak_ptr<Device>& slot = all.devices[selector];
    if (auto existing = slot.lock(); existing != nullptr && !existing->lost()) {
        return existing;
    }
    auto state = std::make_shared<State>();
    state->profile = profile_of(shared);
    if (!state->profile.unusable.empty()) {
        return fail(ErrorCode::Unsupported, "the shared Vulkan device '{}' cannot be used: {}",
                    state->profile.name, state->profile.unusable);
    }
    state->physical = shared.physical;
    state->device = shared.device;
    state->family = shared.queue_family;
    state->queue = shared.queue;
    volkLoadDeviceTable(&state->table, shared.device);
    state->shared = std::move(shared);
    SLUICE_TRY(state->prepare());
    const std::shared_ptr<Device> device(new Device(std::move(state)));
    SLUICE_TRY_ASSIGN(device->state_->pipelines, PipelineStore::create(*device));
    slot = device;
    log::info("vulkan", "runs on the shared device '{}'", device->profile().name);
    return device;
}

std::string Device::selector() const {
    return state_->shared.owner ? selector_of(state_->device) : std::to_string(profile().index);
}

Result<std::shared_ptr<Device>> Device::open(std::string_view selector) {
    if (selector.starts_with('@')) {
        return find_adopted(selector);
    }
    static std::mutex lock; // guards opened
    static std::map<std::size_t, std::weak_ptr<Device>> opened;
    SLUICE_TRY_ASSIGN(const auto profiles, list_devices());
    SLUICE_TRY_ASSIGN(const std::size_t index, select_device(profiles, selector));
    SLUICE_TRY_ASSIGN(const Instance* of, instance());
    const std::lock_guard hold(lock);
    std::weak_ptr<Device>& slot = opened[index];
    if (auto existing = slot.lock(); existing != nullptr && !existing->lost()) {
        return existing;
    }
    auto made = make(profiles[index], of->devices[index]);
    if (!made) {
        return std::unexpected(std::move(made).error().within(
            std::format("opening Vulkan device {} '{}'", index, profiles[index].name)));
    }
    slot = *made;
    log::info("vulkan", "opened device {} '{}' ({})", index, profiles[index].name,
              profiles[index].driver);
    return made;
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
