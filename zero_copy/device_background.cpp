// SPDX-License-Identifier: Apache-2.0
// DeviceBackground: tables, cells, and the dispatches.
#include "zero_copy/device_background.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/vulkan/shader.h"
#include "zero_copy/cell_blur.h"
#include "zero_copy/cell_windows.h"
#include "zero_copy/color.h"
#include "zero_copy/device_matte.h"
#include "zero_copy/device_tables.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

namespace {

using vulkan::Access;
using vulkan::Shader;

constexpr std::size_t kCellBytes = 4 * sizeof(float);
constexpr std::uint32_t kGroup = 64;

// Three words a sample: first tap, second's weight, whether it lies in the matte.
std::uint32_t add_taps(TableWords& words, std::uint32_t samples, unsigned shift, double offset,
                       double origin, double extent, std::uint32_t matte_samples) {
    const std::uint32_t begin = words.size();
    const double last = matte_samples - 1.0;
    for (std::uint32_t i = 0; i < samples; ++i) {
        const double pixel = std::ldexp(i + 0.5 - offset, static_cast<int>(shift));
        const double at = (pixel - origin) / extent * matte_samples;
        const double kept = std::clamp(at - 0.5, 0.0, last);
        const double first = std::min(std::floor(kept), std::max(last - 1.0, 0.0));
        // The centre of an odd frame's last chroma sample may lie past the edge; it is still in.
        const bool inside = (pixel >= origin && pixel < origin + extent) ||
                            (i + 1 == samples && shift > 0 &&
                             pixel - std::ldexp(0.5, static_cast<int>(shift)) < origin + extent);
        words.add(static_cast<std::uint32_t>(first));
        words.add_float(static_cast<float>(kept - first));
        words.add(inside ? 1 : 0);
    }
    return begin;
}

std::span<const std::uint32_t> as_words(const std::vector<std::uint32_t>& words) {
    return words;
}

} // namespace

void DeviceBackground::add_matte_tables(TableWords& words) {
    place_.width = matte_.width;
    place_.height = matte_.height;
    const SourceRegion& region = matte_.region;
    for (const SampleGroup& group : sample_groups(frame_.pixel_format)) {
        const std::size_t grid = group.chroma ? 1 : 0;
        const SiteOffset offset = site_offset(group, frame_.color.chroma_site);
        place_.columns[grid] = add_taps(words, group.columns(frame_.width), group.shift_x, offset.x,
                                        region.x, region.width, matte_.width);
        place_.rows[grid] = add_taps(words, group.rows(frame_.height), group.shift_y, offset.y,
                                     region.y, region.height, matte_.height);
    }
}

Status DeviceBackground::create_cells(double sigma) {
    const RedactArea all{.right = frame_.width, .bottom = frame_.height};
    const std::size_t side = blur_cell(sigma);
    const std::size_t pool =
        2 * div_ceil<std::size_t>(frame_.width, side) * div_ceil<std::size_t>(frame_.height, side);
    std::vector<std::uint32_t> words(CellWindows::words_for(1));
    CellWindows windows(words, pool);
    if (!windows.add(frame_, all, {.side = side, .sigma = sigma})) {
        return fail(ErrorCode::Internal, "background: cells of {} pixels do not fit", side);
    }
    cell_count_ = static_cast<std::uint32_t>(windows.cells());
    SLUICE_TRY_ASSIGN(windows_, DeviceBuffer::of(device_, as_words(words)));
    for (DeviceBuffer& buffer : cells_) {
        SLUICE_TRY_ASSIGN(buffer, DeviceBuffer::create(device_, cell_count_ * kCellBytes,
                                                       vulkan::Placement::Device));
    }
    return {};
}

Status DeviceBackground::copy_picture(const FrameView& picture) {
    const FormatInfo& layout = info(frame_.pixel_format);
    for (std::size_t i = 0; i < layout.planes; ++i) {
        const std::size_t row = row_bytes(layout, i, frame_.width);
        const std::size_t rows = plane_rows(layout, i, frame_.height);
        SLUICE_TRY_ASSIGN(picture_[i], DeviceBuffer::create(device_, align_up(row * rows, 4),
                                                            vulkan::Placement::Upload));
        for (std::size_t y = 0; y < rows; ++y) {
            std::memcpy(picture_[i].mapped().data() + (y * row), picture.row(i, y), row);
        }
    }
    return {};
}

Result<DeviceBackground> DeviceBackground::create(std::shared_ptr<vulkan::Device> device,
                                                  const FrameFormat& frame,
                                                  const BackgroundSettings& settings,
                                                  const MatteFormat& matte) {
    // What is refused does not depend on the device.
    SLUICE_TRY(BackgroundBlend::create(frame, settings));
    if (matte.width == 0 || matte.height == 0 || matte.classes == 0 ||
        !(matte.region.width > 0.0) || !(matte.region.height > 0.0)) {
        return fail(ErrorCode::InvalidArgument,
                    "background: a matte of {}x{} over {}x{} pixels is empty", matte.width,
                    matte.height, matte.region.width, matte.region.height);
    }
    if (matte.region.rotation_radians != 0.0) {
        return fail(ErrorCode::Unsupported, "background: the matte's region is turned by {}",
                    matte.region.rotation_radians);
    }
    DeviceBackground out;
    out.device_ = std::move(device);
    out.frame_ = frame;
    out.effect_ = settings.effect;
    out.matte_ = matte;
    TableWords words;
    out.add_matte_tables(words);
    const Color& color = settings.color;
    out.color_ = words.add_floats(
        color_codes(frame, {color.red / 255.0, color.green / 255.0, color.blue / 255.0}));
    SLUICE_TRY_ASSIGN(out.tables_, DeviceBuffer::of(out.device_, words.words()));
    if (matte.classes > 1) {
        SLUICE_TRY_ASSIGN(out.resolved_,
                          DeviceBuffer::create(out.device_,
                                               sizeof(float) * matte.width * matte.height,
                                               vulkan::Placement::Device));
    }
    if (settings.effect == BackgroundEffect::Blur) {
        SLUICE_TRY(out.create_cells(settings.blur_sigma * frame.height));
    }
    if (settings.effect == BackgroundEffect::Picture) {
        SLUICE_TRY(out.copy_picture(*settings.picture));
    }
    return out;
}

