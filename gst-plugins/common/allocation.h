// SPDX-License-Identifier: Apache-2.0
// Buffer pools: what upstream is offered, and where results lie.
#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "core/base/result.h"
#include "gst-plugins/common/ref.h"

namespace sluice::gst {

class VulkanShare;

// What an element can offer.
struct PoolOffer {
    GstPad* source = nullptr;           // where the frames of in-place elements travel on
    GstAllocator* allocator = nullptr;  // of the pool's memory
    bool for_device = false;            // frames go to a Vulkan device, not to the CPU
    bool aligned = true;                // as upstream wishes
    const VulkanShare* share = nullptr; // whose images results are, where those were negotiated
};

// Completes the answer to an ALLOCATION query that GstBaseTransform has begun, and tells whether
// there is one:
// - A pool, for who asks for one: frames in memory that the element's device reads where it lies,
//   with any alignment and padding, so that decoders render into them (avdec_h264 does, once the
//   few frames that it had begun before it asked are through). Downstream's pool is left, unless it
//   is one of ordinary memory and a device wants better.
// - GstVideoMeta: any strides and offsets are welcome to us. `decided` is null for in-place
//   elements: their frames travel on, so downstream's answer is the answer. A sink that knows no
//   GstVideoMeta makes decoders copy each frame into rows without padding, whatever stands before
//   it; but for a fakesink that shows its frames to nobody, that would be for nothing.
//
// Dmabufs are the exception. Their producers have pools of their own, and who takes their caps must
// read GstVideoMeta, so it is welcome though downstream does not say so, or does not answer at all.
// Else v4l2src would copy the planes of cameras that give each in a dmabuf of its own.
[[nodiscard]] bool propose(const PoolOffer& offer, bool answered, GstQuery* decided,
                           GstQuery* query);

// Whether what leaves this source pad ends in a fakesink that neither dumps nor hands off what it
// gets, with nothing but queues and capsfilters between.
[[nodiscard]] bool is_discarded(GstPad* source);

// Answers an ALLOCATION query of ours for frames that we write: downstream's pool where it has one,
// else a video pool of the offer's memory, so that strides may be padded; of dmabufs that we make
// ourselves, or of images of the device, where those were negotiated. False if its caps are none of
// ours.
[[nodiscard]] bool decide(const PoolOffer& offer, GstQuery* query);

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
