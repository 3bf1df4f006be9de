// SPDX-License-Identifier: Apache-2.0
// BackgroundBlend: the background replaced in the frame's own planes.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/runtime/thread_pool.h"
#include "zero_copy/background_scratch.h"
#include "zero_copy/blur_kernels.h"
#include "zero_copy/cell_blur.h"
#include "zero_copy/color.h"
#include "zero_copy/frame.h"
#include "zero_copy/mask_sampler.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/row_kernels.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/strip_kernels.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::zero_copy {

namespace {

constexpr std::uint8_t kWhole = 255; // of a mask: the frame alone shows
constexpr std::size_t kSamplesPerTask = 32768;
constexpr double kMaxBlurSigma = 0.5;

} // namespace

void BackgroundBlend::Scratch::add_group(const SampleGroup& group) {
    GroupState state{.group = group, .mask = MaskSampler(format, group)};
    std::size_t values = 0;
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        const int component = group.component_of_lane[lane];
        state.written[lane] =
            effect == BackgroundEffect::Key ? component == 3 : component >= 0 && component < 3;
        values += state.written[lane] ? 1 : 0;
        state.carries = state.carries || !state.written[lane];
    }
    if (values == 0) {
        return;
    }
    state.carries = state.carries && std::ranges::none_of(groups, [&](const GroupState& before) {
                        return before.group.plane == group.plane;
                    });
    if (effect == BackgroundEffect::Blur) {
        add_cells(state, values);
    }
    groups.push_back(std::move(state));
}

// The blurred picture or the other one, as strips.
void BackgroundBlend::Scratch::background(const GroupState& state, std::size_t y, std::size_t x,
                                          std::size_t count, const LaneStrips& out) const {
    if (effect == BackgroundEffect::Picture) {
        const SampleGroup& group = state.group;
        load_lanes(group, picture->row(group.plane, y) + (x * group.step_bytes()), count, out);
        return;
    }
    const double last = static_cast<double>(state.blur->rows()) - 1.0;
    const double at = ((static_cast<double>(y) + 0.5) / static_cast<double>(state.cell_y)) - 0.5;
    const double kept = std::clamp(at, 0.0, last);
    const auto upper = static_cast<std::size_t>(kept);
    const std::size_t lower = std::min(upper + 1, state.blur->rows() - 1);
    const auto weight = static_cast<float>(kept - static_cast<double>(upper));
    const std::int32_t* const first = state.first.data() + x;
    const auto begin = static_cast<std::size_t>(first[0]);
    const std::size_t end = std::min<std::size_t>(static_cast<std::size_t>(first[count - 1]) + 2,
                                                  state.blur->columns());
    std::array<float, kStrip + 3 + kGatherPadding> cells; // NOLINT: filled as far as it is read
    std::size_t value = 0;
    for (std::size_t lane = 0; lane < state.group.lanes; ++lane) {
        if (out[lane] == nullptr) {
            continue;
        }
        lerp_rows(state.blur->picture(value, upper) + begin,
                  state.blur->picture(value, lower) + begin, weight, end - begin, cells.data());
        cells[end - begin] = cells[end - begin - 1];
        gather_lerp(cells.data(), first[0], first, state.weight.data() + x, count, out[lane]);
        ++value;
    }
}

// The byte that all of the strip's mask is, if it is one: at 0 nobody reads the share, but to key.
std::optional<std::uint8_t> BackgroundBlend::Scratch::find_share(const GroupState& state,
                                                                 const Mask& mask, std::size_t y,
                                                                 std::size_t x, std::size_t count,
                                                                 Strip& share) const {
    const auto only = state.mask.only(y, y + 1, x);
    if (!only) {
        state.mask.sample(mask, y, x, count, share.data());
    } else if (*only != 0 || effect == BackgroundEffect::Key) {
        std::fill_n(share.data(), count, static_cast<float>(*only) / 255.0F);
    }
    return only;
}

// The frame's share itself becomes the samples: alpha.
void BackgroundBlend::Scratch::key_strip(const GroupState& state, std::size_t count,
                                         Blending& strip) const {
    for (std::size_t lane = 0; lane < state.group.lanes; ++lane) {
        if (state.written[lane]) {
            scale_offset(strip.share.data(), 255.0F, 0.0F, count, strip.fore[lane].data());
        }
    }
}

// The frame's samples over what is behind them; where they are covered, that alone.
void BackgroundBlend::Scratch::mix_strip(const GroupState& state, bool covered, std::size_t count,
                                         Blending& strip) const {
    const SampleGroup& group = state.group;
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        float* const fore = strip.fore[lane].data();
        if (!state.written[lane]) {
            continue;
        }
        if (effect != BackgroundEffect::Color) {
            if (!covered) {
                blend_rows(strip.back[lane].data(), strip.share.data(), count, fore);
            }
            continue;
        }
        const float behind = color[static_cast<std::size_t>(group.component_of_lane[lane])];
        if (covered) {
            std::fill_n(fore, count, behind);
        } else {
            blend_constant(behind, strip.share.data(), count, fore);
        }
    }
}

