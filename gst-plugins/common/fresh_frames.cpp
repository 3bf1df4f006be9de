// SPDX-License-Identifier: Apache-2.0
// A pool by an ALLOCATION query of our own, and what of a frame goes along.
#include "gst-plugins/common/fresh_frames.h"

#include <utility>

#include <gst/video/video.h>

namespace sluice::gst {

namespace {

// What GstBaseTransform does for pools that it asked for. The pool for dmabufs has its own.
bool set_allocator(GstBufferPool* pool, GstQuery* query) {
    if (gst_query_get_n_allocation_params(query) == 0) {
        return true;
    }
    GstAllocator* allocator = nullptr;
    GstAllocationParams params;
    gst_query_parse_nth_allocation_param(query, 0, &allocator, &params);
    const Ref<GstAllocator> owned(allocator);
    GstStructure* config = gst_buffer_pool_get_config(pool);
    gst_buffer_pool_config_set_allocator(config, allocator, &params);
    return gst_buffer_pool_set_config(pool, config) != FALSE;
}

// GstBaseTransform asks for no pool where an element works in place.
Result<Ref<GstBufferPool>> negotiate(const PoolOffer& offer) {
    const Ref caps(gst_pad_get_current_caps(offer.source));
    const Ref query(gst_query_new_allocation(caps.get(), TRUE));
    if (gst_pad_peer_query(offer.source, query.get()) != FALSE &&
        gst_query_get_n_allocation_pools(query.get()) > 0) {
        GstBufferPool* offered = nullptr;
        guint most = 0;
        gst_query_parse_nth_allocation_pool(query.get(), 0, &offered, nullptr, nullptr, &most);
        const Ref<GstBufferPool> owned(offered);
        // One that upstream draws from already, or that may run dry while upstream holds its
        // frames, is left to upstream.
        if (offered == nullptr || most > 0 || gst_buffer_pool_is_active(offered) != FALSE) {
            gst_query_remove_nth_allocation_pool(query.get(), 0);
        }
    }
    if (!decide(offer, query.get())) {
        return fail(ErrorCode::Unsupported, "no frames of these caps can be made");
    }
    GstBufferPool* chosen = nullptr;
    gst_query_parse_nth_allocation_pool(query.get(), 0, &chosen, nullptr, nullptr, nullptr);
    Ref<GstBufferPool> pool(chosen);
    const bool own_dmabufs = gst_video_is_dma_drm_caps(caps.get()) != FALSE;
    if (!pool || (!own_dmabufs && !set_allocator(pool.get(), query.get())) ||
        gst_buffer_pool_set_active(pool.get(), TRUE) == FALSE) {
        return fail(ErrorCode::OutOfMemory, "a pool of frames cannot be set up");
    }
    return pool;
}

// All but where the pixels lie.
gboolean carry(GstBuffer* from, GstMeta** meta, gpointer to) {
    const GstMetaInfo* info = (*meta)->info;
    if (gst_meta_api_type_has_tag(info->api, g_quark_from_static_string(GST_META_TAG_MEMORY_STR)) !=
            FALSE ||
        gst_meta_api_type_has_tag(
            info->api, g_quark_from_static_string(GST_META_TAG_MEMORY_REFERENCE_STR)) != FALSE ||
        info->transform_func == nullptr) {
        return TRUE;
    }
    GstMetaTransformCopy whole{.region = FALSE, .offset = 0, .size = static_cast<gsize>(-1)};
    info->transform_func(static_cast<GstBuffer*>(to), *meta, from, _gst_meta_transform_copy,
                         &whole);
    return TRUE;
}

} // namespace

Result<Ref<GstBuffer>> FreshFrames::like(GstBuffer* frame, const PoolOffer& offer) {
    if (!pool_) {
        SLUICE_TRY_ASSIGN(pool_, negotiate(offer));
    }
    SLUICE_TRY_ASSIGN(Ref<GstBuffer> fresh, acquire(pool_.get()));
    constexpr auto kWhat =
        static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS);
    gst_buffer_copy_into(fresh.get(), frame, kWhat, 0, static_cast<gsize>(-1));
    gst_buffer_foreach_meta(frame, carry, fresh.get());
    return fresh;
}

bool is_held_elsewhere(GstBuffer* frame) {
    return gst_buffer_is_writable(frame) == FALSE ||
           gst_buffer_is_all_memory_writable(frame) == FALSE;
}

} // namespace sluice::gst
