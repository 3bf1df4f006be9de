// SPDX-License-Identifier: Apache-2.0
// What the kernel and GStreamer themselves say about frames: witnesses that are not ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include <gst/gst.h>

namespace sluice::testing {

// Whether this runs in the virtual machine; the tests skip elsewhere.
[[nodiscard]] bool in_the_machine();

// The kernel's list of all dmabufs that exist (debugfs): exporter by inode.
[[nodiscard]] std::map<ino_t, std::string> existing_dmabufs();

// How often this machine's programs synchronise the CPU's access to dmabufs, by the kernel's
// tracers, from construction on.
class SyncCounter {
public:
    SyncCounter();
    ~SyncCounter();
    SyncCounter(const SyncCounter&) = delete;
    SyncCounter& operator=(const SyncCounter&) = delete;

    // Calls of DMA_BUF_IOCTL_SYNC, and those of them that begin an access.
    [[nodiscard]] std::size_t calls() const;
    [[nodiscard]] std::size_t begins() const;
};

// The GstMemory objects that this process makes, by GStreamer's own leaks tracer, which must be
// active (GST_TRACERS=leaks).
class MemoryCounter {
public:
    MemoryCounter();
    ~MemoryCounter();
    MemoryCounter(const MemoryCounter&) = delete;
    MemoryCounter& operator=(const MemoryCounter&) = delete;

    // False where the tracer is not there.
    explicit operator bool() const { return tracer_ != nullptr; }
    // Since the last call, or construction.
    [[nodiscard]] std::size_t made();

private:
    GstTracer* tracer_ = nullptr;
};

// The inodes of a buffer's memories; 0 for one that is no dmabuf.
[[nodiscard]] std::vector<ino_t> inodes(GstBuffer* buffer);

// The bytes of a dmabuf, mapped by ourselves, not by GStreamer.
class MappedFile {
public:
    explicit MappedFile(int fd);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    [[nodiscard]] std::uint8_t* data() const { return data_; }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace sluice::testing
