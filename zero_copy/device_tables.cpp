// SPDX-License-Identifier: Apache-2.0
// Constants, tables and bindings of the frame ends.
#include "zero_copy/device_tables.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <tuple>
#include <utility>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/sampling.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

namespace {

bool is_chroma(const FormatInfo& layout, std::size_t component) {
    return layout.model == ColorModel::Yuv && (component == 1 || component == 2);
}

} // namespace

std::array<std::uint32_t, 6> frame_constants(PixelFormat format) {
    const FormatInfo& layout = info(format);
    std::array<std::uint32_t, 6> out{};
    std::array<std::uint32_t, 3> texel{};
    for (std::size_t i = 0; i < layout.components.size(); ++i) {
        const Component& place = layout.components[i];
        if (!place.present) {
            continue;
        }
        const bool chroma = is_chroma(layout, i);
        out[i] = place.plane | (std::uint32_t{place.offset_bytes} << 2U) |
                 (std::uint32_t{place.step_bytes} << 6U) | (std::uint32_t{chroma} << 10U) |
                 ((chroma ? std::uint32_t{layout.chroma_shift_x} : 0U) << 11U) |
                 ((chroma ? std::uint32_t{layout.chroma_shift_y} : 0U) << 12U) | (1U << 13U);
        texel[place.plane] = std::max<std::uint32_t>(texel[place.plane], place.step_bytes);
    }
    out[4] = layout.bits;
    out[5] = texel[0] | (texel[1] << 8U) | (texel[2] << 16U);
    return out;
}

std::uint32_t co_sited(const FrameFormat& format) {
    const ChromaSite site = format.color.chroma_site;
    return (site != ChromaSite::Center ? 1U : 0U) | (site == ChromaSite::TopLeft ? 2U : 0U);
}

FramePlanes planes_of(const ImportedFrame& frame) {
    FramePlanes out;
    for (std::size_t i = 0; i < out.base.size(); ++i) {
        out.base[i] = frame.plane(i).base_bytes;
        out.stride[i] = frame.plane(i).stride_bytes;
    }
    return out;
}

TargetPlane target_of(const ImportedFrame& frame, std::size_t plane) {
    const FormatInfo& layout = info(frame.format().pixel_format);
    const ImportedPlane& place = frame.plane(plane);
    return {.base = place.base_bytes,
            .stride = place.stride_bytes,
            .row_bytes = static_cast<std::uint32_t>(row_bytes(layout, plane, frame.format().width)),
            .first_row = 0,
            .end_row = plane_rows(layout, plane, frame.format().height)};
}

std::array<std::uint32_t, 3> target_groups(const TargetPlane& target) {
    // A row may begin and end inside a word.
    const std::uint32_t words = (target.row_bytes / 4) + 2;
    return {div_ceil(words, 64U), div_ceil(target.end_row - target.first_row, 4U), 1};
}

std::uint32_t components_in(PixelFormat format, std::size_t plane, std::uint32_t wanted) {
    const FormatInfo& layout = info(format);
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < layout.components.size(); ++i) {
        if (layout.components[i].present && layout.components[i].plane == plane) {
            out |= wanted & (1U << i);
        }
    }
    return out;
}

void TableWords::add_float(float value) {
    add(std::bit_cast<std::uint32_t>(value));
}

void TableWords::add_fixed(double value) {
    const auto fixed = static_cast<std::uint64_t>(std::llround(value * 0x1p32));
    add(static_cast<std::uint32_t>(fixed));
    add(static_cast<std::uint32_t>(fixed >> 32U));
}

std::uint32_t TableWords::add_axis(const ManyTaps& taps) {
    const std::uint32_t begin = size();
    const auto weights = static_cast<std::uint32_t>(begin + (3 * taps.first.size()));
    for (std::size_t i = 0; i < taps.first.size(); ++i) {
        add(static_cast<std::uint32_t>(taps.first[i]));
        add(weights + static_cast<std::uint32_t>(taps.start[i]));
        add(static_cast<std::uint32_t>(taps.start[i + 1] - taps.start[i]));
    }
    std::ignore = add_floats(taps.weights);
    return begin;
}

std::uint32_t TableWords::add_floats(std::span<const float> values) {
    const std::uint32_t begin = size();
    for (const float value : values) {
        add_float(value);
    }
    return begin;
}

Result<DeviceBuffer> DeviceBuffer::create(const std::shared_ptr<vulkan::Device>& device,
                                          std::size_t bytes, vulkan::Placement placement) {
    DeviceBuffer out;
    out.device_ = device;
    out.owner_ = std::make_unique<Owner>();
    SLUICE_TRY_ASSIGN(out.owner_->buffer, vulkan::Buffer::create(device, bytes, placement));
    return out;
}

Result<DeviceBuffer> DeviceBuffer::of(const std::shared_ptr<vulkan::Device>& device,
                                      std::span<const std::uint32_t> words) {
    // Tables are small and read through the caches: memory that the host writes once serves.
    SLUICE_TRY_ASSIGN(DeviceBuffer out, create(device, std::max<std::size_t>(words.size_bytes(), 4),
                                               vulkan::Placement::Upload));
    std::memcpy(out.mapped().data(), words.data(), words.size_bytes());
    return out;
}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(owner_, other.owner_);
    return *this;
}

DeviceBuffer::~DeviceBuffer() {
    if (owner_) {
        device_->retire(std::move(owner_), device_->last_submitted());
    }
}

FrameBindings::FrameBindings(const vulkan::BufferRange& filler) {
    buffers_.fill({.range = filler, .access = vulkan::Access::Read});
}

void FrameBindings::set(std::size_t i, const vulkan::BufferRange& range, vulkan::Access access) {
    buffers_[i] = {.range = range, .access = access};
}

void FrameBindings::set_planes(const ImportedFrame& frame) {
    if (frame.has_images()) {
        texture_count_ = textures_.size();
        for (std::size_t i = 0; i < texture_count_; ++i) {
            textures_[i] = frame.texture(i);
        }
        return;
    }
    for (std::size_t i = 0; i < 3; ++i) {
        set(i, frame.plane(i).range);
    }
}

} // namespace sluice::zero_copy
