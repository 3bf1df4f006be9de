// SPDX-License-Identifier: Apache-2.0
// DeviceSampler: FrameToTensor as a dispatch on a Vulkan device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "core/vulkan/recording.h"
#include "zero_copy/device_tables.h"
#include "zero_copy/frame_to_tensor.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

// The same mathematics as FrameToTensor, whose tables it uses, in the precision of floats; reads
// the planes of imported buffers and images where they lie.
class DeviceSampler {
public:
    // As FrameToTensor::create(); also the device's errors.
    [[nodiscard]] static Result<DeviceSampler> create(std::shared_ptr<vulkan::Device> device,
                                                      const FrameFormat& frame,
                                                      const SourceRegion& region,
                                                      const TensorFormat& tensor);

    // Appends the dispatch that fills `tensor` (width * height * channels floats). The frame has
    // been acquired. InvalidArgument if it has another format or the tensor is too short.
    [[nodiscard]] Status record(vulkan::Recording& recording, const ImportedFrame& frame,
                                const vulkan::BufferRange& tensor) const;

    [[nodiscard]] const FrameFormat& frame_format() const { return frame_; }
    [[nodiscard]] const SourceRegion& region() const { return region_; }

private:
    // frame_to_tensor.comp's Push without the planes.
    struct Geometry {
        std::uint32_t width = 0;
        std::uint32_t height = 0;
        std::uint32_t pixel_step = 0;
        std::uint32_t channel_step = 0;
        std::array<std::uint32_t, 2> columns{};
        std::array<std::uint32_t, 2> rows{};
        std::uint32_t share_x = 0;
        std::uint32_t share_y = 0;
        std::uint32_t transform = 0;
        std::uint32_t grid_x = 1;
        std::uint32_t grid_y = 1;
        std::uint32_t points_x = 0;
        std::uint32_t points_y = 0;
        std::uint32_t frame_width = 0;
        std::uint32_t frame_height = 0;
    };
    void add_transform(TableWords& words);
    void add_straight(TableWords& words);
    void add_turned(TableWords& words);

    std::shared_ptr<vulkan::Device> device_;
    FrameFormat frame_;
    SourceRegion region_;
    TensorFormat tensor_;
    Geometry geometry_;
    DeviceBuffer tables_;
};

} // namespace sluice::zero_copy
