// SPDX-License-Identifier: Apache-2.0
// Where a buffer's planes lie: offsets, strides, and the memory of each.
#pragma once

#include <cstddef>
#include <optional>

#include <gst/video/video.h>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "gst-plugins/common/caps.h"

namespace sluice::gst {

// Where the planes begin in a buffer. Points into its GstVideoMeta or the caps' info.
struct Layout {
    std::size_t planes = 0;
    const gsize* offsets = nullptr;
    const gint* strides = nullptr;
};

// By the buffer's GstVideoMeta, else by the caps. InvalidArgument where the two contradict.
[[nodiscard]] Result<Layout> layout_of(GstBuffer* buffer, const Video& video);

// A plane within one memory of a buffer: which, and how far from its first visible byte.
struct PlanePlace {
    guint memory = 0;
    gsize skip = 0;
};

// None if the plane is spread over several memories, ends beyond them, or has no positive stride.
[[nodiscard]] std::optional<PlanePlace> place_of(GstBuffer* buffer, const Layout& layout,
                                                 const Video& video, std::size_t plane);

// Mapping shared or read-only memory for writing makes GStreamer duplicate it.
void count_unwritable(GstBuffer* buffer, CopyLedger& copies);

} // namespace sluice::gst