Status DeviceBackground::record(vulkan::Recording& recording, const ImportedFrame& frame,
                                const vulkan::BufferRange& matte) const {
    const std::size_t pixels = std::size_t{matte_.width} * matte_.height;
    const std::size_t bytes = sizeof(float) * pixels * matte_.classes;
    if (frame.format() != frame_ || frame.has_images() || matte.bytes < bytes) {
        return fail(ErrorCode::InvalidArgument,
                    "device background: made for {} of {}x{} in buffers and a matte of {} bytes, "
                    "given {} of {}x{} and {}",
                    info(frame_.pixel_format).gst_name, frame_.width, frame_.height, bytes,
                    info(frame.format().pixel_format).gst_name, frame.format().width,
                    frame.format().height, matte.bytes);
    }
    vulkan::BufferRange dense = matte;
    if (resolved_) {
        dense = resolved_.range();
        SLUICE_TRY(record_matte(recording,
                                {.range = matte,
                                 .pixels = static_cast<std::uint32_t>(pixels),
                                 .classes = matte_.classes},
                                dense));
    }
    if (effect_ == BackgroundEffect::Blur) {
        SLUICE_TRY(record_blur(recording, frame, dense));
    }
    for (std::size_t plane = 0; plane < info(frame_.pixel_format).planes; ++plane) {
        SLUICE_TRY(record_plane(recording, frame, dense, plane));
    }
    return {};
}

Status DeviceBackground::record_blur(vulkan::Recording& recording, const ImportedFrame& frame,
                                     const vulkan::BufferRange& matte) const {
    const std::array<std::uint32_t, 3> groups{div_ceil(cell_count_, kGroup), 1, 1};
    FrameBindings bindings(tables_.range());
    bindings.set_planes(frame);
    bindings.set(4, matte);
    bindings.set(5, windows_.range());
    bindings.set(6, cells_[0].range(), Access::Write);
    std::array<std::uint32_t, 8> constants{};
    std::ranges::copy(frame_constants(frame_.pixel_format), constants.begin());
    constants[6] = 1; // weighted
    const struct {
        FramePlanes frame;
        MattePlace matte;
        std::uint32_t cell_count;
    } push{.frame = planes_of(frame), .matte = place_, .cell_count = cell_count_};
    SLUICE_TRY(recording.dispatch({.shader = Shader::GatherCells,
                                   .constants = constants,
                                   .buffers = bindings.buffers().first(7),
                                   .push = vulkan::push_bytes(push),
                                   .groups = groups}));
    for (const std::uint32_t across : {0U, 1U}) {
        FrameBindings turn(windows_.range());
        turn.set(6, cells_[across].range());
        turn.set(7, cells_[1 - across].range(), Access::Write);
        SLUICE_TRY(recording.dispatch({.shader = Shader::ConvolveCells,
                                       .constants = std::span(&across, 1),
                                       .buffers = turn.buffers(),
                                       .push = vulkan::push_bytes(cell_count_),
                                       .groups = groups}));
    }
    return {};
}

Status DeviceBackground::record_plane(vulkan::Recording& recording, const ImportedFrame& frame,
                                      const vulkan::BufferRange& matte, std::size_t plane) const {
    const std::uint32_t written =
        components_in(frame_.pixel_format, plane, effect_ == BackgroundEffect::Key ? 8U : 7U);
    if (written == 0) {
        return {};
    }
    FrameBindings bindings(tables_.range());
    FramePlanes picture;
    for (std::size_t i = 0; i < picture_.size() && picture_[i]; ++i) {
        bindings.set(i, picture_[i].range());
        picture.stride[i] =
            static_cast<std::uint32_t>(row_bytes(info(frame_.pixel_format), i, frame_.width));
    }
    bindings.set(4, matte);
    bindings.set(5, frame.plane(plane).range, Access::ReadWrite);
    if (effect_ == BackgroundEffect::Blur) {
        bindings.set(6, cells_[0].range());
        bindings.set(7, windows_.range());
    }
    std::array<std::uint32_t, 9> constants{};
    std::ranges::copy(frame_constants(frame_.pixel_format), constants.begin());
    constants[6] = static_cast<std::uint32_t>(plane);
    constants[7] = written;
    constants[8] = static_cast<std::uint32_t>(effect_);
    const struct {
        TargetPlane target;
        FramePlanes picture;
        MattePlace matte;
        std::uint32_t color;
    } push{.target = target_of(frame, plane), .picture = picture, .matte = place_, .color = color_};
    return recording.dispatch({.shader = Shader::BlendBackground,
                               .constants = constants,
                               .buffers = bindings.buffers(),
                               .push = vulkan::push_bytes(push),
                               .groups = target_groups(push.target)});
}

} // namespace sluice::zero_copy
