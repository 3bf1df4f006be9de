// SPDX-License-Identifier: Apache-2.0
// Recording: a command buffer with its descriptor sets, recorded once and submitted every frame.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/vulkan/device.h"
#include "core/vulkan/dispatch.h"
#include "core/vulkan/memory.h"

namespace sluice::vulkan {

// What a recording does per submission, for budgets in tests and for `sluice bench`.
struct RecordingCounts {
    std::uint32_t dispatches = 0;
    std::uint32_t barriers = 0;    // every kind, with the two between submissions
    std::uint32_t copies = 0;      // and fills
    std::uint64_t bytes_moved = 0; // of the ranges that each dispatch and copy touches, once each
};

// Barriers follow from the declared accesses: one global memory barrier before a dispatch or copy
// that touches bytes (overlapping ranges of one buffer, or one image) that an earlier one since the
// last barrier wrote, or that writes what one of them read. Successive submissions of recordings
// are ordered by the same rule: finish() and begin add the barriers to the outside.
//
// One thread at a time. Ranges, images and samplers must outlive the recording's last submission.
class Recording {
public:
    [[nodiscard]] static Result<Recording> create(std::shared_ptr<Device> device);
    Recording(Recording&&) noexcept;
    Recording& operator=(Recording&&) noexcept;
    ~Recording(); // retires what the device may still use

    // Internal for a range that is misaligned or too large, or too many bindings.
    [[nodiscard]] Status dispatch(const Dispatch& dispatch);
    [[nodiscard]] Status copy(const BufferRange& from, const BufferRange& to); // equal bytes
    [[nodiscard]] Status fill(const BufferRange& range, std::uint32_t word);
    // Takes an externally owned image over from, or hands it back to, the outside
    // (VK_QUEUE_FAMILY_FOREIGN_EXT where there is that extension, else EXTERNAL).
    void acquire(VkImage image, VkImageLayout layout);
    void release(VkImage image, VkImageLayout layout);
    // Somebody else's image of this device, left in layout `from` by work that was submitted to
    // its queue or has finished: waits for that work, and brings the image into layout `to`.
    void take(VkImage image, VkImageLayout from, VkImageLayout to);
    // As acquire() and release(), for an imported buffer.
    void acquire(const BufferRange& range);
    void release(const BufferRange& range);
    [[nodiscard]] Status finish();

    // After finish(), any number of times; a submission waits for the one before. Allocates
    // nothing.
    [[nodiscard]] Result<Device::Submitted> submit(UniqueFd wait_sync_file = {},
                                                   bool export_sync_file = false);
    // submit() and wait.
    [[nodiscard]] Status run();
    [[nodiscard]] const RecordingCounts& counts() const;
    // For commands that are not Sluice's (queries, another API's images); hazards are the caller's.
    [[nodiscard]] VkCommandBuffer commands() const;
    [[nodiscard]] Device& device() const;

private:
    struct State;
    explicit Recording(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};
} // namespace sluice::vulkan
