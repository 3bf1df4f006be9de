// SPDX-License-Identifier: Apache-2.0
// DeviceUpscaleWriter: gains and dispatches.
#include "zero_copy/device_upscale_writer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/result.h"
#include "core/vulkan/shader.h"
#include "zero_copy/color.h"
#include "zero_copy/device_tables.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/tensor_to_frame.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

Result<DeviceUpscaleWriter> DeviceUpscaleWriter::create(const FrameFormat& input,
                                                        const FrameFormat& output,
                                                        std::uint32_t residual_channels) {
    // What is refused does not depend on the device.
    SLUICE_TRY(SuperResolutionWriter::create(input, output, residual_channels));
    DeviceUpscaleWriter out;
    out.input_ = input;
    out.output_ = output;
    out.channels_ = residual_channels;
    const AffineTransform codes = rgb_to_codes(input);
    for (std::size_t component = 0; component < 3; ++component) {
        const Vector3& row = codes.matrix[component];
        for (std::size_t i = 0; i < 3; ++i) {
            out.gain_[(3 * component) + i] =
                static_cast<float>(residual_channels == 3 ? row[i] : row[0] + row[1] + row[2]);
        }
    }
    return out;
}

Status DeviceUpscaleWriter::record(vulkan::Recording& recording, const ImportedFrame& input,
                                   const ImportedFrame& output, const vulkan::BufferRange& residual,
                                   const Strip& strip) const {
    const std::size_t values =
        strip.first_value + (std::size_t{strip.rows} * output_.width * channels_);
    if (input.format() != input_ || output.format() != output_ || output.has_images() ||
        residual.bytes / sizeof(float) < values || strip.rows == 0 || strip.first_row % 2 != 0 ||
        strip.first_row >= output_.height || strip.rows > output_.height - strip.first_row) {
        return fail(ErrorCode::InvalidArgument,
                    "device upscale writer: rows {} to {} of {} from {} values do not fit {}x{}",
                    strip.first_row, strip.first_row + strip.rows,
                    info(output.format().pixel_format).gst_name, residual.bytes / sizeof(float),
                    output_.width, output_.height);
    }
    const FormatInfo& layout = info(output_.pixel_format);
    for (std::size_t plane = 0; plane < layout.planes; ++plane) {
        const bool chroma_only = plane_rows(layout, plane, 2) == 1;
        const std::uint32_t shift = chroma_only ? 1 : 0;
        struct {
            TargetPlane target;
            FramePlanes frame;
            std::uint32_t width;
            std::uint32_t height;
            std::uint32_t residual_first;
            std::uint32_t first_row;
            std::uint32_t rows;
            std::array<float, 9> gain;
        } push{.target = target_of(output, plane),
               .frame = planes_of(input),
               .width = input_.width,
               .height = input_.height,
               .residual_first = static_cast<std::uint32_t>(strip.first_value),
               .first_row = strip.first_row,
               .rows = strip.rows,
               .gain = gain_};
        push.target.first_row = strip.first_row >> shift;
        push.target.end_row = plane_rows(layout, plane, strip.first_row + strip.rows);
        FrameBindings bindings(residual);
        bindings.set_planes(input);
        bindings.set(5, output.plane(plane).range, vulkan::Access::ReadWrite);
        std::array<std::uint32_t, 10> constants{};
        std::ranges::copy(frame_constants(output_.pixel_format), constants.begin());
        constants[6] = static_cast<std::uint32_t>(plane);
        constants[7] = components_in(output_.pixel_format, plane, 15U);
        constants[8] = channels_;
        constants[9] = co_sited(output_);
        SLUICE_TRY(
            recording.dispatch({.shader = input.has_images() ? vulkan::Shader::UpscalePlaneOfImages
                                                             : vulkan::Shader::UpscalePlane,
                                .constants = constants,
                                .buffers = bindings.buffers().first(6),
                                .textures = bindings.textures(),
                                .push = vulkan::push_bytes(push),
                                .groups = target_groups(push.target)}));
    }
    return {};
}

} // namespace sluice::zero_copy
