// SPDX-License-Identifier: Apache-2.0
// debugfs, the kernel's tracers, GStreamer's leaks tracer, mmap.
#include "tests/dmabuf-vm/witness.h"

#include <cstdlib>
#include <filesystem>
#include <format>
#include <fstream>
#include <sstream>

#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gst/allocators/allocators.h>
#include <gst/gsttracer.h>
#include <gtest/gtest.h>

namespace sluice::testing {

namespace {

const std::filesystem::path kTracing = "/sys/kernel/debug/tracing";
const std::filesystem::path kIoctlEvent = kTracing / "events/syscalls/sys_enter_ioctl";
constexpr const char* kBegin = "dma_buf_begin_cpu_access";

void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream out(file);
    out << text;
    out.close();
    EXPECT_TRUE(out) << file << " takes no '" << text << "'";
}

// "task-pid [cpu] flags time: event"
std::size_t traced(const std::string& event) {
    std::size_t count = 0;
    std::ifstream file(kTracing / "trace");
    for (std::string line; std::getline(file, line);) {
        count += line.contains(event) ? 1 : 0;
    }
    return count;
}

} // namespace

bool in_the_machine() {
    return std::getenv("SLUICE_DMABUF_VM") != nullptr;
}

// size flags mode count exporter inode name, in columns; other lines say who is attached.
std::map<ino_t, std::string> existing_dmabufs() {
    std::map<ino_t, std::string> out;
    std::ifstream file("/sys/kernel/debug/dma_buf/bufinfo");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string size;
        std::string flags;
        std::string mode;
        std::string count;
        std::string exporter;
        std::string inode;
        if (words >> size >> flags >> mode >> count >> exporter >> inode && size.size() == 8 &&
            size.find_first_not_of("0123456789") == std::string::npos) {
            out[static_cast<ino_t>(std::stoul(inode))] = exporter;
        }
    }
    return out;
}

// The function that ends an access is inlined in the kernel and cannot be traced; the system call
// that asks for it can.
SyncCounter::SyncCounter() {
    write(kTracing / "current_tracer", "nop");
    write(kTracing / "set_ftrace_filter", kBegin);
    write(kIoctlEvent / "filter", std::format("cmd == {:#x}", DMA_BUF_IOCTL_SYNC));
    write(kTracing / "trace", "");
    write(kIoctlEvent / "enable", "1");
    write(kTracing / "current_tracer", "function");
    write(kTracing / "tracing_on", "1");
}

SyncCounter::~SyncCounter() {
    write(kTracing / "current_tracer", "nop");
    write(kIoctlEvent / "enable", "0");
    write(kTracing / "set_ftrace_filter", "");
}

std::size_t SyncCounter::calls() const {
    return traced(": sys_ioctl(");
}

std::size_t SyncCounter::begins() const {
    return traced(std::string(": ") + kBegin + " <-");
}

MemoryCounter::MemoryCounter() {
    GList* tracers = gst_tracing_get_active_tracers();
    for (GList* item = tracers; item != nullptr; item = item->next) {
        if (std::string_view(G_OBJECT_TYPE_NAME(item->data)) == "GstLeaksTracer") {
            tracer_ = GST_TRACER(gst_object_ref(item->data));
            g_signal_emit_by_name(tracer_, "activity-start-tracking");
        }
    }
    g_list_free_full(tracers, gst_object_unref);
}

MemoryCounter::~MemoryCounter() {
    if (tracer_ != nullptr) {
        g_signal_emit_by_name(tracer_, "activity-stop-tracking");
        gst_object_unref(tracer_);
    }
}

std::size_t MemoryCounter::made() {
    GstStructure* checkpoint = nullptr;
    g_signal_emit_by_name(tracer_, "activity-get-checkpoint", &checkpoint);
    const GValue* created = gst_structure_get_value(checkpoint, "objects-created-list");
    std::size_t count = 0;
    for (guint i = 0; created != nullptr && i < gst_value_list_get_size(created); ++i) {
        const GstStructure* object = gst_value_get_structure(gst_value_list_get_value(created, i));
        const char* type = gst_structure_get_string(object, "type-name");
        count += type != nullptr && std::string_view(type) == "GstMemory" ? 1 : 0;
    }
    gst_structure_free(checkpoint);
    return count;
}

std::vector<ino_t> inodes(GstBuffer* buffer) {
    std::vector<ino_t> out;
    for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
        GstMemory* memory = gst_buffer_peek_memory(buffer, i);
        struct stat status{};
        const bool known = gst_is_dmabuf_memory(memory) != FALSE &&
                           fstat(gst_dmabuf_memory_get_fd(memory), &status) == 0;
        out.push_back(known ? status.st_ino : 0);
    }
    return out;
}

MappedFile::MappedFile(int fd) : size_(static_cast<std::size_t>(lseek(fd, 0, SEEK_END))) {
    void* mapped = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    EXPECT_NE(mapped, MAP_FAILED);
    data_ = static_cast<std::uint8_t*>(mapped);
}

MappedFile::~MappedFile() {
    munmap(data_, size_);
}

} // namespace sluice::testing
