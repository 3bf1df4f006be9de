// SPDX-License-Identifier: Apache-2.0
// Buffer pools: what upstream is offered, and where results lie.
#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "core/base/result.h"
#include "gst-plugins/common/ref.h"

namespace sluice::gst {

// Completes the answer to an ALLOCATION query that GstBaseTransform has begun, and tells whether
// there is one: any strides and offsets are welcome. That is all a decoder needs to render directly
// into frames of its own (avdec_h264 does, from the third frame on), so no pool is offered.
// `decided` is null for in-place elements: their frames travel on, so downstream's answer is the
// answer. Sinks that know no GstVideoMeta, such as fakesink, make decoders copy each frame,
// whatever stands before them. A pool of ours would not be better for the CPU: the memory of
// cameras and decoders is readable where it lies, and theirs is made with their own alignment and
// padding.
//
// Dmabufs are the exception: who takes their caps must read GstVideoMeta, so it is welcome though
// downstream does not say so, or does not answer at all. Else v4l2src would copy the planes of
// cameras that give each in a dmabuf of its own.
[[nodiscard]] bool propose(bool answered, GstQuery* decided, GstQuery* query);

// Answers an ALLOCATION query of ours for frames that we write: downstream's pool where it has one,
// else a video pool, so that strides may be padded; of dmabufs that we make ourselves where those
// were negotiated. False if its caps are none of ours.
[[nodiscard]] bool decide(GstQuery* query);

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
