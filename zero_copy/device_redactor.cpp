// SPDX-License-Identifier: Apache-2.0
// DeviceRedactor: boxes into windows, and the dispatches.
#include "zero_copy/device_redactor.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/vulkan/shader.h"
#include "zero_copy/cell_windows.h"
#include "zero_copy/color.h"
#include "zero_copy/device_tables.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/redact_area.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

namespace {

using vulkan::Access;
using vulkan::Shader;

constexpr std::size_t kBlurCellBytes = 4 * sizeof(float);
constexpr std::uint32_t kRedactGroup = 64;
// Faces that one submission has room for, each as high as it is wide.
constexpr std::size_t kUsualFaces = 16;

} // namespace

// Cells for the largest area that can be, and for a usual number of usual ones; luma and chroma.
std::size_t DeviceRedactor::pool_size() const {
    const AreaBlurLimits limits = area_blur_limits(frame_, blocks_);
    const std::size_t across = std::size_t{blocks_} + 2;
    switch (effect_) {
    case RedactEffect::Blur:
        return 2 * std::max(limits.columns * limits.rows,
                            kUsualFaces * limits.columns * std::min(limits.columns, limits.rows));
    case RedactEffect::Pixelate:
        return 2 *
               std::max(across * (std::size_t{frame_.height} + 2), kUsualFaces * across * across);
    case RedactEffect::Black: return 1;
    }
    return 1;
}

Result<DeviceRedactor> DeviceRedactor::create(std::shared_ptr<vulkan::Device> device,
                                              const FrameFormat& frame, RedactEffect effect,
                                              std::uint32_t blocks) {
    // What is refused does not depend on the device.
    SLUICE_TRY(Redactor::create(frame, effect, blocks));
    DeviceRedactor out;
    out.device_ = std::move(device);
    out.frame_ = frame;
    out.effect_ = effect;
    out.blocks_ = blocks;
    out.pool_ = static_cast<std::uint32_t>(out.pool_size());
    SLUICE_TRY_ASSIGN(
        out.windows_,
        DeviceBuffer::create(out.device_, sizeof(std::uint32_t) * CellWindows::words_for(kMaxBoxes),
                             vulkan::Placement::Upload));
    for (DeviceBuffer& cells : out.cells_) {
        SLUICE_TRY_ASSIGN(cells, DeviceBuffer::create(out.device_, out.pool_ * kBlurCellBytes,
                                                      vulkan::Placement::Device));
    }
    std::ignore = out.set_boxes({});
    return out;
}

std::size_t DeviceRedactor::set_boxes(std::span<const PixelBox> boxes) {
    const std::span<std::byte> memory = windows_.mapped();
    const bool black = effect_ == RedactEffect::Black;
    CellWindows windows(
        {reinterpret_cast<std::uint32_t*>(memory.data()), memory.size() / sizeof(std::uint32_t)},
        black ? SIZE_MAX : pool_);
    std::size_t taken = 0;
    for (; taken < boxes.size(); ++taken) {
        const std::optional<RedactArea> area = clip_box(boxes[taken], frame_);
        if (!area) {
            continue;
        }
        CellWindows::Cells cells;
        if (effect_ == RedactEffect::Blur) {
            const AreaBlurCells blur = area_blur_cells(*area, frame_, blocks_);
            cells = {.side = blur.side, .sigma = blur.sigma};
        } else {
            cells.side = mosaic_side(*area, frame_, blocks_);
        }
        if (!windows.add(frame_, *area, cells)) {
            break;
        }
    }
    return taken;
}

Status DeviceRedactor::record_cells(vulkan::Recording& recording,
                                    const ImportedFrame& frame) const {
    const std::array<std::uint32_t, 3> groups{div_ceil(pool_, kRedactGroup), 1, 1};
    FrameBindings bindings(windows_.range());
    bindings.set_planes(frame);
    bindings.set(6, cells_[0].range(), Access::Write);
    std::array<std::uint32_t, 8> constants{};
    std::ranges::copy(frame_constants(frame_.pixel_format), constants.begin());
    constants[7] = effect_ == RedactEffect::Pixelate ? 1 : 0;
    const struct {
        FramePlanes frame;
        std::array<std::uint32_t, 6> matte;
        std::uint32_t cell_count;
    } push{.frame = planes_of(frame), .matte = {}, .cell_count = pool_};
    SLUICE_TRY(recording.dispatch({.shader = Shader::GatherCells,
                                   .constants = constants,
                                   .buffers = bindings.buffers().first(7),
                                   .push = vulkan::push_bytes(push),
                                   .groups = groups}));
    if (effect_ != RedactEffect::Blur) {
        return {};
    }
    for (const std::uint32_t across : {0U, 1U}) {
        FrameBindings turn(windows_.range());
        turn.set(6, cells_[across].range());
        turn.set(7, cells_[1 - across].range(), Access::Write);
        SLUICE_TRY(recording.dispatch({.shader = Shader::ConvolveCells,
                                       .constants = std::span(&across, 1),
                                       .buffers = turn.buffers(),
                                       .push = vulkan::push_bytes(pool_),
                                       .groups = groups}));
    }
    return {};
}

Status DeviceRedactor::record(vulkan::Recording& recording, const ImportedFrame& frame) const {
    if (frame.format() != frame_ || frame.has_images()) {
        return fail(ErrorCode::InvalidArgument,
                    "device redactor: made for {} of {}x{} in buffers, given {} of {}x{}",
                    info(frame_.pixel_format).gst_name, frame_.width, frame_.height,
                    info(frame.format().pixel_format).gst_name, frame.format().width,
                    frame.format().height);
    }
    if (effect_ != RedactEffect::Black) {
        SLUICE_TRY(record_cells(recording, frame));
    }
    for (std::size_t plane = 0; plane < info(frame_.pixel_format).planes; ++plane) {
        FrameBindings bindings(windows_.range());
        bindings.set(5, frame.plane(plane).range, Access::ReadWrite);
        bindings.set(6, cells_[0].range());
        std::array<std::uint32_t, 9> constants{};
        std::ranges::copy(frame_constants(frame_.pixel_format), constants.begin());
        constants[6] = static_cast<std::uint32_t>(plane);
        // A black area's alpha becomes opaque too; the other effects leave it.
        constants[7] =
            components_in(frame_.pixel_format, plane, effect_ == RedactEffect::Black ? 15U : 7U);
        constants[8] = static_cast<std::uint32_t>(effect_);
        const struct {
            TargetPlane target;
            std::array<float, 4> black;
        } push{.target = target_of(frame, plane), .black = color_codes(frame_, {0.0, 0.0, 0.0})};
        SLUICE_TRY(recording.dispatch({.shader = Shader::RedactPlane,
                                       .constants = constants,
                                       .buffers = bindings.buffers(),
                                       .push = vulkan::push_bytes(push),
                                       .groups = target_groups(push.target)}));
    }
    return {};
}

} // namespace sluice::zero_copy
