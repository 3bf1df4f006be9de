// SPDX-License-Identifier: Apache-2.0
// The ioctls of linux/dma-buf.h and linux/sync_file.h.
#include "zero_copy/sync.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <sys/ioctl.h>

#include <poll.h>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "zero_copy/external_frame.h"

// Headers before Linux 6.0 lack these; the numbers are the kernel's ABI.
#ifndef DMA_BUF_IOCTL_EXPORT_SYNC_FILE
struct dma_buf_export_sync_file {
    __u32 flags;
    __s32 fd;
};
struct dma_buf_import_sync_file {
    __u32 flags;
    __s32 fd;
};
#define DMA_BUF_IOCTL_EXPORT_SYNC_FILE _IOWR(DMA_BUF_BASE, 2, struct dma_buf_export_sync_file)
#define DMA_BUF_IOCTL_IMPORT_SYNC_FILE _IOW(DMA_BUF_BASE, 3, struct dma_buf_import_sync_file)
#endif

namespace sluice::zero_copy {

namespace {

// Signals and a busy exporter interrupt these calls; they are to be asked again.
int retried_ioctl(int fd, unsigned long request, void* argument) {
    int result = 0;
    do {
        result = ::ioctl(fd, request, argument);
    } while (result != 0 && (errno == EINTR || errno == EAGAIN));
    return result;
}

bool writes(CpuAccess access) {
    return access != CpuAccess::Read;
}

// The flags are the same for brackets and fences: DMA_BUF_SYNC_READ is 1, _WRITE 2.
static_assert(static_cast<unsigned>(CpuAccess::ReadWrite) == DMA_BUF_SYNC_RW);

Status bracket(int fd, std::uint64_t flags) {
    dma_buf_sync argument{.flags = flags};
    if (retried_ioctl(fd, DMA_BUF_IOCTL_SYNC, &argument) != 0) {
        return fail(errno == ENOTTY ? ErrorCode::Unsupported : ErrorCode::Io,
                    "dmabuf {}: DMA_BUF_IOCTL_SYNC: {}", fd, std::strerror(errno));
    }
    return {};
}

Status poll_until(int fd, short events, int timeout_ms, const char* what) {
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    int result = 0;
    do {
        result = ::poll(&entry, 1, timeout_ms);
    } while (result < 0 && (errno == EINTR || errno == EAGAIN));
    if (result == 0) {
        return fail(ErrorCode::Io, "{} {}: still busy after {} ms", what, fd, timeout_ms);
    }
    if (result < 0 || (entry.revents & (POLLERR | POLLNVAL)) != 0) {
        return fail(ErrorCode::Io, "{} {}: {}", what, fd,
                    result < 0 ? std::strerror(errno) : "closed or in error");
    }
    return {};
}

void say_once(std::atomic<bool>& said, const Error& reason, const char* instead) {
    if (!said.exchange(true)) {
        log::warning("import", "{}; {}", reason.message, instead);
    }
}
constexpr const char* kWaits = "waiting for producers with poll() instead";
std::atomic<bool> said_no_export{false};
std::atomic<bool> said_no_import{false};

} // namespace

Result<DmaBufAccess> DmaBufAccess::begin(int fd, CpuAccess access) {
    DmaBufAccess out;
    const Status begun = bracket(fd, DMA_BUF_SYNC_START | static_cast<std::uint64_t>(access));
    if (!begun && begun.error().code == ErrorCode::Unsupported) {
        return out;
    }
    if (!begun) {
        return std::unexpected(begun.error());
    }
    out.fd_ = fd;
    out.access_ = access;
    return out;
}

DmaBufAccess::DmaBufAccess(DmaBufAccess&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), access_(other.access_) {}

DmaBufAccess& DmaBufAccess::operator=(DmaBufAccess&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(access_, other.access_);
    return *this;
}

DmaBufAccess::~DmaBufAccess() {
    if (const Status ended = end(); !ended) {
        log::warning("import", "{}", ended.error().message);
    }
}

Status DmaBufAccess::end() {
    if (fd_ < 0) {
        return {};
    }
    return bracket(std::exchange(fd_, -1), DMA_BUF_SYNC_END | static_cast<std::uint64_t>(access_));
}

Result<FrameAccess> FrameAccess::begin(const ExternalFrame& frame, CpuAccess access) {
    FrameAccess out;
    for (std::size_t i = 0; i < frame.memories().size(); ++i) {
        if (frame.memories()[i].kind == MemoryKind::DmaBuf) {
            SLUICE_TRY_ASSIGN(out.memories_[i],
                              DmaBufAccess::begin(frame.memories()[i].fd, access));
        }
    }
    return out;
}

Status FrameAccess::end() {
    Status out;
    for (DmaBufAccess& memory : memories_) {
        if (Status ended = memory.end(); !ended) {
            out = std::move(ended);
        }
    }
    return out;
}

Result<UniqueFd> export_sync_file(int dma_buf_fd, CpuAccess next) {
    dma_buf_export_sync_file argument{.flags = static_cast<__u32>(next), .fd = -1};
    if (retried_ioctl(dma_buf_fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &argument) != 0) {
        return fail(errno == ENOTTY ? ErrorCode::Unsupported : ErrorCode::Io,
                    "dmabuf {}: DMA_BUF_IOCTL_EXPORT_SYNC_FILE: {}", dma_buf_fd,
                    std::strerror(errno));
    }
    return UniqueFd(argument.fd);
}

Status import_sync_file(int dma_buf_fd, int sync_file, CpuAccess done) {
    dma_buf_import_sync_file argument{.flags = static_cast<__u32>(done), .fd = sync_file};
    if (retried_ioctl(dma_buf_fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &argument) != 0) {
        return fail(errno == ENOTTY ? ErrorCode::Unsupported : ErrorCode::Io,
                    "dmabuf {}: DMA_BUF_IOCTL_IMPORT_SYNC_FILE: {}", dma_buf_fd,
                    std::strerror(errno));
    }
    return {};
}

Status wait_idle(int dma_buf_fd, CpuAccess next, int timeout_ms) {
    // dma_buf_poll(): POLLIN waits for writers, POLLOUT for everybody.
    return poll_until(dma_buf_fd, writes(next) ? POLLOUT : POLLIN, timeout_ms, "dmabuf");
}

Status wait_sync_file(int sync_file, int timeout_ms) {
    return poll_until(sync_file, POLLIN, timeout_ms, "sync_file");
}

Result<UniqueFd> merge_sync_files(UniqueFd a, UniqueFd b) {
    if (!a || !b) {
        return a ? std::move(a) : std::move(b);
    }
    sync_merge_data data{};
    std::strncpy(data.name, "sluice", sizeof(data.name) - 1);
    data.fd2 = b.get();
    if (retried_ioctl(a.get(), SYNC_IOC_MERGE, &data) != 0) {
        return fail(ErrorCode::Io, "sync_file {}: SYNC_IOC_MERGE: {}", a.get(),
                    std::strerror(errno));
    }
    return UniqueFd(data.fence);
}

Result<UniqueFd> acquire_fence(const ExternalFrame& frame, CpuAccess next,
                               bool device_takes_sync_files) {
    UniqueFd all;
    for (const FrameMemory& memory : frame.memories()) {
        if (memory.kind != MemoryKind::DmaBuf) {
            continue;
        }
        if (!device_takes_sync_files) {
            if (!said_no_export) { // once: frame by frame no text is made
                say_once(
                    said_no_export,
                    {.code = ErrorCode::Unsupported, .message = "the device takes no sync_files"},
                    kWaits);
            }
            SLUICE_TRY(wait_idle(memory.fd, next));
            continue;
        }
        Result<UniqueFd> fence = export_sync_file(memory.fd, next);
        if (fence) {
            SLUICE_TRY_ASSIGN(all, merge_sync_files(std::move(all), std::move(*fence)));
            continue;
        }
        if (fence.error().code != ErrorCode::Unsupported) {
            return fence;
        }
        say_once(said_no_export, fence.error(), kWaits);
        SLUICE_TRY(wait_idle(memory.fd, next));
    }
    return all;
}

Status release_fence(const ExternalFrame& frame, UniqueFd fence, CpuAccess done) {
    if (!fence) {
        return {};
    }
    for (const FrameMemory& memory : frame.memories()) {
        if (memory.kind != MemoryKind::DmaBuf) {
            continue;
        }
        const Status given = import_sync_file(memory.fd, fence.get(), done);
        if (given) {
            continue;
        }
        if (given.error().code != ErrorCode::Unsupported) {
            return given;
        }
        say_once(said_no_import, given.error(), "waiting for the device before passing frames on");
        return wait_sync_file(fence.get());
    }
    return {};
}

} // namespace sluice::zero_copy
