// SPDX-License-Identifier: Apache-2.0
// DeviceBackground: BackgroundBlend on a Vulkan device; the matte never leaves it.
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
#include "zero_copy/tensor_to_frame.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

// A network's matte on the device: floats, row-major, over an unturned region of the frame. With
// more than one class they are logits, and the matte is 1 - P(class 0) by softmax.
struct MatteFormat {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t classes = 1;
    SourceRegion region;
};

// The blur is the same mathematics as the CPU's: the Gaussian of the background alone,
// blur(picture * (1 - matte)) / blur(1 - matte), over cells whose summing and interpolation are
// part of it (cell_blur.h). It differs from the CPU's by the rounding of floats, and by the matte,
// which is not rounded to 8 bits on the way.
class DeviceBackground {
public:
    // As BackgroundBlend::create(); Unsupported for a turned region. The picture is copied to the
    // device here, once.
    [[nodiscard]] static Result<DeviceBackground> create(std::shared_ptr<vulkan::Device> device,
                                                         const FrameFormat& frame,
                                                         const BackgroundSettings& settings,
                                                         const MatteFormat& matte);

    // Appends the dispatches that blend the frame in place. It has been acquired for writing.
    [[nodiscard]] Status record(vulkan::Recording& recording, const ImportedFrame& frame,
                                const vulkan::BufferRange& matte) const;

private:
    // matte.glsl's MattePlace.
    struct MattePlace {
        std::array<std::uint32_t, 2> columns{};
        std::array<std::uint32_t, 2> rows{};
        std::uint32_t width = 0;
        std::uint32_t height = 0;
    };
    void add_matte_tables(TableWords& words);
    [[nodiscard]] Status create_cells(double sigma);
    [[nodiscard]] Status copy_picture(const FrameView& picture);
    [[nodiscard]] Status record_blur(vulkan::Recording& recording, const ImportedFrame& frame,
                                     const vulkan::BufferRange& matte) const;
    [[nodiscard]] Status record_plane(vulkan::Recording& recording, const ImportedFrame& frame,
                                      const vulkan::BufferRange& matte, std::size_t plane) const;

    std::shared_ptr<vulkan::Device> device_;
    FrameFormat frame_;
    BackgroundEffect effect_ = BackgroundEffect::Blur;
    MatteFormat matte_;
    MattePlace place_;
    std::uint32_t color_ = 0; // table of the colour's codes
    DeviceBuffer tables_;
    DeviceBuffer resolved_; // the matte of a multi-class network
    DeviceBuffer windows_;
    std::uint32_t cell_count_ = 0;
    std::array<DeviceBuffer, 2> cells_;
    std::array<DeviceBuffer, 3> picture_; // its planes, tight
};

} // namespace sluice::zero_copy