void BackgroundBlend::Scratch::blend_row(const GroupState& state, const FrameView& frame,
                                         const Mask& mask, const MutableFrameView& out,
                                         std::size_t y) const {
    const SampleGroup& group = state.group;
    const bool carries = state.carries && frame.row(group.plane, y) != out.row(group.plane, y);
    Blending strip; // NOLINT(cppcoreguidelines-pro-type-member-init): filled as far as it is read
    LaneStrips fore{};
    LaneStrips back{};
    ConstLaneStrips stored{};
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        if (state.written[lane]) {
            stored[lane] = fore[lane] = strip.fore[lane].data();
            back[lane] = strip.back[lane].data();
        }
    }
    for (std::size_t x = 0; x < columns(state); x += kStrip) {
        const std::size_t count = std::min(kStrip, columns(state) - x);
        const std::byte* const from = frame.row(group.plane, y) + (x * group.step_bytes());
        std::byte* const row = out.row(group.plane, y) + (x * group.step_bytes());
        if (carries) {
            std::memcpy(row, from, count * group.step_bytes());
        }
        const auto only = find_share(state, mask, y, x, count, strip.share);
        if (effect == BackgroundEffect::Key) {
            key_strip(state, count, strip);
            store_lanes(group, stored, count, row);
            continue;
        }
        if (only == kWhole && (row == from || state.alone)) {
            if (row != from) {
                std::memcpy(row, from, count * group.step_bytes());
            }
            continue;
        }
        const bool covered = only == 0; // nothing of the frame is left
        if (!covered) {
            load_lanes(group, from, count, fore);
        }
        if (effect != BackgroundEffect::Color) {
            background(state, y, x, count, covered ? fore : back);
        }
        mix_strip(state, covered, count, strip);
        store_lanes(group, stored, count, row);
    }
}

BackgroundBlend::BackgroundBlend(std::unique_ptr<Scratch> scratch) : scratch_(std::move(scratch)) {}
BackgroundBlend::BackgroundBlend(BackgroundBlend&&) noexcept = default;
BackgroundBlend& BackgroundBlend::operator=(BackgroundBlend&&) noexcept = default;
BackgroundBlend::~BackgroundBlend() = default;

Result<BackgroundBlend> BackgroundBlend::create(const FrameFormat& frame,
                                                const BackgroundSettings& settings) {
    const FormatInfo& layout = info(frame.pixel_format);
    if (frame.width == 0 || frame.height == 0) {
        return fail(ErrorCode::InvalidArgument, "background: frame size {}x{} is empty",
                    frame.width, frame.height);
    }
    if (settings.effect == BackgroundEffect::Key && !layout.components[3].present) {
        return fail(ErrorCode::Unsupported,
                    "background: {} has no alpha channel for a key; RGBA and BGRA have one",
                    layout.gst_name);
    }
    if (settings.effect == BackgroundEffect::Blur &&
        !(settings.blur_sigma > 0.0 && settings.blur_sigma <= kMaxBlurSigma)) {
        return fail(ErrorCode::InvalidArgument,
                    "background: a blur of {} of the frame's height is not within 0 and {}",
                    settings.blur_sigma, kMaxBlurSigma);
    }
    auto scratch = std::make_unique<Scratch>();
    scratch->format = frame;
    scratch->effect = settings.effect;
    if (settings.effect == BackgroundEffect::Picture) {
        if (settings.picture == nullptr) {
            return fail(ErrorCode::InvalidArgument, "background: no picture given");
        }
        const FrameFormat& picture = settings.picture->format();
        if (picture != frame) {
            return fail(ErrorCode::InvalidArgument,
                        "background: the picture is {} {}x{}, the frame {} {}x{}; both must have "
                        "one format, size and colorimetry",
                        info(picture.pixel_format).gst_name, picture.width, picture.height,
                        layout.gst_name, frame.width, frame.height);
        }
        scratch->picture = *settings.picture;
    }
    const Color& color = settings.color;
    scratch->color =
        color_codes(frame, {color.red / 255.0, color.green / 255.0, color.blue / 255.0});
    scratch->sigma = settings.blur_sigma * frame.height;
    for (const SampleGroup& group : sample_groups(frame.pixel_format)) {
        scratch->add_group(group);
    }
    for (Scratch::GroupState& state : scratch->groups) {
        state.alone = std::ranges::count(
                          scratch->groups, state.group.plane,
                          [](const Scratch::GroupState& other) { return other.group.plane; }) == 1;
    }
    return BackgroundBlend(std::move(scratch));
}

void BackgroundBlend::run(const MutableFrameView& frame, const Mask& mask,
                          runtime::ThreadPool& threads) {
    run(frame, mask, frame, threads);
}

void BackgroundBlend::run(const FrameView& frame, const Mask& mask, const MutableFrameView& out,
                          runtime::ThreadPool& threads) {
    Scratch& scratch = *scratch_;
    if (frame.format() != scratch.format || out.format() != scratch.format ||
        mask.data == nullptr || mask.width == 0 || mask.height == 0 ||
        mask.stride_bytes < mask.width) {
        return;
    }
    for (Scratch::GroupState& state : scratch.groups) {
        state.mask.prepare(mask);
        const std::size_t rows = scratch.rows(state);
        const std::size_t columns = scratch.columns(state);
        const std::size_t grain = std::max<std::size_t>(1, kSamplesPerTask / columns);
        if (state.blur) {
            const std::size_t cell_rows = div_ceil(rows, state.cell_y);
            state.blur->reset(div_ceil(columns, state.cell_x), cell_rows);
            threads.parallel_for(cell_rows, std::max<std::size_t>(1, grain / state.cell_y),
                                 [&](std::size_t begin, std::size_t end) {
                                     for (std::size_t row = begin; row < end; ++row) {
                                         scratch.gather_cells(state, frame, mask, row);
                                     }
                                 });
            state.blur->blur(state.across, state.down, threads);
        }
        threads.parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t y = begin; y < end; ++y) {
                scratch.blend_row(state, frame, mask, out, y);
            }
        });
    }
}

} // namespace sluice::zero_copy
