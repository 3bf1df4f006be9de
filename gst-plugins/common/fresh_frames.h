// SPDX-License-Identifier: Apache-2.0
// FreshFrames: frames to write into where the one that came must stay as it is.
#pragma once

#include <gst/base/gstbasetransform.h>

#include "core/base/result.h"
#include "gst-plugins/common/allocation.h"
#include "gst-plugins/common/ref.h"

namespace sluice::gst {

// Of an element that works in place wherever it may, for the frames that somebody else still holds:
// decoders keep what they predict from. Of the streaming thread.
class FreshFrames {
public:
    FreshFrames() = default;
    ~FreshFrames() { clear(); }
    FreshFrames(const FreshFrames&) = delete;
    FreshFrames& operator=(const FreshFrames&) = delete;

    // A buffer with the time stamps, flags and metas of `frame`, and memory that nobody has
    // written: from downstream's pool where it offers one that nobody uses and that grows, else
    // from one of the offer's memory. The pool is made at the first call, for the pad's caps.
    [[nodiscard]] Result<Ref<GstBuffer>> like(GstBuffer* frame, const PoolOffer& offer);
    // The caps have changed, or the element stops.
    void clear() { release_pool(pool_); }

private:
    Ref<GstBufferPool> pool_;
};

// Whether writing this frame would make GStreamer duplicate its pixels.
[[nodiscard]] bool is_held_elsewhere(GstBuffer* frame);

} // namespace sluice::gst
