// SPDX-License-Identifier: Apache-2.0
// Serials as qdata of GstMemory, and who is told when one goes.
#include "gst-plugins/common/memory_serials.h"

#include <algorithm>
#include <format>
#include <memory>
#include <mutex>

#include <sys/stat.h>

#include <gst/allocators/gstfdmemory.h>

#include "gst-plugins/common/dmabuf_allocator.h"
#include "gst-plugins/common/memfd_allocator.h"
#include "gst-plugins/common/vulkan_share.h"

namespace sluice::gst {

using zero_copy::MemoryIdentity;

namespace {

struct Names {
    std::uint64_t serial = 0;
    MemoryIdentity file; // of a pool's memory; else 0, 0
};

// What an import of the memory's descriptor is kept under.
MemoryIdentity file_of(GstMemory* memory) {
    struct stat status{};
    if (gst_is_fd_memory(memory) == FALSE || fstat(gst_fd_memory_get_fd(memory), &status) != 0) {
        return {};
    }
    return {.device = status.st_dev, .inode = status.st_ino};
}

// Others' descriptors may be wrapped again and again, with no end that says anything.
bool has_lasting_mapping(GstMemory* memory) {
    return gst_memory_is_type(memory, GST_ALLOCATOR_SYSMEM) != FALSE || is_own_memfd(memory) ||
           is_own_dmabuf(memory) || is_vulkan_image(memory);
}

// Never destroyed: memory may be freed when statics are gone.
struct Registry {
    std::mutex lock; // a leaf: nothing is called with it held but GStreamer's qdata
    std::uint64_t last = 0;
    std::vector<MemorySerials*> listeners;
};

Registry& registry() {
    static auto* const only = new Registry;
    return *only;
}

// Its own in each copy of this code that a process has loaded: each counts for itself.
GQuark serial_quark() {
    static const GQuark quark = g_quark_from_string(
        std::format("sluice-memory-serial-{}", static_cast<const void*>(&registry())).c_str());
    return quark;
}

} // namespace

MemorySerials::MemorySerials() {
    Registry& all = registry();
    const std::lock_guard hold(all.lock);
    all.listeners.push_back(this);
}

MemorySerials::~MemorySerials() {
    Registry& all = registry();
    const std::lock_guard hold(all.lock);
    std::erase(all.listeners, this);
}

std::uint64_t MemorySerials::of(GstMemory* memory) {
    while (memory->parent != nullptr) {
        memory = memory->parent; // shares of one allocation go with it
    }
    if (!has_lasting_mapping(memory)) {
        return 0;
    }
    Registry& all = registry();
    const std::lock_guard hold(all.lock);
    auto* names = static_cast<Names*>(
        gst_mini_object_get_qdata(GST_MINI_OBJECT_CAST(memory), serial_quark()));
    if (names == nullptr) {
        auto made = std::make_unique<Names>(++all.last, file_of(memory));
        names = made.get();
        gst_mini_object_set_qdata(GST_MINI_OBJECT_CAST(memory), serial_quark(), made.release(),
                                  end);
    }
    known_.insert(names->serial);
    return names->serial;
}

void MemorySerials::clear() {
    const std::lock_guard hold(registry().lock);
    known_.clear();
    freed_.clear();
}

const std::vector<MemoryIdentity>& MemorySerials::take_freed() {
    taken_.clear();
    const std::lock_guard hold(registry().lock);
    taken_.swap(freed_);
    return taken_;
}

void MemorySerials::end(gpointer names) {
    const std::unique_ptr<Names> gone(static_cast<Names*>(names));
    Registry& all = registry();
    const std::lock_guard hold(all.lock);
    for (MemorySerials* listener : all.listeners) {
        if (listener->known_.erase(gone->serial) > 0) {
            listener->freed_.push_back({.device = 0, .inode = gone->serial});
            if (gone->file != MemoryIdentity{}) {
                listener->freed_.push_back(gone->file);
            }
        }
    }
}

} // namespace sluice::gst
