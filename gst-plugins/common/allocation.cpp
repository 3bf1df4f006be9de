// SPDX-License-Identifier: Apache-2.0
// Pools of GstVideoBufferPool and GstBufferPool, configured.
#include "gst-plugins/common/allocation.h"

#include <algorithm>
#include <memory>

#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/dmabuf_allocator.h"

namespace sluice::gst {

namespace {

// The widest vector loads.
constexpr guint kAlignment = 63;

// What AMD's display and video engines ask of linear rows; others ask for less.
constexpr guint kDmabufStride = 256;

Result<Ref<GstBufferPool>> activate(Ref<GstBufferPool> pool, GstStructure* config) {
    if (gst_buffer_pool_set_config(pool.get(), config) == FALSE ||
        gst_buffer_pool_set_active(pool.get(), TRUE) == FALSE) {
        return fail(ErrorCode::OutOfMemory, "a buffer pool cannot be set up");
    }
    return pool;
}

// The pool knows nothing of DMA_DRM: it gets caps of the same picture in system memory, and writes
// the GstVideoMeta that dmabufs must have.
void configure_dmabufs(GstStructure* config, const GstVideoInfo& info) {
    const Ref caps(gst_video_info_to_caps(&info));
    const Ref allocator = make_dmabuf_allocator();
    GstAllocationParams params;
    gst_allocation_params_init(&params);
    gst_buffer_pool_config_set_params(config, caps.get(),
                                      static_cast<guint>(GST_VIDEO_INFO_SIZE(&info)), 0, 0);
    gst_buffer_pool_config_set_allocator(config, allocator.get(), &params);
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
    GstVideoAlignment alignment;
    gst_video_alignment_reset(&alignment);
    std::ranges::fill(alignment.stride_align, kDmabufStride - 1);
    gst_buffer_pool_config_set_video_alignment(config, &alignment);
}

} // namespace

bool propose(bool answered, GstQuery* decided, GstQuery* query) {
    GstCaps* caps = nullptr;
    gst_query_parse_allocation(query, &caps, nullptr);
    const bool dmabufs = caps != nullptr && gst_video_is_dma_drm_caps(caps) != FALSE;
    const bool any_layout = dmabufs || (answered && decided != nullptr);
    if (any_layout &&
        gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr) == FALSE) {
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
    }
    return answered || dmabufs;
}

bool decide(GstQuery* query) {
    GstCaps* caps = nullptr;
    gst_query_parse_allocation(query, &caps, nullptr);
    const auto video = caps != nullptr ? parse_caps(caps)
                                       : Result<Video>(fail(ErrorCode::InvalidArgument, "no caps"));
    if (!video) {
        return false;
    }
    GstBufferPool* offered = nullptr;
    auto size = static_cast<guint>(GST_VIDEO_INFO_SIZE(&video->info));
    guint least = 0;
    guint most = 0;
    const bool has_pool = gst_query_get_n_allocation_pools(query) > 0;
    if (has_pool) {
        gst_query_parse_nth_allocation_pool(query, 0, &offered, &size, &least, &most);
        size = std::max(size, static_cast<guint>(GST_VIDEO_INFO_SIZE(&video->info)));
    }
    const bool own_dmabufs = offered == nullptr && video->in_dmabufs;
    const Ref pool(offered != nullptr ? offered : gst_video_buffer_pool_new());
    GstStructure* config = gst_buffer_pool_get_config(pool.get());
    if (own_dmabufs) {
        configure_dmabufs(config, video->info);
    } else {
        gst_buffer_pool_config_set_params(config, caps, size, least, most);
        if (gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr) != FALSE &&
            gst_buffer_pool_has_option(pool.get(), GST_BUFFER_POOL_OPTION_VIDEO_META) != FALSE) {
            gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
        }
    }
    gst_buffer_pool_set_config(pool.get(), config);
    if (has_pool) {
        gst_query_set_nth_allocation_pool(query, 0, pool.get(), size, least, most);
    } else {
        gst_query_add_allocation_pool(query, pool.get(), size, least, most);
    }
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
