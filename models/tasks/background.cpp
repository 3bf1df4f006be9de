// SPDX-License-Identifier: Apache-2.0
// FrameBackground: the mask as the device's matte, and the blend.
#include "models/tasks/background.h"

#include <array>
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
    [[nodiscard]] Status prepare(const zero_copy::FrameFormat& frame,
                                 const BackgroundBlend::Mask& mask);
    void hand_over(const BackgroundBlend::Mask& mask) const;
};

void FrameBackground::State::drop() {
    runner.forget_recordings();
    format.reset();
    blend.reset();
}

Status FrameBackground::State::prepare(const zero_copy::FrameFormat& frame,
                                       const BackgroundBlend::Mask& mask) {
    if (format == frame && width == mask.width && height == mask.height) {
        return {};
    }
    drop();
    width = mask.width;
    height = mask.height;
    SLUICE_TRY_ASSIGN(matte, zero_copy::DeviceBuffer::create(runner.device(),
                                                             sizeof(float) * width * height,
                                                             vulkan::Placement::Upload));
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

Status FrameBackground::run(const ExternalFrame& frame, const BackgroundBlend::Mask& mask,
                            CopyLedger& ledger) {
    State& state = *state_;
    SLUICE_TRY(state.prepare(frame.format(), mask));
    state.hand_over(mask);
    const std::array frames{
        FrameRunner::Frame{.frame = &frame, .access = zero_copy::CpuAccess::ReadWrite}};
    return state.runner.run(
        frames, 0, ledger,
        [&](vulkan::Recording& recording, zero_copy::ImportedFrames imported) -> Status {
            return state.blend->record(recording, *imported[0], state.matte.range());
        });
}

void FrameBackground::forget(const zero_copy::MemoryIdentity& memory) {
    state_->runner.forget(memory);
}

FrameBackground::FrameBackground(std::unique_ptr<State> state) : state_(std::move(state)) {}
FrameBackground::FrameBackground(FrameBackground&&) noexcept = default;
FrameBackground& FrameBackground::operator=(FrameBackground&&) noexcept = default;
FrameBackground::~FrameBackground() = default;

} // namespace sluice::tasks
