// SPDX-License-Identifier: Apache-2.0
// FrameBackground: the mask as the device's matte, and the blend.
#include "models/tasks/background.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "zero_copy/device_background.h"
#include "zero_copy/frame_runner.h"
#include "zero_copy/sync.h"

namespace sluice::tasks {

using zero_copy::BackgroundBlend;
using zero_copy::ExternalFrame;
using zero_copy::FrameRunner;

namespace {
// Among the recordings of a device; mattes of the device go by their numbers, which begin with 1.
constexpr std::uint64_t kOwnMatte = 0;
} // namespace

struct FrameBackground::State {
    explicit State(FrameRunner opened) : runner(std::move(opened)) {}

    zero_copy::BackgroundSettings settings;
    std::optional<zero_copy::FrameFormat> format; // that the rest is made for
    std::uint32_t width = 0;                      // of the mask
    std::uint32_t height = 0;
    std::optional<zero_copy::DeviceBackground> blend;
    zero_copy::DeviceBuffer matte;
    FrameRunner runner; // destroyed first: its recordings refer to the others

    void drop();
    // `own`: the mask is the host's, so that a buffer takes it.
    [[nodiscard]] Status prepare(const zero_copy::FrameFormat& frame, std::uint32_t mask_width,
                                 std::uint32_t mask_height, bool own);
    [[nodiscard]] Status blend_by(const ExternalFrame& frame, const vulkan::BufferRange& mask,
                                  std::uint64_t variant, CopyLedger& ledger);
    void hand_over(const BackgroundBlend::Mask& mask) const;
};

void FrameBackground::State::drop() {
    runner.forget_recordings();
    format.reset();
    blend.reset();
}

Status FrameBackground::State::prepare(const zero_copy::FrameFormat& frame,
                                       std::uint32_t mask_width, std::uint32_t mask_height,
                                       bool own) {
    const bool same = format == frame && width == mask_width && height == mask_height;
    if (!same) {
        drop();
        matte = {};
    }
    if (own && !matte) {
        SLUICE_TRY_ASSIGN(matte, zero_copy::DeviceBuffer::create(
                                     runner.device(), sizeof(float) * mask_width * mask_height,
                                     vulkan::Placement::Upload));
    }
    if (same) {
        return {};
    }
    width = mask_width;
    height = mask_height;
    SLUICE_TRY_ASSIGN(blend, zero_copy::DeviceBackground::create(
                                 runner.device(), frame, settings,
                                 {.width = width,
                                  .height = height,
                                  .classes = 1,
                                  .region = zero_copy::stretch(frame.width, frame.height)}));
    format = frame;
    return {};
}

// The device is idle between frames, so that one buffer serves. A mask is no frame data: the ledger
// does not count it.
void FrameBackground::State::hand_over(const BackgroundBlend::Mask& mask) const {
    std::byte* to = matte.mapped().data();
    for (std::size_t y = 0; y < height; ++y) {
        const std::uint8_t* const row = mask.data + (y * mask.stride_bytes);
        for (std::size_t x = 0; x < width; ++x) {
            const float value = static_cast<float>(row[x]) / 255.0F;
            std::memcpy(to, &value, sizeof(value));
            to += sizeof(value);
        }
    }
}

Result<FrameBackground> FrameBackground::create(std::string_view selector) {
    SLUICE_TRY_ASSIGN(auto runner, FrameRunner::open(selector));
    return FrameBackground(std::make_unique<State>(std::move(runner)));
}

void FrameBackground::set_background(const zero_copy::BackgroundSettings& settings) {
    state_->drop();
    state_->settings = settings;
}

Status FrameBackground::State::blend_by(const ExternalFrame& frame, const vulkan::BufferRange& mask,
                                        std::uint64_t variant, CopyLedger& ledger) {
    const std::array frames{
        FrameRunner::Frame{.frame = &frame, .access = zero_copy::CpuAccess::ReadWrite}};
    return runner.run(
        frames, variant, ledger,
        [&](vulkan::Recording& recording, zero_copy::ImportedFrames imported) -> Status {
            return blend->record(recording, *imported[0], mask);
        });
}

Status FrameBackground::run(const ExternalFrame& frame, const BackgroundBlend::Mask& mask,
                            CopyLedger& ledger) {
    State& state = *state_;
    SLUICE_TRY(state.prepare(frame.format(), mask.width, mask.height, true));
    state.hand_over(mask);
    return state.blend_by(frame, state.matte.range(), kOwnMatte, ledger);
}

Status FrameBackground::run(const ExternalFrame& frame, const zero_copy::DeviceMatte& matte,
                            CopyLedger& ledger) {
    State& state = *state_;
    if (matte.device() != state.runner.device()) {
        return fail(ErrorCode::Unsupported,
                    "background: the matte lies on '{}', the frame goes to '{}'",
                    matte.device()->profile().name, state.runner.device()->profile().name);
    }
    SLUICE_TRY(state.prepare(frame.format(), matte.width(), matte.height(), false));
    return state.blend_by(frame, matte.range(), matte.id(), ledger);
}

const std::shared_ptr<vulkan::Device>& FrameBackground::device() const {
    return state_->runner.device();
}

void FrameBackground::forget(const zero_copy::MemoryIdentity& memory) {
    state_->runner.forget(memory);
}

FrameBackground::FrameBackground(std::unique_ptr<State> state) : state_(std::move(state)) {}
FrameBackground::FrameBackground(FrameBackground&&) noexcept = default;
FrameBackground& FrameBackground::operator=(FrameBackground&&) noexcept = default;
FrameBackground::~FrameBackground() = default;

} // namespace sluice::tasks
