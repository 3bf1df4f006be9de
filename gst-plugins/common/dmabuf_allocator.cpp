// SPDX-License-Identifier: Apache-2.0
// GstDmaBufAllocator with an alloc of its own.
#include "gst-plugins/common/dmabuf_allocator.h"

#include <gst/allocators/gstdmabuf.h>
#include <gst/allocators/gstfdmemory.h>

#include "core/base/checked_math.h"
#include "zero_copy/dmabuf.h"

GST_DEBUG_CATEGORY_EXTERN(sluice_filter_debug);
#define GST_CAT_DEFAULT sluice_filter_debug

namespace {

struct SluiceDmabufAllocator {
    GstDmaBufAllocator parent;
};
struct SluiceDmabufAllocatorClass {
    GstDmaBufAllocatorClass parent_class;
};
G_DEFINE_TYPE(SluiceDmabufAllocator, sluice_dmabuf_allocator, GST_TYPE_DMABUF_ALLOCATOR)

// Dmabufs begin at a page and are whole pages long; that is more than any caller asks for.
GstMemory* alloc(GstAllocator* allocator, gsize size, GstAllocationParams* params) {
    const auto bytes = sluice::checked_add<gsize>(size, params->prefix + params->padding);
    if (!bytes) {
        return nullptr;
    }
    auto made = sluice::zero_copy::make_dmabuf(*bytes);
    if (!made) {
        GST_WARNING_OBJECT(allocator, "%s", made.error().message.c_str());
        return nullptr;
    }
    GstMemory* memory = gst_dmabuf_allocator_alloc_with_flags(allocator, made->release(), *bytes,
                                                              GST_FD_MEMORY_FLAG_KEEP_MAPPED);
    if (memory != nullptr) {
        gst_memory_resize(memory, static_cast<gssize>(params->prefix), size);
    }
    return memory;
}

void sluice_dmabuf_allocator_init(SluiceDmabufAllocator* self) {
    GST_OBJECT_FLAG_UNSET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC); // the parent has it
    // A file and a mapping for each copy would cost more than the copy.
    GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_NO_COPY);
}

void sluice_dmabuf_allocator_class_init(SluiceDmabufAllocatorClass* klass) {
    GST_ALLOCATOR_CLASS(klass)->alloc = alloc;
}

// A process may have several copies of this code; the first to come names the type for all.
GType allocator_type() {
    static const GType type = [] {
        const GType known = g_type_from_name("SluiceDmabufAllocator");
        return known != 0 ? known : sluice_dmabuf_allocator_get_type();
    }();
    return type;
}

} // namespace

namespace sluice::gst {

Ref<GstAllocator> make_dmabuf_allocator() {
    return Ref(GST_ALLOCATOR(gst_object_ref_sink(g_object_new(allocator_type(), nullptr))));
}

bool is_own_dmabuf(GstMemory* memory) {
    return G_TYPE_CHECK_INSTANCE_TYPE(memory->allocator, allocator_type()) != 0;
}

} // namespace sluice::gst
