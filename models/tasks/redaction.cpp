// SPDX-License-Identifier: Apache-2.0
// FrameRedactor: the CPU's redactor through a mapping, or the device's.
#include "models/tasks/redaction.h"

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "core/runtime/thread_pool.h"
#include "zero_copy/device_redactor.h"
#include "zero_copy/frame_runner.h"
#include "zero_copy/sync.h"

namespace sluice::tasks {

struct FrameRedactor::State {
    FrameRedactorOptions options;
    std::optional<zero_copy::FrameFormat> format; // that the rest is made for
    std::optional<zero_copy::Redactor> host;
    std::shared_ptr<runtime::ThreadPool> threads;
    std::optional<zero_copy::DeviceRedactor> device;
    std::optional<zero_copy::FrameRunner>
        runner; // destroyed first: its recordings refer to `device`

    [[nodiscard]] Status prepare(const zero_copy::FrameFormat& frame);
    [[nodiscard]] Status run_on_device(const zero_copy::ExternalFrame& frame,
                                       std::span<const zero_copy::PixelBox> boxes,
                                       CopyLedger& ledger);
    [[nodiscard]] Status run_on_host(const zero_copy::ExternalFrame& frame,
                                     std::span<const zero_copy::PixelBox> boxes);
};

Status FrameRedactor::State::prepare(const zero_copy::FrameFormat& frame) {
    if (format == frame) {
        return {};
    }
    format.reset();
    if (runner) {
        runner->forget_recordings(); // they refer to the redactor
        SLUICE_TRY_ASSIGN(device, zero_copy::DeviceRedactor::create(
                                      runner->device(), frame, options.effect, options.blocks));
    } else {
        SLUICE_TRY_ASSIGN(host, zero_copy::Redactor::create(frame, options.effect, options.blocks));
    }
    format = frame;
    return {};
}

Status FrameRedactor::State::run_on_device(const zero_copy::ExternalFrame& frame,
                                           std::span<const zero_copy::PixelBox> boxes,
                                           CopyLedger& ledger) {
    const std::array frames{
        zero_copy::FrameRunner::Frame{.frame = &frame, .access = zero_copy::CpuAccess::ReadWrite}};
    while (!boxes.empty()) {
        boxes = boxes.subspan(device->set_boxes(boxes));
        SLUICE_TRY(
            runner->run(frames, 0, ledger,
                        [&](vulkan::Recording& recording, zero_copy::ImportedFrames imported) {
                            return device->record(recording, *imported[0]);
                        }));
    }
    return {};
}

Status FrameRedactor::State::run_on_host(const zero_copy::ExternalFrame& frame,
                                         std::span<const zero_copy::PixelBox> boxes) {
    SLUICE_TRY_ASSIGN(auto access,
                      zero_copy::FrameAccess::begin(frame, zero_copy::CpuAccess::ReadWrite));
    SLUICE_TRY_ASSIGN(const auto view, frame.mutable_view());
    host->run(view, boxes, *threads);
    return access.end();
}

Result<FrameRedactor> FrameRedactor::create(const FrameRedactorOptions& options) {
    // Small frames show what blocks can be.
    SLUICE_TRY(
        zero_copy::Redactor::create({.width = 16, .height = 16}, options.effect, options.blocks));
    auto state = std::make_unique<State>();
    state->options = options;
    if (options.engine.device.kind == DeviceKind::Vulkan) {
        SLUICE_TRY_ASSIGN(state->runner,
                          zero_copy::FrameRunner::open(options.engine.device.selector));
    } else {
        state->threads = runtime::ThreadPool::shared(options.engine.threads);
    }
    return FrameRedactor(std::move(state));
}

Status FrameRedactor::run(const zero_copy::ExternalFrame& frame,
                          std::span<const zero_copy::PixelBox> boxes, CopyLedger& ledger) {
    if (boxes.empty()) {
        return {};
    }
    State& state = *state_;
    SLUICE_TRY(state.prepare(frame.format()));
    return state.runner ? state.run_on_device(frame, boxes, ledger)
                        : state.run_on_host(frame, boxes);
}

void FrameRedactor::forget(const zero_copy::MemoryIdentity& memory) {
    if (state_->runner) {
        state_->runner->forget(memory);
    }
}

FrameRedactor::FrameRedactor(std::unique_ptr<State> state) : state_(std::move(state)) {}
FrameRedactor::FrameRedactor(FrameRedactor&&) noexcept = default;
FrameRedactor& FrameRedactor::operator=(FrameRedactor&&) noexcept = default;
FrameRedactor::~FrameRedactor() = default;

} // namespace sluice::tasks
