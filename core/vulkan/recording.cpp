// SPDX-License-Identifier: Apache-2.0
// Command buffers with their barriers.
#include "core/vulkan/recording.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/vulkan/descriptor_sets.h"
#include "core/vulkan/dispatch.h"
#include "core/vulkan/hazards.h"
#include "core/vulkan/pipeline.h"

namespace sluice::vulkan {

namespace {

constexpr VkPipelineStageFlags kWork =
    VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
constexpr VkAccessFlags kReads = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT;
constexpr VkAccessFlags kWrites = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;

bool reads(Access access) {
    return access != Access::Write;
}
bool writes(Access access) {
    return access != Access::Read;
}

// What the device may still use when the recording is gone.
struct Objects final : Retired {
    CommandPoolHandle commands; // and with it the command buffer
    DescriptorSets sets;
};

} // namespace

struct Recording::State {
    explicit State(std::shared_ptr<Device> d) : device(std::move(d)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (last > 0 && !device->reached(last)) {
            device->retire(std::move(objects), last);
        }
    }

    std::shared_ptr<Device> device; // first: destroyed last
    std::unique_ptr<Objects> objects = std::make_unique<Objects>();
    VkCommandBuffer commands = VK_NULL_HANDLE;
    Hazards hazards;
    RecordingCounts counts;
    bool finished = false;
    std::uint64_t last = 0; // submission

    [[nodiscard]] const VolkDeviceTable& table() const { return device->table(); }
    [[nodiscard]] Status begin();
    [[nodiscard]] Status check_open() const;
    void memory_barrier(VkPipelineStageFlags from, VkAccessFlags written, VkPipelineStageFlags to,
                        VkAccessFlags touched);
    void touch(std::span<const Hazards::Touched> all);
    void transfer_image(VkImage image, VkImageLayout layout, bool in);
    void transfer_buffer(const BufferRange& range, bool in);
    [[nodiscard]] std::uint32_t outside() const {
        return device->profile().foreign_queue ? VK_QUEUE_FAMILY_FOREIGN_EXT
                                               : VK_QUEUE_FAMILY_EXTERNAL;
    }
};

Status Recording::State::begin() {
    const VkCommandPoolCreateInfo pool_info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .queueFamilyIndex = device->queue_family(),
    };
    VkCommandPool pool = VK_NULL_HANDLE;
    if (const VkResult result =
            table().vkCreateCommandPool(device->handle(), &pool_info, nullptr, &pool);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreateCommandPool"));
    }
    objects->commands = device->own<CommandPoolHandle>(pool);
    const VkCommandBufferAllocateInfo buffer_info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1,
    };
    if (const VkResult result =
            table().vkAllocateCommandBuffers(device->handle(), &buffer_info, &commands);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkAllocateCommandBuffers"));
    }
    const VkCommandBufferBeginInfo begin_info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
        // It may be submitted again before it is done: submissions follow each other by barriers.
        .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
    };
    if (const VkResult result = table().vkBeginCommandBuffer(commands, &begin_info);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkBeginCommandBuffer"));
    }
    // After whatever was submitted before. The host's writes are seen without.
    memory_barrier(kWork, kWrites, kWork, kReads | kWrites);
    return {};
}

void Recording::State::memory_barrier(VkPipelineStageFlags from, VkAccessFlags written,
                                      VkPipelineStageFlags to, VkAccessFlags touched) {
    const VkMemoryBarrier barrier{
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = written,
        .dstAccessMask = touched,
    };
    table().vkCmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, nullptr, 0, nullptr);
    ++counts.barriers;
    hazards.clear();
}

// Before a command that touches `all`.
void Recording::State::touch(std::span<const Hazards::Touched> all) {
    if (std::ranges::any_of(all, [&](const auto& next) { return hazards.conflicts(next); })) {
        memory_barrier(kWork, kWrites, kWork, kReads | kWrites);
    }
    for (const Hazards::Touched& touched : all) {
        hazards.add(touched);
    }
}

Status Recording::State::check_open() const {
    return finished ? fail(ErrorCode::Internal, "the recording is finished") : Status{};
}

