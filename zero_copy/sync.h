// SPDX-License-Identifier: Apache-2.0
// Synchronisation of dmabufs: CPU access in brackets, and fences as sync_files.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "zero_copy/external_frame.h"

namespace sluice::zero_copy {

enum class CpuAccess : std::uint8_t { Read = 1, Write = 2, ReadWrite = 3 };

// The CPU's turn on one dmabuf: caches are made to agree when it begins and when it ends, and it
// begins after the devices that wrote have finished. Movable; ends in the destructor if end() was
// not called. The descriptor stays open until then.
class DmaBufAccess {
public:
    // Io if the kernel refuses. A descriptor that is no dmabuf needs no brackets and gets none.
    [[nodiscard]] static Result<DmaBufAccess> begin(int fd, CpuAccess access);
    DmaBufAccess() = default;
    DmaBufAccess(DmaBufAccess&& other) noexcept;
    DmaBufAccess& operator=(DmaBufAccess&& other) noexcept;
    DmaBufAccess(const DmaBufAccess&) = delete;
    DmaBufAccess& operator=(const DmaBufAccess&) = delete;
    ~DmaBufAccess();

    [[nodiscard]] Status end();
    // False for memory that is no dmabuf.
    [[nodiscard]] bool brackets() const { return fd_ >= 0; }

private:
    int fd_ = -1; // borrowed
    CpuAccess access_ = CpuAccess::Read;
};

// The brackets around all dmabufs of a frame.
class FrameAccess {
public:
    [[nodiscard]] static Result<FrameAccess> begin(const ExternalFrame& frame, CpuAccess access);
    [[nodiscard]] Status end();

private:
    std::array<DmaBufAccess, kMaxFrameMemories> memories_;
};

// A sync_file that signals when whoever has work on the dmabuf is done: its writers if the caller
// will read, readers too if it will write. Unsupported where the kernel is older than 6.0, or the
// memory is no dmabuf; wait_idle() then serves.
[[nodiscard]] Result<UniqueFd> export_sync_file(int dma_buf_fd, CpuAccess next);
// Makes later users of the dmabuf wait for `sync_file`: as for something that `done` says. The
// descriptor stays the caller's. Unsupported as above: the caller waits for the fence itself.
[[nodiscard]] Status import_sync_file(int dma_buf_fd, int sync_file, CpuAccess done);

// Blocks until the dmabuf's writers (and readers, if the caller will write) are done, by poll(). Io
// after `timeout_ms`. Returns at once for memory that is no dmabuf.
[[nodiscard]] Status wait_idle(int dma_buf_fd, CpuAccess next, int timeout_ms = 5000);
// Blocks until a sync_file has signalled.
[[nodiscard]] Status wait_sync_file(int sync_file, int timeout_ms = 5000);

// One sync_file that signals when both have; either may be none.
[[nodiscard]] Result<UniqueFd> merge_sync_files(UniqueFd a, UniqueFd b);

// The fence that a device must wait for before it touches the frame: one sync_file for all of its
// dmabufs, or none where nothing needs waiting for. Where sync_files cannot be had this waits here,
// and says so in the log once a process.
[[nodiscard]] Result<UniqueFd> acquire_fence(const ExternalFrame& frame, CpuAccess next,
                                             bool device_takes_sync_files);
// Gives `fence` (consumed; may be none) to all dmabufs of the frame. Where that cannot be, waits
// for the fence here, and says so in the log once a process.
[[nodiscard]] Status release_fence(const ExternalFrame& frame, UniqueFd fence, CpuAccess done);

} // namespace sluice::zero_copy
