// SPDX-License-Identifier: Apache-2.0
// Pools of GstVideoBufferPool and GstBufferPool, configured.
#include "gst-plugins/common/allocation.h"

#include <memory>

namespace sluice::gst {

namespace {

// The widest vector loads; decoders ask for what they need beyond that.
constexpr guint kAlignment = 63;

Result<Ref<GstBufferPool>> activate(Ref<GstBufferPool> pool, GstStructure* config) {
    if (gst_buffer_pool_set_config(pool.get(), config) == FALSE ||
        gst_buffer_pool_set_active(pool.get(), TRUE) == FALSE) {
        return fail(ErrorCode::OutOfMemory, "a buffer pool cannot be set up");
    }
    return pool;
}

} // namespace

bool propose(GstBaseTransform* /*base*/, GstQuery* decided, GstQuery* query) {
    if (decided != nullptr &&
        gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr) == FALSE) {
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
    }
    if (gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr) == FALSE ||
        gst_query_get_n_allocation_pools(query) > 0) {
        return true;
    }
    GstCaps* caps = nullptr;
    gboolean need_pool = FALSE;
    gst_query_parse_allocation(query, &caps, &need_pool);
    GstVideoInfo info;
    if (caps == nullptr || need_pool == FALSE || gst_video_info_from_caps(&info, caps) == FALSE) {
        return true;
    }
    const auto size = static_cast<guint>(GST_VIDEO_INFO_SIZE(&info));
    const Ref pool(gst_video_buffer_pool_new());
    GstStructure* config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, caps, size, 0, 0);
    GstAllocationParams params;
    gst_allocation_params_init(&params);
    params.align = kAlignment;
    gst_buffer_pool_config_set_allocator(config, nullptr, &params);
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    if (gst_buffer_pool_set_config(pool.get(), config) == FALSE) {
        return true; // an offer less; upstream has a pool of its own
    }
    gst_query_add_allocation_pool(query, pool.get(), size, 0, 0);
    return true;
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
