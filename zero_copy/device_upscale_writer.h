// SPDX-License-Identifier: Apache-2.0
// DeviceUpscaleWriter: SuperResolutionWriter on a Vulkan device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/result.h"
#include "core/vulkan/memory.h"
#include "core/vulkan/recording.h"
#include "zero_copy/frame.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

// The same mathematics, in floats; reads buffers and images, writes buffers.
class DeviceUpscaleWriter {
public:
    // As SuperResolutionWriter::create().
    [[nodiscard]] static Result<DeviceUpscaleWriter>
    create(const FrameFormat& input, const FrameFormat& output, std::uint32_t residual_channels);

    // The rows of the output that a residual covers, and where its first row begins in its buffer.
    struct Strip {
        std::size_t first_value = 0; // of floats
        std::uint32_t first_row = 0; // even
        std::uint32_t rows = 0;      // even
    };
    // Appends the dispatches that write those rows of every plane. Both frames have been acquired,
    // the output for writing.
    [[nodiscard]] Status record(vulkan::Recording& recording, const ImportedFrame& input,
                                const ImportedFrame& output, const vulkan::BufferRange& residual,
                                const Strip& strip) const;

private:
    FrameFormat input_;
    FrameFormat output_;
    std::uint32_t channels_ = 1;
    std::array<float, 9> gain_{}; // codes of each component that R, G, B of a residual add
};

} // namespace sluice::zero_copy
