// SPDX-License-Identifier: Apache-2.0
// GstVideoBufferPool with a GstVideoMeta that maps differently.
#include "gst-plugins/common/frame_pool.h"

#include <gst/video/video.h>

#include "gst-plugins/common/memfd_allocator.h"

namespace {

struct SluiceFramePool {
    GstVideoBufferPool parent;
    bool aligned;
};
struct SluiceFramePoolClass {
    GstVideoBufferPoolClass parent_class;
};
G_DEFINE_TYPE(SluiceFramePool, sluice_frame_pool, GST_TYPE_VIDEO_BUFFER_POOL)

// What a buffer has mapped without a lock is marked by a memory of none.
bool is_unlocked(const GstMapInfo& info) {
    return info.memory == nullptr;
}

// Fresh from the pool: nobody shares its memory. Copies of the buffer have no pool.
bool is_fresh(GstBuffer* buffer) {
    return buffer->pool != nullptr && gst_buffer_n_memory(buffer) == 1 &&
           gst_buffer_is_memory_range_writable(buffer, 0, 1) != FALSE &&
           sluice::gst::is_own_memfd(gst_buffer_peek_memory(buffer, 0));
}

gboolean map_plane(GstVideoMeta* meta, guint plane, GstMapInfo* info, gpointer* data, gint* stride,
                   GstMapFlags flags) {
    GstBuffer* buffer = meta->buffer;
    *stride = meta->stride[plane];
    if (is_fresh(buffer)) {
        // The mapping lasts as long as the memory; asking for it takes the lock for a moment.
        if (gst_buffer_map_range(buffer, 0, 1, info, flags) == FALSE) {
            return FALSE;
        }
        *data = info->data + meta->offset[plane];
        gst_buffer_unmap(buffer, info);
        info->memory = nullptr;
        return TRUE;
    }
    guint first = 0;
    guint count = 0;
    gsize skip = 0;
    if (gst_buffer_find_memory(buffer, meta->offset[plane], 1, &first, &count, &skip) == FALSE ||
        gst_buffer_map_range(buffer, first, static_cast<gint>(count), info, flags) == FALSE) {
        return FALSE;
    }
    *data = info->data + skip;
    return TRUE;
}

gboolean unmap_plane(GstVideoMeta* meta, guint /*plane*/, GstMapInfo* info) {
    if (!is_unlocked(*info)) {
        gst_buffer_unmap(meta->buffer, info);
    }
    return TRUE;
}

GstFlowReturn alloc_buffer(GstBufferPool* pool, GstBuffer** buffer,
                           GstBufferPoolAcquireParams* params) {
    const GstFlowReturn flow =
        GST_BUFFER_POOL_CLASS(sluice_frame_pool_parent_class)->alloc_buffer(pool, buffer, params);
    GstVideoMeta* meta = flow == GST_FLOW_OK ? gst_buffer_get_video_meta(*buffer) : nullptr;
    if (meta != nullptr) {
        meta->map = map_plane;
        meta->unmap = unmap_plane;
    }
    return flow;
}

const gchar** options(GstBufferPool* pool) {
    static const gchar* tight[] = {GST_BUFFER_POOL_OPTION_VIDEO_META, nullptr};
    return reinterpret_cast<SluiceFramePool*>(pool)->aligned
               ? GST_BUFFER_POOL_CLASS(sluice_frame_pool_parent_class)->get_options(pool)
               : tight;
}

void sluice_frame_pool_init(SluiceFramePool* self) {
    self->aligned = true;
}

void sluice_frame_pool_class_init(SluiceFramePoolClass* klass) {
    GST_BUFFER_POOL_CLASS(klass)->alloc_buffer = alloc_buffer;
    GST_BUFFER_POOL_CLASS(klass)->get_options = options;
}

// A process may have several copies of this code; the first to come names the type for all.
GType pool_type() {
    static const GType type = [] {
        const GType known = g_type_from_name("SluiceFramePool");
        return known != 0 ? known : sluice_frame_pool_get_type();
    }();
    return type;
}

} // namespace

namespace sluice::gst {

Ref<GstBufferPool> make_frame_pool(bool aligned) {
    Ref pool(GST_BUFFER_POOL(gst_object_ref_sink(g_object_new(pool_type(), nullptr))));
    reinterpret_cast<SluiceFramePool*>(pool.get())->aligned = aligned;
    return pool;
}

} // namespace sluice::gst
