// SPDX-License-Identifier: Apache-2.0
// Buffer pools: what upstream is offered, and where results lie.
#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "core/base/result.h"
#include "gst-plugins/common/ref.h"

namespace sluice::gst {

// Completes the answer to an ALLOCATION query that GstBaseTransform has begun: a pool of padded,
// aligned video buffers, so that decoders can render into them directly instead of copying.
// In-place elements offer it only where downstream understands GstVideoMeta, because the frames
// travel on. `decided` is null for in-place elements.
[[nodiscard]] bool propose(GstBaseTransform* base, GstQuery* decided, GstQuery* query);

// A started pool of video buffers with GstVideoMeta.
[[nodiscard]] Result<Ref<GstBufferPool>> make_video_pool(GstVideoFormat format, guint width,
                                                         guint height);
// A started pool of plain buffers.
[[nodiscard]] Result<Ref<GstBufferPool>> make_plain_pool(gsize bytes);
// A buffer of a started pool; waits for none, pools grow.
[[nodiscard]] Result<Ref<GstBuffer>> acquire(GstBufferPool* pool);
// Lets go of a pool; buffers that are still in use free themselves later.
void release_pool(Ref<GstBufferPool>& pool);

} // namespace sluice::gst
