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

constexpr std::size_t kStrip = MaskSampler::kStrip;
constexpr std::uint8_t kWhole = 255; // of a mask: the frame alone shows
constexpr std::size_t kSamplesPerTask = 32768;
constexpr double kMaxBlurSigma = 0.5;
// Weight that even the person keeps in the blurred background, so that it has a value everywhere:
// a quarter of a code at most.
constexpr float kLeastWeight = 1.0F / 1024.0F;

using Strip = std::array<float, kStrip>;

} // namespace

struct BackgroundBlend::Scratch {
    // A group of samples with what its effect needs.
    struct GroupState {
        SampleGroup group;
        std::array<bool, 4> written{}; // lanes
        // Into another frame, bytes that no lane writes are carried over: alpha and padding, with
        // Key the colours. Once a plane, by the first group in it.
        bool carries = false;
        bool alone = false; // no other group writes into its plane
        MaskSampler mask;
        // Blur: cells, and where each column lies between them.
        std::size_t cell_x = 1;
        std::size_t cell_y = 1;
        GaussianKernel across = {};
        GaussianKernel down = {};
        std::optional<CellBlur> blur = std::nullopt;
        std::vector<std::int32_t> first = {};
        std::vector<float> weight = {};
    };

    FrameFormat format;
    BackgroundEffect effect = BackgroundEffect::Blur;
    double sigma = 0.0; // in pixels
    std::array<float, 4> color{};
    std::optional<FrameView> picture;
    std::vector<GroupState> groups;

    // Rows [begin, end) of `count` samples from the x-th on, a row of cells in a strip, and the
    // sums down its columns.
    struct Window {
        std::size_t begin, end, x, count;
    };
    struct CellSums {
        Strip weight;
        std::array<Strip, 4> values; // [lane]
    };

    void add_group(const SampleGroup& group);
    void sum_evenly(const GroupState& state, const FrameView& frame, const Window& window,
                    float share, CellSums& sums) const;
    void sum_weighted(const GroupState& state, const FrameView& frame, const Mask& mask,
                      const Window& window, CellSums& sums) const;
    void gather_cells(GroupState& state, const FrameView& frame, const Mask& mask,
                      std::size_t cell_row) const;
    void blend_row(const GroupState& state, const FrameView& frame, const Mask& mask,
                   const MutableFrameView& out, std::size_t y) const;
    void background(const GroupState& state, std::size_t y, std::size_t x, std::size_t count,
                    const LaneStrips& out) const;
    [[nodiscard]] std::size_t rows(const GroupState& state) const {
        return state.group.rows(format.height);
    }
    [[nodiscard]] std::size_t columns(const GroupState& state) const {
        return state.group.columns(format.width);
    }
};

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
        // Cells hold whole chroma samples.
        const std::size_t cell = blur_cell(sigma);
        state.cell_x = cell >> group.shift_x;
        state.cell_y = cell >> group.shift_y;
        state.across = cell_kernel(sigma / (1U << group.shift_x), state.cell_x);
        state.down = cell_kernel(sigma / (1U << group.shift_y), state.cell_y);
        const std::size_t cells_x = div_ceil(columns(state), state.cell_x);
        const std::size_t cells_y = div_ceil(rows(state), state.cell_y);
        state.blur.emplace(cells_x, cells_y, values,
                           std::max(state.across.radius, state.down.radius));
        state.first.resize(columns(state));
        state.weight.resize(columns(state));
        const double last = static_cast<double>(cells_x) - 1.0;
        for (std::size_t i = 0; i < state.first.size(); ++i) {
            const double at =
                ((static_cast<double>(i) + 0.5) / static_cast<double>(state.cell_x)) - 0.5;
            const double kept = std::clamp(at, 0.0, last);
            const double first = std::min(std::floor(kept), std::max(last - 1.0, 0.0));
            state.first[i] = static_cast<std::int32_t>(first);
            state.weight[i] = static_cast<float>(kept - first);
        }
    }
    groups.push_back(std::move(state));
}

// Sums the samples of one row of cells, weighted by how much they are background.
void BackgroundBlend::Scratch::gather_cells(GroupState& state, const FrameView& frame,
                                            const Mask& mask, std::size_t cell_row) const {
    const SampleGroup& group = state.group;
    CellSums sums; // NOLINT: filled as far as it is read
    const std::size_t begin = cell_row * state.cell_y;
    const std::size_t end = std::min(begin + state.cell_y, rows(state));
    for (std::size_t x = 0; x < columns(state); x += kStrip) {
        const std::size_t count = std::min(kStrip, columns(state) - x);
        const Window window{.begin = begin, .end = end, .x = x, .count = count};
        if (const auto only = state.mask.only(begin, end, x)) {
            const float share = 1.0F + kLeastWeight - (static_cast<float>(*only) / 255.0F);
            sum_evenly(state, frame, window, share, sums);
        } else {
            sum_weighted(state, frame, mask, window, sums);
        }
        const auto to_cells = [&](Strip& strip, float* cells) {
            std::size_t left = align_up(count, state.cell_x);
            std::fill(strip.begin() + static_cast<std::ptrdiff_t>(count),
                      strip.begin() + static_cast<std::ptrdiff_t>(left), 0.0F);
            for (std::size_t size = state.cell_x; size > 1; size /= 2) {
                left /= 2;
                sum_pairs(strip.data(), left, strip.data());
            }
            std::copy_n(strip.begin(), left, cells);
        };
        const std::size_t cell = x / state.cell_x;
        to_cells(sums.weight, state.blur->weights(cell_row) + cell);
        std::size_t value = 0;
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            if (state.written[lane]) {
                to_cells(sums.values[lane], state.blur->sums(value++, cell_row) + cell);
            }
        }
    }
}