void Recording::State::transfer_image(VkImage image, VkImageLayout layout, bool in) {
    const VkImageMemoryBarrier barrier{
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
        .srcAccessMask = in ? 0U : kWrites,
        .dstAccessMask = in ? kReads | kWrites : 0U,
        .oldLayout = layout,
        .newLayout = layout,
        .srcQueueFamilyIndex = in ? outside() : device->queue_family(),
        .dstQueueFamilyIndex = in ? device->queue_family() : outside(),
        .image = image,
        .subresourceRange = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
                             .levelCount = 1,
                             .layerCount = 1},
    };
    table().vkCmdPipelineBarrier(commands, kWork, kWork, 0, 0, nullptr, 0, nullptr, 1, &barrier);
    ++counts.barriers;
}

void Recording::State::transfer_buffer(const BufferRange& range, bool in) {
    const VkBufferMemoryBarrier barrier{
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
        .srcAccessMask = in ? 0U : kWrites,
        .dstAccessMask = in ? kReads | kWrites : 0U,
        .srcQueueFamilyIndex = in ? outside() : device->queue_family(),
        .dstQueueFamilyIndex = in ? device->queue_family() : outside(),
        .buffer = range.buffer,
        .offset = range.offset,
        .size = range.bytes,
    };
    table().vkCmdPipelineBarrier(commands, kWork, kWork, 0, 0, nullptr, 1, &barrier, 0, nullptr);
    ++counts.barriers;
}

Recording::Recording(std::unique_ptr<State> state) : state_(std::move(state)) {}
Recording::Recording(Recording&&) noexcept = default;
Recording& Recording::operator=(Recording&&) noexcept = default;
Recording::~Recording() = default;

Result<Recording> Recording::create(std::shared_ptr<Device> device) {
    auto state = std::make_unique<State>(std::move(device));
    SLUICE_TRY(state->begin());
    return Recording(std::move(state));
}

