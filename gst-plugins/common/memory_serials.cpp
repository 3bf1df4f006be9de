// SPDX-License-Identifier: Apache-2.0
// Serials as qdata of GstMemory, and who is told when one goes.
#include "gst-plugins/common/memory_serials.h"

#include <algorithm>
#include <format>
#include <memory>
#include <mutex>

namespace sluice::gst {

namespace {

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
    if (gst_memory_is_type(memory, GST_ALLOCATOR_SYSMEM) == FALSE) {
        return 0;
    }
    Registry& all = registry();
    const std::lock_guard hold(all.lock);
    auto* serial = static_cast<std::uint64_t*>(
        gst_mini_object_get_qdata(GST_MINI_OBJECT_CAST(memory), serial_quark()));
    if (serial == nullptr) {
        auto made = std::make_unique<std::uint64_t>(++all.last);
        serial = made.get();
        gst_mini_object_set_qdata(GST_MINI_OBJECT_CAST(memory), serial_quark(), made.release(),
                                  end);
    }
    known_.insert(*serial);
    return *serial;
}

void MemorySerials::clear() {
    const std::lock_guard hold(registry().lock);
    known_.clear();
    freed_.clear();
}

const std::vector<std::uint64_t>& MemorySerials::take_freed() {
    taken_.clear();
    const std::lock_guard hold(registry().lock);
    taken_.swap(freed_);
    return taken_;
}

void MemorySerials::end(gpointer serial) {
    const std::unique_ptr<std::uint64_t> gone(static_cast<std::uint64_t*>(serial));
    Registry& all = registry();
    const std::lock_guard hold(all.lock);
    for (MemorySerials* listener : all.listeners) {
        if (listener->known_.erase(*gone) > 0) {
            listener->freed_.push_back(*gone);
        }
    }
}

} // namespace sluice::gst
