// SPDX-License-Identifier: Apache-2.0
// FrameRunner: device work on frames of others, recorded once for each set of frames and submitted
// whenever they come again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/recording.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/sync.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

// The frames as the work sees them, in the order that they were given.
using ImportedFrames = std::span<const std::shared_ptr<ImportedFrame>>;

// One a stream; one thread at a time. A run imports the frames, waits for their producers' fences,
// takes them over, does the work, hands them back with a fence and waits for the work. Frames that
// nothing could import are copied, and counted. After the first run on a set of frames nothing is
// allocated.
class FrameRunner {
public:
    static constexpr std::size_t kMaxFrames = 2;
    struct Frame {
        const ExternalFrame* frame = nullptr;
        CpuAccess access = CpuAccess::Read; // what the work does to it
    };

    // Keeps up to `capacity` imports and recordings.
    explicit FrameRunner(std::shared_ptr<vulkan::Device> device,
                         std::size_t capacity = VulkanImports::kDefaultCapacity);
    // On the device that a selector names; see vulkan::Device::open().
    [[nodiscard]] static Result<FrameRunner> open(std::string_view selector);
    ~FrameRunner();
    FrameRunner(FrameRunner&&) noexcept;
    FrameRunner& operator=(FrameRunner&&) noexcept;

    // `record(Recording&, ImportedFrames) -> Status` appends the work, once for each set of frames
    // and `variant`, a number that the caller gives to each kind of work. `then` are submitted
    // after it, in order: work of the caller's that does not touch the frames, which are handed
    // back before it, and that does not have to be recorded for each of them.
    template <typename Record>
    [[nodiscard]] Status run(std::span<const Frame> frames, std::uint64_t variant,
                             CopyLedger& ledger, Record&& record,
                             std::span<vulkan::Recording* const> then = {}) {
        using Plain = std::remove_reference_t<Record>;
        return run_work(frames, variant, ledger,
                        Work{.context = const_cast<std::remove_const_t<Plain>*>(&record),
                             .record = [](void* context, vulkan::Recording& recording,
                                          ImportedFrames imported) -> Status {
                                 return (*static_cast<Plain*>(context))(recording, imported);
                             },
                             .then = then});
    }
    // Recordings refer to what the work bound: forget them before that goes away.
    void forget_recordings();
    // The memory is gone, or another one has its identity now: imports of it go, and recordings
    // that use them.
    void forget(const MemoryIdentity& memory);

    [[nodiscard]] const std::shared_ptr<vulkan::Device>& device() const;
    [[nodiscard]] VulkanImports& imports();
    [[nodiscard]] std::size_t recordings() const;   // made so far
    [[nodiscard]] ImportMethod last_method() const; // of the first frame of the last run

private:
    struct Work {
        void* context;
        Status (*record)(void* context, vulkan::Recording& recording, ImportedFrames imported);
        std::span<vulkan::Recording* const> then;
    };
    [[nodiscard]] Status run_work(std::span<const Frame> frames, std::uint64_t variant,
                                  CopyLedger& ledger, const Work& work);

    struct State;
    std::unique_ptr<State> state_;
};

} // namespace sluice::zero_copy
