// SPDX-License-Identifier: Apache-2.0
// Pools of GstVideoBufferPool and GstBufferPool, configured.
#include "gst-plugins/common/allocation.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/dmabuf_allocator.h"
#include "gst-plugins/common/frame_pool.h"
#include "gst-plugins/common/vulkan_share.h"

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

GstAllocationParams frame_params() {
    GstAllocationParams params;
    gst_allocation_params_init(&params);
    params.align = kAlignment;
    return params;
}

// Ordinary memory, which a device may have to copy: no allocator is named with it.
bool is_ordinary(GstQuery* query) {
    GstBufferPool* pool = nullptr;
    gst_query_parse_nth_allocation_pool(query, 0, &pool, nullptr, nullptr, nullptr);
    const Ref<GstBufferPool> owned(pool);
    return pool != nullptr && G_OBJECT_TYPE(pool) == gst_video_buffer_pool_get_type();
}

// Downstream's first choice of allocator and parameters.
Ref<GstAllocator> first_allocator(GstQuery* query, GstAllocationParams& params) {
    GstAllocator* allocator = nullptr;
    if (gst_query_get_n_allocation_params(query) > 0) {
        gst_query_parse_nth_allocation_param(query, 0, &allocator, &params);
        params.align |= kAlignment;
    }
    return Ref(allocator);
}

// Puts a pool of the offer's memory, and its allocator, first in the answer.
bool offer_pool(const PoolOffer& offer, GstCaps* caps, GstQuery* query) {
    const auto video = parse_caps(caps);
    const bool has_pool = gst_query_get_n_allocation_pools(query) > 0;
    GstAllocationParams params = frame_params();
    const Ref chosen = first_allocator(query, params);
    if (!video || chosen || (has_pool && !(offer.for_device && is_ordinary(query)))) {
        return false;
    }
    const Ref pool = make_frame_pool(offer.aligned);
    const auto size = static_cast<guint>(GST_VIDEO_INFO_SIZE(&video->info));
    GstStructure* config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, caps, size, 0, 0);
    gst_buffer_pool_config_set_allocator(config, offer.allocator, &params);
    if (gst_buffer_pool_set_config(pool.get(), config) == FALSE) {
        return false;
    }
    if (has_pool) {
        gst_query_set_nth_allocation_pool(query, 0, pool.get(), size, 0, 0);
    } else {
        gst_query_add_allocation_pool(query, pool.get(), size, 0, 0);
    }
    if (gst_query_get_n_allocation_params(query) > 0) {
        gst_query_set_nth_allocation_param(query, 0, offer.allocator, &params);
    } else {
        gst_query_add_allocation_param(query, offer.allocator, &params);
    }
    return true;
}

// The element behind a pad's peer; past the walls of bins.
Ref<GstElement> next_element(GstPad* source) {
    Ref<GstPad> pad(gst_pad_get_peer(source));
    while (pad) {
        if (GST_IS_GHOST_PAD(pad.get())) { // into a bin
            pad = Ref(gst_ghost_pad_get_target(GST_GHOST_PAD(pad.get())));
        } else if (GST_IS_PROXY_PAD(pad.get())) { // out of one
            const Ref ghost(GST_PAD(gst_proxy_pad_get_internal(GST_PROXY_PAD(pad.get()))));
            pad = Ref(ghost ? gst_pad_get_peer(ghost.get()) : nullptr);
        } else {
            return Ref(gst_pad_get_parent_element(pad.get()));
        }
    }
    return {};
}

std::string_view factory_of(GstElement* element) {
    GstElementFactory* factory = gst_element_get_factory(element);
    const gchar* name = factory != nullptr ? GST_OBJECT_NAME(factory) : nullptr;
    return name != nullptr ? name : "";
}

} // namespace

bool is_discarded(GstPad* source) {
    Ref<GstElement> element = next_element(source);
    while (element &&
           (factory_of(element.get()) == "queue" || factory_of(element.get()) == "capsfilter")) {
        const Ref pad(gst_element_get_static_pad(element.get(), "src"));
        element = pad ? next_element(pad.get()) : Ref<GstElement>();
    }
    if (!element || factory_of(element.get()) != "fakesink") {
        return false;
    }
    gboolean dumps = FALSE;
    gboolean hands_off = FALSE;
    g_object_get(element.get(), "dump", &dumps, "signal-handoffs", &hands_off, nullptr);
    return dumps == FALSE && hands_off == FALSE;
}

bool propose(const PoolOffer& offer, bool answered, GstQuery* decided, GstQuery* query) {
    GstCaps* caps = nullptr;
    gboolean wants_pool = FALSE;
    gst_query_parse_allocation(query, &caps, &wants_pool);
    const bool dmabufs = caps != nullptr && gst_video_is_dma_drm_caps(caps) != FALSE;
    const bool any_layout =
        dmabufs || (answered && decided != nullptr) || (!answered && is_discarded(offer.source));
    if (any_layout &&
        gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr) == FALSE) {
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
    }
    const bool offered = !dmabufs && (caps == nullptr || !has_images(caps)) &&
                         wants_pool != FALSE && caps != nullptr && offer_pool(offer, caps, query);
    return answered || any_layout || offered;
}

bool decide(const PoolOffer& offer, GstQuery* query) {
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
    if (video->in_images && offered == nullptr && offer.share == nullptr) {
        return false;
    }
    const Ref pool(offered != nullptr ? Ref(offered)
                   : video->in_images ? offer.share->make_pool()
                                      : Ref(gst_video_buffer_pool_new()));
    GstStructure* config = gst_buffer_pool_get_config(pool.get());
    if (own_dmabufs) {
        configure_dmabufs(config, video->info);
    } else {
        gst_buffer_pool_config_set_params(config, caps, size, least, most);
        if (offered == nullptr && !video->in_images &&
            gst_query_get_n_allocation_params(query) == 0) {
            const GstAllocationParams params = frame_params();
            gst_query_add_allocation_param(query, offer.allocator, &params);
        }
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
