// SPDX-License-Identifier: Apache-2.0
// FrameMask: any SegmentationMtd as the 8-bit matte over the whole frame that the blend takes.
#pragma once

#include <cstdint>
#include <vector>

#include <gst/analytics/analytics.h>
#include <gst/video/video.h>

#include "core/base/result.h"
#include "zero_copy/device_matte.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::gst {

// Mapped on creation, unmapped on destruction. Soft mattes over the whole frame are used where they
// lie; maps of classes (all regions but "background", or but the first, are person), 16-bit masks
// and masks of a part of the frame are rewritten into scratch, at the mask's own resolution.
class FrameMask {
public:
    // Whether the buffer carries any mask; soft mattes are preferred to maps of classes.
    [[nodiscard]] static bool find(GstBuffer* frame, GstAnalyticsSegmentationMtd* out);

    // The matte on a device that the mask is, if it is a soft one over the whole frame; else null.
    // The frame's buffer keeps it.
    [[nodiscard]] static const zero_copy::DeviceMatte*
    on_device(const GstAnalyticsSegmentationMtd& segmentation, std::uint32_t frame_width,
              std::uint32_t frame_height);

    // `scratch` is reused from frame to frame and must outlive the mask.
    [[nodiscard]] static Result<FrameMask> create(const GstAnalyticsSegmentationMtd& segmentation,
                                                  std::uint32_t frame_width,
                                                  std::uint32_t frame_height,
                                                  std::vector<std::uint8_t>& scratch);
    FrameMask(FrameMask&& other) noexcept;
    FrameMask& operator=(FrameMask&&) = delete;
    FrameMask(const FrameMask&) = delete;
    FrameMask& operator=(const FrameMask&) = delete;
    ~FrameMask();

    [[nodiscard]] const zero_copy::BackgroundBlend::Mask& mask() const { return mask_; }

private:
    FrameMask() = default;

    GstBuffer* buffer_ = nullptr; // owned reference, null once moved from
    GstVideoFrame frame_{};
    zero_copy::BackgroundBlend::Mask mask_;
};

} // namespace sluice::gst
