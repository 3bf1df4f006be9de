// SPDX-License-Identifier: Apache-2.0
// MappedFrame: a buffer's pixels, where they lie, for as long as this object lives.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include <gst/video/video.h>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "gst-plugins/common/caps.h"
#include "zero_copy/frame.h"

namespace sluice::gst {

// Maps a buffer with the strides and offsets of its GstVideoMeta (those of the caps without one),
// unmaps on destruction. The buffer must outlive it. Linear dmabufs are mapped as any memory:
// GstDmaBufAllocator brackets each mapping with DMA_BUF_IOCTL_SYNC, which also waits for fences.
//
// GStreamer itself copies pixels when shared memory is mapped for writing or when memories must be
// merged; both are foreseen here and counted, as NotWritable and UnmappableFrame.
class MappedFrame {
public:
    // Io: the memory cannot be mapped. InvalidArgument: it is smaller than the frame.
    [[nodiscard]] static Result<MappedFrame> read(GstBuffer* buffer, const Video& video,
                                                  CopyLedger& copies);
    // The buffer must be writable. Also readable.
    [[nodiscard]] static Result<MappedFrame> read_write(GstBuffer* buffer, const Video& video,
                                                        CopyLedger& copies);
    // For a buffer that nobody has written yet.
    [[nodiscard]] static Result<MappedFrame> write(GstBuffer* buffer, const Video& video,
                                                   CopyLedger& copies);

    MappedFrame(MappedFrame&& other) noexcept;
    MappedFrame& operator=(MappedFrame&&) = delete;
    MappedFrame(const MappedFrame&) = delete;
    MappedFrame& operator=(const MappedFrame&) = delete;
    ~MappedFrame();

    [[nodiscard]] zero_copy::FrameView view() const { return *view_; }
    // Only after read_write() and write().
    [[nodiscard]] zero_copy::MutableFrameView mutable_view() const { return *view_; }

private:
    MappedFrame() = default;
    [[nodiscard]] static Result<MappedFrame> map(GstBuffer* buffer, const Video& video,
                                                 GstMapFlags flags, CopyLedger& copies);
    // `length` memories from this one on; -1: all.
    [[nodiscard]] Result<const GstMapInfo*> map_range(guint memory, gint length, GstMapFlags flags);

    GstBuffer* buffer_ = nullptr; // borrowed
    std::size_t mappings_ = 0;
    std::array<guint, GST_VIDEO_MAX_PLANES> memories_{}; // that each mapping begins with
    std::array<GstMapInfo, GST_VIDEO_MAX_PLANES> maps_{};
    std::optional<zero_copy::MutableFrameView> view_;
};

} // namespace sluice::gst
