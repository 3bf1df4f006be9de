// SPDX-License-Identifier: Apache-2.0
// DeviceRedactor: Redactor on a Vulkan device; only the boxes come from the host.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/recording.h"
#include "zero_copy/device_tables.h"
#include "zero_copy/tensor_to_frame.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

// The same cells, mosaics and Gaussians as the CPU's, within rounding. Where boxes overlap, the
// last one's effect on the original frame counts, as all are done at once.
class DeviceRedactor {
public:
    // Boxes that a submission takes at most; further ones take another submission.
    static constexpr std::size_t kMaxBoxes = 64;

    // As Redactor::create().
    [[nodiscard]] static Result<DeviceRedactor> create(std::shared_ptr<vulkan::Device> device,
                                                       const FrameFormat& frame,
                                                       RedactEffect effect,
                                                       std::uint32_t blocks = 8);

    // Sets the boxes of the next submission, while none is in flight. Returns how many of `boxes`
    // it takes, at least one; those that are outside the frame count as taken.
    [[nodiscard]] std::size_t set_boxes(std::span<const PixelBox> boxes);
    // Appends the dispatches, which stay the same whatever the boxes. The frame has been acquired
    // for writing.
    [[nodiscard]] Status record(vulkan::Recording& recording, const ImportedFrame& frame) const;

private:
    [[nodiscard]] std::size_t pool_size() const;
    [[nodiscard]] Status record_cells(vulkan::Recording& recording,
                                      const ImportedFrame& frame) const;

    std::shared_ptr<vulkan::Device> device_;
    FrameFormat frame_;
    RedactEffect effect_ = RedactEffect::Blur;
    std::uint32_t blocks_ = 8;
    DeviceBuffer windows_; // written by set_boxes()
    std::uint32_t pool_ = 0;
    std::array<DeviceBuffer, 2> cells_;
};

} // namespace sluice::zero_copy
