// SPDX-License-Identifier: Apache-2.0
// Between GStreamer's caps and our frame formats.
#pragma once

#include <gst/video/video.h>

#include "core/base/result.h"
#include "gst-plugins/common/ref.h"
#include "zero_copy/frame.h"

namespace sluice::gst {

// What a pad carries, in both vocabularies.
struct Video {
    GstVideoInfo info;
    zero_copy::FrameFormat format;
};

// "video/x-raw" in system memory with every format of zero_copy/formats.def, any size and rate.
[[nodiscard]] Ref<GstCaps> video_caps();

// The same with only those formats that have an alpha channel.
[[nodiscard]] Ref<GstCaps> alpha_caps();

// Adds an always pad template of this direction with video_caps().
void add_video_template(GstElementClass* klass, GstPadDirection direction);

// Fixed caps to a format, with colorimetry, range and chroma siting. Unsupported names the caps.
[[nodiscard]] Result<Video> parse_caps(const GstCaps* caps);

} // namespace sluice::gst
