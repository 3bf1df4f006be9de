// SPDX-License-Identifier: Apache-2.0
// From buffers to frames with memory identity, which a device reads and writes where they lie.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <gst/video/video.h>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/layout.h"
#include "gst-plugins/common/memory_serials.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/sync.h"

namespace sluice::gst {

// Which memories of a buffer the host must see, too.
enum class HostSees : std::uint8_t {
    PlainMemory, // what has no other name than its address
    All,         // also dmabufs and memfds: nothing else can read them
};

// A buffer's frame by descriptors, offsets and strides, for as long as this object lives. Dmabufs
// and shared memory go by their descriptors and are not mapped; plain memory is mapped, which for
// GStreamer's own is a look at a pointer. The buffer must outlive it.
class BufferFrame {
public:
    // For writing, memory that is shared is first duplicated by GStreamer, counted as NotWritable.
    // Unsupported: a plane is spread over several memories. Io: a descriptor is none, or memory
    // cannot be mapped. InvalidArgument: the planes do not fit in the memory.
    [[nodiscard]] static Result<BufferFrame> create(GstBuffer* buffer, const Video& video,
                                                    zero_copy::CpuAccess access, HostSees sees,
                                                    MemorySerials& serials, CopyLedger& copies);

    BufferFrame(BufferFrame&& other) noexcept;
    BufferFrame& operator=(BufferFrame&&) = delete;
    BufferFrame(const BufferFrame&) = delete;
    BufferFrame& operator=(const BufferFrame&) = delete;
    ~BufferFrame();

    [[nodiscard]] const zero_copy::ExternalFrame& frame() const { return *frame_; }
    // A device has used the frame as it was created for.
    void note_used() const;

private:
    struct Places;
    // Of images of a Vulkan device.
    [[nodiscard]] static Result<BufferFrame> of_images(GstBuffer* buffer, const Video& video,
                                                       zero_copy::CpuAccess access,
                                                       MemorySerials& serials);
    BufferFrame(GstBuffer* buffer, zero_copy::CpuAccess access)
        : buffer_(buffer), access_(access) {}
    [[nodiscard]] Result<zero_copy::FrameMemory> describe(guint memory, zero_copy::CpuAccess access,
                                                          HostSees sees, MemorySerials& serials);
    [[nodiscard]] Result<GstMapInfo*> map(guint memory, zero_copy::CpuAccess access);

    GstBuffer* buffer_ = nullptr; // borrowed
    zero_copy::CpuAccess access_ = zero_copy::CpuAccess::Read;
    std::size_t mappings_ = 0;
    std::array<GstMapInfo, zero_copy::kMaxFrameMemories> maps_{};
    std::optional<zero_copy::ExternalFrame> frame_;
};

// An element's way to give its frames to a device. Of the streaming thread.
class DeviceFrames {
public:
    // `work(const ExternalFrame&) -> Result<T>` on the buffer's frame. Nothing where the frame has
    // no such description or the device cannot take it in any way: then the host has to map it.
    // Images it cannot map: what they lack is an error.
    template <typename Work>
    [[nodiscard]] auto use(GstBuffer* buffer, const Video& video, zero_copy::CpuAccess access,
                           CopyLedger& copies, Work&& work)
        -> std::optional<std::invoke_result_t<Work&, const zero_copy::ExternalFrame&>> {
        while (true) {
            const auto described = describe(buffer, video, access, copies);
            if (!described) {
                if (video.in_images) {
                    return std::unexpected(described.error());
                }
                break;
            }
            auto done = work(described->frame());
            if (done) {
                described->note_used();
            }
            if (done || video.in_images || done.error().code != ErrorCode::Unsupported) {
                return done;
            }
            if (!look_closer(done.error())) {
                break;
            }
        }
        return std::nullopt;
    }

    // `forget(const MemoryIdentity&)` for plain memory, and a pool's, that is gone: what was
    // imported from it can go.
    template <typename Forget>
    void forget_freed(Forget&& forget) {
        serials_.take_freed(std::forward<Forget>(forget));
    }
    // The device is given up, and with it what was imported.
    void clear();

private:
    [[nodiscard]] Result<BufferFrame> describe(GstBuffer* buffer, const Video& video,
                                               zero_copy::CpuAccess access, CopyLedger& copies);
    // Whether showing the host more of the frame may help.
    [[nodiscard]] bool look_closer(const Error& refusal);

    MemorySerials serials_;
    HostSees sees_ = HostSees::PlainMemory;
    bool said_mapped_ = false;
};

} // namespace sluice::gst
