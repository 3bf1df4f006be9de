// SPDX-License-Identifier: Apache-2.0
// Redactor: boxes of a frame made unrecognisable.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "core/base/result.h"
#include "core/runtime/thread_pool.h"
#include "zero_copy/color.h"
#include "zero_copy/frame.h"
#include "zero_copy/redact_area.h"
#include "zero_copy/row_kernels.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::zero_copy {

namespace {

constexpr std::uint32_t kMaxBlocks = 128;

void fill_window(const MutableFrameView& frame, const SampleGroup& group,
                 const SampleWindow& window, const std::array<float, 4>& codes) {
    std::array<RedactStrip, 4> strips; // NOLINT: filled below where it is read
    ConstLaneStrips lanes{};
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        if (group.component_of_lane[lane] >= 0) {
            strips[lane].fill(codes[static_cast<std::size_t>(group.component_of_lane[lane])]);
            lanes[lane] = strips[lane].data();
        }
    }
    for (std::size_t y = window.top; y < window.bottom; ++y) {
        for (std::size_t x = window.left; x < window.right; x += kRedactStrip) {
            store_lanes(group, lanes, std::min(kRedactStrip, window.right - x),
                        frame.row(group.plane, y) + (x * group.step_bytes()));
        }
    }
}

void black(const MutableFrameView& frame, const RedactArea& area) {
    const std::array<float, 4> codes = color_codes(frame.format(), {0.0, 0.0, 0.0});
    for (const SampleGroup& group : sample_groups(frame.format().pixel_format)) {
        fill_window(frame, group, window_of(area, group, frame.format()), codes);
    }
}

} // namespace

struct Redactor::Scratch {
    FrameFormat format;
    RedactEffect effect = RedactEffect::Blur;
    std::uint32_t blocks = 8;
    std::optional<AreaBlur> blur;
};

Redactor::Redactor(std::unique_ptr<Scratch> scratch) : scratch_(std::move(scratch)) {}
Redactor::Redactor(Redactor&&) noexcept = default;
Redactor& Redactor::operator=(Redactor&&) noexcept = default;
Redactor::~Redactor() = default;

Result<Redactor> Redactor::create(const FrameFormat& frame, RedactEffect effect,
                                  std::uint32_t blocks) {
    if (frame.width == 0 || frame.height == 0) {
        return fail(ErrorCode::InvalidArgument, "redactor: frame size {}x{} is empty", frame.width,
                    frame.height);
    }
    if (blocks == 0 || blocks > kMaxBlocks) {
        return fail(ErrorCode::InvalidArgument, "redactor: {} blocks are not within 1 and {}",
                    blocks, kMaxBlocks);
    }
    auto scratch = std::make_unique<Scratch>();
    scratch->format = frame;
    scratch->effect = effect;
    scratch->blocks = blocks;
    if (effect == RedactEffect::Blur) {
        scratch->blur.emplace(frame, blocks);
    }
    return Redactor(std::move(scratch));
}

void Redactor::run(const MutableFrameView& frame, std::span<const PixelBox> boxes,
                   runtime::ThreadPool& threads) {
    Scratch& scratch = *scratch_;
    if (frame.format() != scratch.format) {
        return;
    }
    // One after the other: boxes may overlap.
    for (const PixelBox& box : boxes) {
        const std::optional<RedactArea> area = clip_box(box, scratch.format);
        if (!area) {
            continue;
        }
        switch (scratch.effect) {
        case RedactEffect::Blur: scratch.blur->run(frame, *area, threads); break;
        case RedactEffect::Pixelate: pixelate_area(frame, *area, scratch.blocks); break;
        case RedactEffect::Black: black(frame, *area); break;
        }
    }
}

void Redactor::black_out(const MutableFrameView& frame) {
    black(frame, {.right = frame.width(), .bottom = frame.height()});
}

} // namespace sluice::zero_copy
