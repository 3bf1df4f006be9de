// SPDX-License-Identifier: Apache-2.0
// An allocator whose memory counts its maps and copies.
#include "tests/gst-plugins/witness_memory.h"

#include <vector>

namespace {

struct Witness {
    GstMemory memory; // first, as GStreamer wants
    std::vector<guint8>* bytes;
    std::size_t reads;
    std::size_t writes;
    std::size_t copies;
};

struct WitnessAllocator {
    GstAllocator parent;
};
struct WitnessAllocatorClass {
    GstAllocatorClass parent_class;
};

G_DEFINE_TYPE(WitnessAllocator, witness_allocator, GST_TYPE_ALLOCATOR)

gpointer map(GstMemory* memory, GstMapInfo* info, gsize /*size*/) {
    auto* witness = reinterpret_cast<Witness*>(memory);
    witness->reads += (info->flags & GST_MAP_READ) != 0 ? 1 : 0;
    witness->writes += (info->flags & GST_MAP_WRITE) != 0 ? 1 : 0;
    return witness->bytes->data();
}

void unmap(GstMemory* /*memory*/, GstMapInfo* /*info*/) {}

GstMemory* copy(GstMemory* memory, gssize /*offset*/, gssize /*size*/) {
    auto* witness = reinterpret_cast<Witness*>(memory);
    ++witness->copies;
    GstMemory* plain = gst_allocator_alloc(nullptr, witness->bytes->size(), nullptr);
    GstMapInfo info;
    gst_memory_map(plain, &info, GST_MAP_WRITE);
    std::copy(witness->bytes->begin(), witness->bytes->end(), info.data);
    gst_memory_unmap(plain, &info);
    return plain;
}

void release(GstAllocator* /*allocator*/, GstMemory* memory) {
    auto* witness = reinterpret_cast<Witness*>(memory);
    delete witness->bytes;
    g_free(witness);
}

void witness_allocator_init(WitnessAllocator* self) {
    self->parent.mem_type = "witness";
    self->parent.mem_map_full = map;
    self->parent.mem_unmap_full = unmap;
    self->parent.mem_copy = copy;
    GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

void witness_allocator_class_init(WitnessAllocatorClass* klass) {
    GST_ALLOCATOR_CLASS(klass)->free = release;
}

const Witness* witness_of(GstMemory* memory) {
    return reinterpret_cast<const Witness*>(memory);
}

} // namespace

namespace sluice::testing {

WitnessMemory::WitnessMemory(GstBuffer* content)
    : allocator_(
          GST_ALLOCATOR(gst_object_ref_sink(g_object_new(witness_allocator_get_type(), nullptr)))) {
    auto* witness = g_new0(Witness, 1);
    const gsize size = gst_buffer_get_size(content);
    witness->bytes = new std::vector<guint8>(size);
    gst_buffer_extract(content, 0, witness->bytes->data(), size);
    gst_memory_init(GST_MEMORY_CAST(witness), static_cast<GstMemoryFlags>(0), allocator_, nullptr,
                    size, 0, 0, size);
    memory_ = GST_MEMORY_CAST(witness);
}

WitnessMemory::~WitnessMemory() {
    gst_memory_unref(memory_);
    gst_object_unref(allocator_);
}

gst::Ref<GstBuffer> WitnessMemory::make_buffer() const {
    gst::Ref buffer(gst_buffer_new());
    gst_buffer_append_memory(buffer.get(), gst_memory_ref(memory_));
    return buffer;
}

const guint8* WitnessMemory::data() const {
    return witness_of(memory_)->bytes->data();
}

void WitnessMemory::forget() const {
    auto* witness = reinterpret_cast<Witness*>(memory_);
    witness->reads = witness->writes = witness->copies = 0;
}

std::size_t WitnessMemory::reads() const {
    return witness_of(memory_)->reads;
}
std::size_t WitnessMemory::writes() const {
    return witness_of(memory_)->writes;
}
std::size_t WitnessMemory::copies() const {
    return witness_of(memory_)->copies;
}

} // namespace sluice::testing