Status Recording::dispatch(const Dispatch& dispatch) {
    State& state = *state_;
    SLUICE_TRY(state.check_open());
    SLUICE_TRY(check(dispatch, state.device->profile()));
    PipelineStore& pipelines = state.device->pipelines();
    SLUICE_TRY_ASSIGN(const VkPipeline pipeline,
                      pipelines.get({.shader = dispatch.shader, .constants = dispatch.constants}));
    std::vector<Hazards::Touched> touched;
    for (const Binding& binding : dispatch.buffers) {
        touched.push_back({.range = binding.range,
                           .reads = reads(binding.access),
                           .writes = writes(binding.access)});
        // What is bound in place of an operand that is not there is another one bound again.
        const bool bound_before =
            std::ranges::any_of(dispatch.buffers.data(), &binding, [&](const Binding& earlier) {
                return earlier.range.buffer == binding.range.buffer &&
                       earlier.range.offset == binding.range.offset;
            });
        state.counts.bytes_moved += bound_before ? 0 : binding.range.bytes;
    }
    for (const TextureBinding& texture : dispatch.textures) {
        touched.push_back({.image = texture.image,
                           .reads = reads(texture.access),
                           .writes = writes(texture.access)});
    }
    state.touch(touched);

    const VolkDeviceTable& table = state.table();
    const auto bind = [&](std::uint32_t index, VkDescriptorSet set) {
        table.vkCmdBindDescriptorSets(state.commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                                      pipelines.layout(), index, 1, &set, 0, nullptr);
    };
    table.vkCmdBindPipeline(state.commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    if (!dispatch.buffers.empty()) {
        SLUICE_TRY_ASSIGN(const VkDescriptorSet set,
                          state.objects->sets.of_buffers(*state.device, dispatch.buffers));
        bind(0, set);
    }
    if (!dispatch.textures.empty()) {
        SLUICE_TRY_ASSIGN(const VkDescriptorSet set,
                          state.objects->sets.of_textures(*state.device, dispatch.textures));
        bind(1, set);
    }
    if (!dispatch.push.empty()) {
        table.vkCmdPushConstants(state.commands, pipelines.layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                                 static_cast<std::uint32_t>(dispatch.push.size()),
                                 dispatch.push.data());
    }
    table.vkCmdDispatch(state.commands, dispatch.groups[0], dispatch.groups[1], dispatch.groups[2]);
    ++state.counts.dispatches;
    return {};
}

Status Recording::copy(const BufferRange& from, const BufferRange& to) {
    State& state = *state_;
    SLUICE_TRY(state.check_open());
    if (from.bytes != to.bytes || from.bytes == 0) {
        return fail(ErrorCode::Internal, "copy of {} bytes to {}", from.bytes, to.bytes);
    }
    const std::array touched{Hazards::Touched{.range = from, .reads = true},
                             Hazards::Touched{.range = to, .writes = true}};
    state.touch(touched);
    const VkBufferCopy region{.srcOffset = from.offset, .dstOffset = to.offset, .size = from.bytes};
    state.table().vkCmdCopyBuffer(state.commands, from.buffer, to.buffer, 1, &region);
    ++state.counts.copies;
    state.counts.bytes_moved += 2 * from.bytes;
    return {};
}

Status Recording::fill(const BufferRange& range, std::uint32_t word) {
    State& state = *state_;
    SLUICE_TRY(state.check_open());
    if (range.bytes == 0 || range.bytes % 4 != 0 || range.offset % 4 != 0) {
        return fail(ErrorCode::Internal, "fill of {} bytes at {}: both are multiples of 4",
                    range.bytes, range.offset);
    }
    const std::array touched{Hazards::Touched{.range = range, .writes = true}};
    state.touch(touched);
    state.table().vkCmdFillBuffer(state.commands, range.buffer, range.offset, range.bytes, word);
    ++state.counts.copies;
    state.counts.bytes_moved += range.bytes;
    return {};
}

void Recording::acquire(VkImage image, VkImageLayout layout) {
    state_->transfer_image(image, layout, true);
}
void Recording::release(VkImage image, VkImageLayout layout) {
    state_->transfer_image(image, layout, false);
}
void Recording::take(VkImage image, VkImageLayout from, VkImageLayout to) {
    const VkImageMemoryBarrier barrier{
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = to == VK_IMAGE_LAYOUT_GENERAL ? kReads | kWrites : kReads,
        .oldLayout = from,
        .newLayout = to,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = image,
        .subresourceRange = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
                             .levelCount = 1,
                             .layerCount = 1},
    };
    state_->table().vkCmdPipelineBarrier(state_->commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                         kWork, 0, 0, nullptr, 0, nullptr, 1, &barrier);
    ++state_->counts.barriers;
}
void Recording::acquire(const BufferRange& range) {
    state_->transfer_buffer(range, true);
}
void Recording::release(const BufferRange& range) {
    state_->transfer_buffer(range, false);
}

Status Recording::finish() {
    State& state = *state_;
    SLUICE_TRY(state.check_open());
    // What the host reads after the wait.
    state.memory_barrier(kWork, kWrites, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
    if (const VkResult result = state.table().vkEndCommandBuffer(state.commands);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkEndCommandBuffer"));
    }
    state.finished = true;
    return {};
}

Result<Device::Submitted> Recording::submit(UniqueFd wait_sync_file, bool export_sync_file) {
    State& state = *state_;
    if (!state.finished) {
        return fail(ErrorCode::Internal, "the recording is not finished");
    }
    auto submitted = state.device->submit({.commands = state.commands,
                                           .wait_sync_file = std::move(wait_sync_file),
                                           .export_sync_file = export_sync_file});
    if (submitted) {
        state.last = submitted->value;
    }
    return submitted;
}

Status Recording::run() {
    SLUICE_TRY_ASSIGN(const auto submitted, submit());
    return state_->device->wait(submitted.value);
}

const RecordingCounts& Recording::counts() const {
    return state_->counts;
}

VkCommandBuffer Recording::commands() const {
    return state_->commands;
}

Device& Recording::device() const {
    return *state_->device;
}

} // namespace sluice::vulkan
