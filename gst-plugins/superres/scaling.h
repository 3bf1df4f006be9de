// SPDX-License-Identifier: Apache-2.0
// What a change of size does to caps and metas.
#pragma once

#include <gst/video/video.h>

#include "gst-plugins/common/ref.h"

namespace sluice::gst {

// `caps` with width and height multiplied by `factor` (`enlarge`), or divided by it (only what
// multiplies back to a whole number within it). Structures whose sizes become impossible are left
// out. All other fields stay.
[[nodiscard]] Ref<GstCaps> scale_caps(const GstCaps* caps, int factor, bool enlarge);

// Copies or rescales one meta of `in` onto `out`, where it can be: analytics and regions of
// interest are rescaled (with the keypoints of sluicefacedetect), metas that say nothing of a size
// are copied, descriptions of the input's memory are left out. True where GstBaseTransform shall
// copy.
[[nodiscard]] bool carry_meta(GstBuffer* out, GstMeta* meta, GstBuffer* in,
                              const GstVideoInfo& in_info, const GstVideoInfo& out_info);

} // namespace sluice::gst
