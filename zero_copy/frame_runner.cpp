// SPDX-License-Identifier: Apache-2.0
// FrameRunner: import, fences, recording, submission, wait.
#include "zero_copy/frame_runner.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/vulkan/device.h"
#include "core/vulkan/recording.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/sync.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

namespace {

using Imported = std::array<std::shared_ptr<ImportedFrame>, FrameRunner::kMaxFrames>;

// Whether the same memory may come again: else nothing that was made for it is kept.
bool comes_again(const FrameRunner::Frame& frame) {
    return std::ranges::all_of(frame.frame->memories(), can_be_named);
}

bool has_dma_buf(const ExternalFrame& frame) {
    return std::ranges::any_of(frame.memories(), [](const FrameMemory& memory) {
        return memory.kind == MemoryKind::DmaBuf;
    });
}

// Gives the work's fence to the frames' later users.
Status hand_back(std::span<const FrameRunner::Frame> frames, const UniqueFd& fence) {
    for (const FrameRunner::Frame& frame : frames) {
        if (fence) {
            SLUICE_TRY_ASSIGN(UniqueFd copy, fence.dup());
            SLUICE_TRY(release_fence(*frame.frame, std::move(copy), frame.access));
        }
    }
    return {};
}

} // namespace

struct FrameRunner::State {
    struct Recorded {
        Imported frames; // keeps them: their addresses are the key
        std::uint64_t variant;
        vulkan::Recording recording;
        std::uint64_t used;
    };

    State(std::shared_ptr<vulkan::Device> opened, std::size_t limit)
        : device(std::move(opened)), imports(device, limit), capacity(limit) {}

    std::shared_ptr<vulkan::Device> device;
    VulkanImports imports;
    std::size_t capacity;
    std::vector<Recorded> recorded;
    std::uint64_t clock = 0;
    std::size_t made = 0;
    ImportMethod last_method = ImportMethod::Upload;

    [[nodiscard]] Result<vulkan::Recording*> recording_of(const Imported& frames, std::size_t count,
                                                          std::uint64_t variant, const Work& work);
    void drop(const vulkan::Recording* recording);
    [[nodiscard]] Status submit(std::span<const Frame> frames, vulkan::Recording& recording,
                                std::span<vulkan::Recording* const> then);
};

Result<vulkan::Recording*> FrameRunner::State::recording_of(const Imported& frames,
                                                            std::size_t count,
                                                            std::uint64_t variant,
                                                            const Work& work) {
    for (Recorded& known : recorded) {
        if (known.variant == variant && known.frames == frames) {
            known.used = ++clock;
            return &known.recording;
        }
    }
    SLUICE_TRY_ASSIGN(vulkan::Recording recording, vulkan::Recording::create(device));
    const ImportedFrames given = std::span(frames).first(count);
    for (const auto& frame : given) {
        frame->acquire(recording);
    }
    SLUICE_TRY(work.record(work.context, recording, given));
    for (const auto& frame : given) {
        frame->release(recording);
    }
    SLUICE_TRY(recording.finish());
    if (recorded.size() >= capacity) {
        recorded.erase(std::ranges::min_element(recorded, {}, &Recorded::used));
    }
    ++made;
    recorded.push_back(
        {.frames = frames, .variant = variant, .recording = std::move(recording), .used = ++clock});
    return &recorded.back().recording;
}

Status FrameRunner::State::submit(std::span<const Frame> frames, vulkan::Recording& recording,
                                  std::span<vulkan::Recording* const> then) {
    const bool sync_files = device->profile().sync_fd;
    UniqueFd wait;
    bool shared = false;
    for (const Frame& frame : frames) {
        SLUICE_TRY_ASSIGN(UniqueFd fence, acquire_fence(*frame.frame, frame.access, sync_files));
        SLUICE_TRY_ASSIGN(wait, merge_sync_files(std::move(wait), std::move(fence)));
        shared = shared || has_dma_buf(*frame.frame);
    }
    SLUICE_TRY_ASSIGN(const vulkan::Device::Submitted submitted,
                      recording.submit(std::move(wait), shared && sync_files));
    std::uint64_t last = submitted.value;
    Status handed_on = hand_back(frames, submitted.sync_file);
    for (auto next = then.begin(); handed_on && next != then.end(); ++next) {
        auto following = (*next)->submit();
        if (following) {
            last = following->value;
        } else {
            handed_on = std::unexpected(std::move(following).error());
        }
    }
    // Also after a failure: the frames' memory may go when this returns.
    SLUICE_TRY(device->wait(last));
    return handed_on;
}

void FrameRunner::State::drop(const vulkan::Recording* recording) {
    std::erase_if(recorded, [&](const Recorded& known) { return &known.recording == recording; });
}

FrameRunner::FrameRunner(std::shared_ptr<vulkan::Device> device, std::size_t capacity)
    : state_(std::make_unique<State>(std::move(device), std::max<std::size_t>(capacity, 1))) {}
Result<FrameRunner> FrameRunner::open(std::string_view selector) {
    SLUICE_TRY_ASSIGN(auto device, vulkan::Device::open(selector));
    return FrameRunner(std::move(device));
}
FrameRunner::~FrameRunner() = default;
FrameRunner::FrameRunner(FrameRunner&&) noexcept = default;
FrameRunner& FrameRunner::operator=(FrameRunner&&) noexcept = default;

Status FrameRunner::run_work(std::span<const Frame> frames, std::uint64_t variant,
                             CopyLedger& ledger, const Work& work) {
    State& state = *state_;
    if (frames.empty() || frames.size() > kMaxFrames) {
        return fail(ErrorCode::InvalidArgument, "frame runner: {} frames given, 1 to {} are run",
                    frames.size(), kMaxFrames);
    }
    Imported imported;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        SLUICE_TRY_ASSIGN(
            imported[i],
            state.imports.get(*frames[i].frame, {.write = frames[i].access != CpuAccess::Read,
                                                 .read = frames[i].access != CpuAccess::Write}));
        if (frames[i].access != CpuAccess::Write) {
            SLUICE_TRY(imported[i]->upload(*frames[i].frame, ledger));
        }
    }
    state.last_method = imported[0]->method();
    SLUICE_TRY_ASSIGN(vulkan::Recording* const recording,
                      state.recording_of(imported, frames.size(), variant, work));
    const Status submitted = state.submit(frames, *recording, work.then);
    if (!submitted || !std::ranges::all_of(frames, comes_again)) {
        // The device is done with it, or lost.
        state.drop(recording);
    }
    SLUICE_TRY(submitted);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        if (frames[i].access != CpuAccess::Read) {
            SLUICE_TRY(imported[i]->download(*frames[i].frame, ledger));
        }
    }
    return {};
}

void FrameRunner::forget_recordings() {
    state_->recorded.clear();
}
void FrameRunner::forget(const MemoryIdentity& memory) {
    // Recordings keep imports alive.
    std::erase_if(state_->recorded, [&](const State::Recorded& known) {
        return std::ranges::any_of(known.frames, [&](const auto& frame) {
            return frame != nullptr && frame->lies_in(memory);
        });
    });
    state_->imports.forget(memory);
}
const std::shared_ptr<vulkan::Device>& FrameRunner::device() const {
    return state_->device;
}
VulkanImports& FrameRunner::imports() {
    return state_->imports;
}
std::size_t FrameRunner::recordings() const {
    return state_->made;
}
ImportMethod FrameRunner::last_method() const {
    return state_->last_method;
}

} // namespace sluice::zero_copy
