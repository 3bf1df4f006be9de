// SPDX-License-Identifier: Apache-2.0
// AVFrame as a frame, where it lies: plain memory, or dmabufs of a hardware decoder (DRM PRIME).
#pragma once

#include "core/base/result.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame.h"

struct AVFrame;

namespace sluice::embed {

// Every function borrows: the AVFrame, and with it its buffers, must stay referenced while what it
// returned is used. Colorimetry, range and chroma siting are the frame's; what it leaves
// unspecified is taken as players do: BT.709 above 576 lines, else BT.601; limited range (grey:
// full); chroma on the left, of full-range YUV in the centre. Siting that Sluice has not (top,
// bottom) counts as left.
//
// Formats: NV12, NV21, YUV420P, YUYV422, UYVY422, P010LE, RGB24, BGR24, RGBA, BGRA, RGB0, BGR0,
// GRAY8. Unsupported names any other format, a picture stored upside down (negative linesize),
// cropping that was not applied, and hardware frames that are not DRM PRIME, each with what to do.
[[nodiscard]] Result<zero_copy::FrameView> frame_of(const AVFrame& frame);

// To be written in place. Unsupported if others hold references to the buffers too, as a decoder
// does to its reference pictures: av_frame_make_writable() copies such a frame, and the caller
// knows whether that is wanted.
[[nodiscard]] Result<zero_copy::MutableFrameView> mutable_frame_of(AVFrame& frame);

// With memory identity, for a Vulkan device: DRM PRIME frames by their dmabufs, modifier, offsets
// and pitches, and not mapped for the host; plain memory by its address. Writable if the AVFrame
// is. A frame whose planes are separate layers (as VA-API exports NV12) needs its hw_frames_ctx.
[[nodiscard]] Result<zero_copy::ExternalFrame> external_frame_of(const AVFrame& frame);

} // namespace sluice::embed
