// SPDX-License-Identifier: Apache-2.0
// DeviceSampler: tables in double precision, and the dispatch.
#include "zero_copy/device_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/vulkan/shader.h"
#include "zero_copy/device_tables.h"
#include "zero_copy/frame_to_tensor.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/sampling.h"
#include "zero_copy/tensor_transform.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

namespace {

AxisSpan across_of(const FrameFormat& frame, const SourceRegion& region,
                   const TensorFormat& tensor) {
    return {.origin = region.x,
            .extent = region.width,
            .outputs = tensor.width,
            .samples = frame.width};
}
AxisSpan down_of(const FrameFormat& frame, const SourceRegion& region, const TensorFormat& tensor) {
    return {.origin = region.y,
            .extent = region.height,
            .outputs = tensor.height,
            .samples = frame.height};
}

ManyTaps taps_of(const AxisSpan& span, const AxisGrid& grid, Sampling sampling) {
    return averages(span, sampling) ? area_taps(span, grid)
                                    : as_many(two_taps(span, grid, sampling), grid.samples);
}

} // namespace

void DeviceSampler::add_transform(TableWords& words) {
    const TensorTransform transform = tensor_transform(frame_, tensor_);
    geometry_.transform = words.size();
    for (const std::array<float, 3>& row : transform.matrix) {
        std::ignore = words.add_floats(row);
    }
    std::ignore = words.add_floats(transform.offset);
    words.add_float(transform.minimum);
    words.add_float(transform.maximum);
    words.add_float(tensor_.fill);
}

void DeviceSampler::add_straight(TableWords& words) {
    const AxisSpan across = across_of(frame_, region_, tensor_);
    const AxisSpan down = down_of(frame_, region_, tensor_);
    geometry_.share_x = words.add_floats(axis_coverage(across, tensor_.sampling).share);
    geometry_.share_y = words.add_floats(axis_coverage(down, tensor_.sampling).share);
    for (const SampleGroup& group : sample_groups(frame_.pixel_format)) {
        const std::size_t grid = group.chroma ? 1 : 0;
        const SiteOffset offset = site_offset(group, frame_.color.chroma_site);
        const AxisGrid grid_x{
            .shift = group.shift_x, .offset = offset.x, .samples = group.columns(frame_.width)};
        const AxisGrid grid_y{
            .shift = group.shift_y, .offset = offset.y, .samples = group.rows(frame_.height)};
        geometry_.columns[grid] = words.add_axis(taps_of(across, grid_x, tensor_.sampling));
        geometry_.rows[grid] = words.add_axis(taps_of(down, grid_y, tensor_.sampling));
    }
}

// A point's position is a term of its column plus one of its row.
void DeviceSampler::add_turned(TableWords& words) {
    const double cosine = std::cos(region_.rotation_radians);
    const double sine = std::sin(region_.rotation_radians);
    if (tensor_.sampling == Sampling::Area) {
        const auto points = [](const AxisSpan& span) {
            return static_cast<std::uint32_t>(std::ceil(std::max(span.scale(), 1.0)));
        };
        geometry_.grid_x = points(across_of(frame_, region_, tensor_));
        geometry_.grid_y = points(down_of(frame_, region_, tensor_));
    }
    const auto place = [](std::size_t i, std::uint32_t grid, std::uint32_t outputs, double extent) {
        const std::size_t whole = i / grid;
        const double at =
            static_cast<double>(whole) + ((static_cast<double>(i % grid) + 0.5) / grid);
        return ((at / outputs) - 0.5) * extent;
    };
    geometry_.points_x = words.size();
    for (std::size_t i = 0; i < std::size_t{tensor_.width} * geometry_.grid_x; ++i) {
        const double dx = place(i, geometry_.grid_x, tensor_.width, region_.width);
        words.add_fixed(dx * cosine);
        words.add_fixed(dx * sine);
    }
    geometry_.points_y = words.size();
    for (std::size_t i = 0; i < std::size_t{tensor_.height} * geometry_.grid_y; ++i) {
        const double dy = place(i, geometry_.grid_y, tensor_.height, region_.height);
        words.add_fixed(region_.x + (region_.width / 2.0) - (dy * sine));
        words.add_fixed(region_.y + (region_.height / 2.0) + (dy * cosine));
    }
}

Result<DeviceSampler> DeviceSampler::create(std::shared_ptr<vulkan::Device> device,
                                            const FrameFormat& frame, const SourceRegion& region,
                                            const TensorFormat& tensor) {
    SLUICE_TRY(check_sampling(frame, region, tensor));
    DeviceSampler out;
    out.frame_ = frame;
    out.region_ = region;
    out.tensor_ = tensor;
    const auto channels = static_cast<std::uint32_t>(channel_count(tensor.channels));
    const bool planar = tensor.layout == TensorLayout::Nchw;
    out.geometry_ = {.width = tensor.width,
                     .height = tensor.height,
                     .pixel_step = planar ? 1 : channels,
                     .channel_step = planar ? tensor.width * tensor.height : 1,
                     .frame_width = frame.width,
                     .frame_height = frame.height};
    TableWords words;
    out.add_transform(words);
    if (region.rotation_radians == 0.0) {
        out.add_straight(words);
    } else {
        out.add_turned(words);
    }
    SLUICE_TRY_ASSIGN(out.tables_, DeviceBuffer::of(device, words.words()));
    out.device_ = std::move(device);
    return out;
}

Status DeviceSampler::record(vulkan::Recording& recording, const ImportedFrame& frame,
                             const vulkan::BufferRange& tensor) const {
    const std::size_t channels = channel_count(tensor_.channels);
    const std::size_t bytes =
        sizeof(float) * channels * std::size_t{tensor_.width} * tensor_.height;
    if (frame.format() != frame_ || tensor.bytes < bytes) {
        return fail(ErrorCode::InvalidArgument,
                    "device sampler: made for {} of {}x{} and {} bytes, given {} of {}x{} and {}",
                    info(frame_.pixel_format).gst_name, frame_.width, frame_.height, bytes,
                    info(frame.format().pixel_format).gst_name, frame.format().width,
                    frame.format().height, tensor.bytes);
    }
    const std::array<bool, 3> wanted = wanted_components(frame_, tensor_.channels);
    std::array<std::uint32_t, 11> constants{};
    std::ranges::copy(frame_constants(frame_.pixel_format), constants.begin());
    constants[6] = (wanted[0] ? 1U : 0U) | (wanted[1] ? 2U : 0U) | (wanted[2] ? 4U : 0U);
    constants[7] = static_cast<std::uint32_t>(channels);
    constants[8] = region_.rotation_radians != 0.0 ? 1 : 0;
    constants[9] = tensor_.sampling == Sampling::Nearest ? 1 : 0;
    constants[10] = co_sited(frame_);
    const struct {
        FramePlanes frame;
        Geometry geometry;
    } push{.frame = planes_of(frame), .geometry = geometry_};
    FrameBindings bindings(tables_.range());
    bindings.set_planes(frame);
    bindings.set(4, tensor, vulkan::Access::Write);
    return recording.dispatch(
        {.shader = frame.has_images() ? vulkan::Shader::FrameToTensorOfImages
                                      : vulkan::Shader::FrameToTensor,
         .constants = constants,
         .buffers = bindings.buffers().first(5),
         .textures = bindings.textures(),
         .push = vulkan::push_bytes(push),
         .groups = {div_ceil(tensor_.width, 8U), div_ceil(tensor_.height, 8U), 1}});
}

} // namespace sluice::zero_copy