// Of rows under one value of the mask.
void BackgroundBlend::Scratch::sum_evenly(const GroupState& state, const FrameView& frame,
                                          const Window& window, float share, CellSums& sums) const {
    const SampleGroup& group = state.group;
    const std::size_t count = window.count;
    const std::size_t rows = window.end - window.begin;
    std::fill_n(sums.weight.begin(), count, share * static_cast<float>(rows));
    if (group.step_bytes() == 1) {
        const std::byte* const first = frame.row(group.plane, window.begin) + window.x;
        const std::ptrdiff_t stride =
            rows > 1 ? frame.row(group.plane, window.begin + 1) + window.x - first : 0;
        sum_byte_rows(reinterpret_cast<const std::uint8_t*>(first), stride, rows, count,
                      sums.values[0].data());
    } else {
        std::array<Strip, 4> values; // NOLINT: filled as far as it is read
        LaneStrips loaded{};
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            loaded[lane] = state.written[lane] ? values[lane].data() : nullptr;
            std::fill_n(sums.values[lane].begin(), count, 0.0F);
        }
        for (std::size_t y = window.begin; y < window.end; ++y) {
            load_lanes(group, frame.row(group.plane, y) + (window.x * group.step_bytes()), count,
                       loaded);
            for (std::size_t lane = 0; lane < group.lanes; ++lane) {
                if (state.written[lane]) {
                    accumulate_strip(values[lane].data(), count, sums.values[lane].data());
                }
            }
        }
    }
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        if (state.written[lane]) {
            scale_offset(sums.values[lane].data(), share, 0.0F, count, sums.values[lane].data());
        }
    }
}

void BackgroundBlend::Scratch::sum_weighted(const GroupState& state, const FrameView& frame,
                                            const Mask& mask, const Window& window,
                                            CellSums& sums) const {
    const SampleGroup& group = state.group;
    const std::size_t count = window.count;
    Strip weight;                // NOLINT: filled as far as it is read
    std::array<Strip, 4> values; // NOLINT: the same
    LaneStrips loaded{};
    std::fill_n(sums.weight.begin(), count, 0.0F);
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        loaded[lane] = state.written[lane] ? values[lane].data() : nullptr;
        std::fill_n(sums.values[lane].begin(), count, 0.0F);
    }
    for (std::size_t y = window.begin; y < window.end; ++y) {
        state.mask.sample(mask, y, window.x, count, weight.data());
        scale_offset(weight.data(), -1.0F, 1.0F + kLeastWeight, count, weight.data());
        accumulate_strip(weight.data(), count, sums.weight.data());
        load_lanes(group, frame.row(group.plane, y) + (window.x * group.step_bytes()), count,
                   loaded);
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            if (state.written[lane]) {
                accumulate_product(values[lane].data(), weight.data(), count,
                                   sums.values[lane].data());
            }
        }
    }
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

void BackgroundBlend::Scratch::blend_row(const GroupState& state, const FrameView& frame,
                                         const Mask& mask, const MutableFrameView& out,
                                         std::size_t y) const {
    const SampleGroup& group = state.group;
    const bool carries = state.carries && frame.row(group.plane, y) != out.row(group.plane, y);
    Strip share;               // NOLINT: filled as far as it is read
    std::array<Strip, 4> fore; // NOLINT: the same
    std::array<Strip, 4> back; // NOLINT: the same
    LaneStrips fore_lanes{};
    LaneStrips back_lanes{};
    ConstLaneStrips stored{};
    for (std::size_t lane = 0; lane < group.lanes; ++lane) {
        if (state.written[lane]) {
            fore_lanes[lane] = fore[lane].data();
            back_lanes[lane] = back[lane].data();
            stored[lane] = fore[lane].data();
        }
    }
    for (std::size_t x = 0; x < columns(state); x += kStrip) {
        const std::size_t count = std::min(kStrip, columns(state) - x);
        const std::byte* const from = frame.row(group.plane, y) + (x * group.step_bytes());
        std::byte* const row = out.row(group.plane, y) + (x * group.step_bytes());
        if (carries) {
            std::memcpy(row, from, count * group.step_bytes());
        }
        const auto only = state.mask.only(y, y + 1, x);
        if (!only) {
            state.mask.sample(mask, y, x, count, share.data());
        } else if (*only != 0 || effect == BackgroundEffect::Key) {
            std::fill_n(share.data(), count, static_cast<float>(*only) / 255.0F);
        }
        if (effect == BackgroundEffect::Key) {
            for (std::size_t lane = 0; lane < group.lanes; ++lane) {
                if (state.written[lane]) {
                    scale_offset(share.data(), 255.0F, 0.0F, count, fore[lane].data());
                }
            }
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
            load_lanes(group, from, count, fore_lanes);
        }
        if (effect != BackgroundEffect::Color) {
            background(state, y, x, count, covered ? fore_lanes : back_lanes);
        }
        for (std::size_t lane = 0; lane < group.lanes; ++lane) {
            if (!state.written[lane]) {
                continue;
            }
            if (effect == BackgroundEffect::Color) {
                const auto component = static_cast<std::size_t>(group.component_of_lane[lane]);
                if (covered) {
                    std::fill_n(fore[lane].data(), count, color[component]);
                } else {
                    blend_constant(color[component], share.data(), count, fore[lane].data());
                }
            } else if (!covered) {
                blend_rows(back[lane].data(), share.data(), count, fore[lane].data());
            }
        }
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
