// SPDX-License-Identifier: Apache-2.0
// A picture file as one frame of given caps.
#pragma once

#include <string>

#include <gst/video/video.h>

#include "core/base/result.h"
#include "gst-plugins/common/ref.h"

namespace sluice::gst {

// Decodes the first frame of a picture or video file. NotFound or Io names the file, Parse says why
// it cannot be decoded.
[[nodiscard]] Result<Ref<GstSample>> decode_picture(const std::string& path);

// The same, converted to the format of `info`, cropped about its centre to the shape of `info` and
// scaled to its size.
[[nodiscard]] Result<Ref<GstSample>> decode_picture(const std::string& path,
                                                    const GstVideoInfo& info);

} // namespace sluice::gst
