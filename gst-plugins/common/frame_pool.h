// SPDX-License-Identifier: Apache-2.0
// A video pool whose frames a decoder can go on reading while we have them.
#pragma once

#include <gst/gst.h>

#include "gst-plugins/common/ref.h"

namespace sluice::gst {

// A GstVideoBufferPool with one difference. gst-libav leaves a frame mapped for writing as long as
// other frames refer to it, though it only reads it then. GStreamer does not share memory that is
// mapped for writing: GstVideoDecoder, which wants a buffer of its own to put time stamps on, gets
// a copy of all pixels. So whoever maps a fresh frame of this pool by its GstVideoMeta gets the
// memory's lasting address, and the memory stays unlocked. Everybody later maps as always; who
// wants to write what the decoder still refers to gets a copy, as always.
//
// Only memfds of our own are mapped so: others' mappings end, and dmabufs must be told when the CPU
// is through.
//
// `aligned`: with any alignment and padding; else with none, into which decoders copy.
[[nodiscard]] Ref<GstBufferPool> make_frame_pool(bool aligned);

} // namespace sluice::gst
