// SPDX-License-Identifier: Apache-2.0
// GstDmaBufAllocator with an alloc of its own.
#include "gst-plugins/common/dmabuf_allocator.h"

#include <gst/allocators/gstdmabuf.h>
#include <gst/allocators/gstfdmemory.h>

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
GstMemory* alloc(GstAllocator* allocator, gsize size, GstAllocationParams* /*params*/) {
    auto made = sluice::zero_copy::make_dmabuf(size);
    if (!made) {
        GST_WARNING_OBJECT(allocator, "%s", made.error().message.c_str());
        return nullptr;
    }
    return gst_dmabuf_allocator_alloc_with_flags(allocator, made->release(), size,
                                                 GST_FD_MEMORY_FLAG_KEEP_MAPPED);
}

void sluice_dmabuf_allocator_init(SluiceDmabufAllocator* /*self*/) {}

void sluice_dmabuf_allocator_class_init(SluiceDmabufAllocatorClass* klass) {
    GST_ALLOCATOR_CLASS(klass)->alloc = alloc;
}

} // namespace

namespace sluice::gst {

Ref<GstAllocator> make_dmabuf_allocator() {
    return Ref(GST_ALLOCATOR(
        gst_object_ref_sink(g_object_new(sluice_dmabuf_allocator_get_type(), nullptr))));
}

} // namespace sluice::gst
