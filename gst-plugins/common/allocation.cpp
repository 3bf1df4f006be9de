// SPDX-License-Identifier: Apache-2.0
// Pools of GstVideoBufferPool and GstBufferPool, configured.
#include "gst-plugins/common/allocation.h"

#include <memory>

namespace sluice::gst {

namespace {

// The widest vector loads.
constexpr guint kAlignment = 63;

Result<Ref<GstBufferPool>> activate(Ref<GstBufferPool> pool, GstStructure* config) {
    if (gst_buffer_pool_set_config(pool.get(), config) == FALSE ||
        gst_buffer_pool_set_active(pool.get(), TRUE) == FALSE) {
        return fail(ErrorCode::OutOfMemory, "a buffer pool cannot be set up");
    }
    return pool;
}

} // namespace

void propose(GstQuery* decided, GstQuery* query) {
    if (decided != nullptr &&
        gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr) == FALSE) {
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
    }
}

Result<Ref<GstBufferPool>> make_video_pool(GstVideoFormat format, guint width, guint height) {
    GstVideoInfo info;
    if (gst_video_info_set_format(&info, format, width, height) == FALSE) {
        return fail(ErrorCode::InvalidArgument, "no buffers of {}x{} pixels", width, height);
    }
    const Ref caps(gst_video_info_to_caps(&info));
    Ref pool(gst_video_buffer_pool_new());
    GstStructure* config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, caps.get(),
                                      static_cast<guint>(GST_VIDEO_INFO_SIZE(&info)), 0, 0);
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    return activate(std::move(pool), config);
}

Result<Ref<GstBufferPool>> make_plain_pool(gsize bytes) {
    Ref pool(gst_buffer_pool_new());
    GstStructure* config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, nullptr, static_cast<guint>(bytes), 0, 0);
    GstAllocationParams params;
    gst_allocation_params_init(&params);
    params.align = kAlignment;
    gst_buffer_pool_config_set_allocator(config, nullptr, &params);
    return activate(std::move(pool), config);
}

Result<Ref<GstBuffer>> acquire(GstBufferPool* pool) {
    GstBuffer* buffer = nullptr;
    if (gst_buffer_pool_acquire_buffer(pool, &buffer, nullptr) != GST_FLOW_OK) {
        return fail(ErrorCode::OutOfMemory, "a buffer pool gave no buffer");
    }
    return Ref(buffer);
}

void release_pool(Ref<GstBufferPool>& pool) {
    if (pool) {
        gst_buffer_pool_set_active(pool.get(), FALSE);
        pool.reset();
    }
}

} // namespace sluice::gst
