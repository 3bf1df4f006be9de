// SPDX-License-Identifier: Apache-2.0
// The abstract GObject type under all elements: vmethods as thunks into Filter.
#include "gst-plugins/common/allocation.h"
#include "gst-plugins/common/error.h"
#include "gst-plugins/common/filter.h"

GST_DEBUG_CATEGORY(sluice_filter_debug);
#define GST_CAT_DEFAULT sluice_filter_debug

G_DEFINE_ABSTRACT_TYPE(SluiceFilter, sluice_filter, GST_TYPE_BASE_TRANSFORM)

namespace {

using sluice::gst::filter_of;
using sluice::gst::guard;
using sluice::gst::Ref;

GstBaseTransformClass* parent_class() {
    return GST_BASE_TRANSFORM_CLASS(sluice_filter_parent_class);
}

gboolean start(GstBaseTransform* base) {
    return guard<gboolean>(GST_ELEMENT(base), FALSE, [&] { return filter_of(base).start(); });
}

gboolean stop(GstBaseTransform* base) {
    filter_of(base).stop();
    return TRUE;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps* out) {
    return guard<gboolean>(GST_ELEMENT(base), FALSE,
                           [&] { return filter_of(base).set_caps(in, out); });
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* frame) {
    return guard(GST_ELEMENT(base), GST_FLOW_ERROR,
                 [&] { return filter_of(base).handle(frame, nullptr); });
}

GstFlowReturn transform(GstBaseTransform* base, GstBuffer* in, GstBuffer* out) {
    return guard(GST_ELEMENT(base), GST_FLOW_ERROR,
                 [&] { return filter_of(base).handle(in, out); });
}

GstFlowReturn prepare_output_buffer(GstBaseTransform* base, GstBuffer* in, GstBuffer** out) {
    const GstFlowReturn flow = parent_class()->prepare_output_buffer(base, in, out);
    if (flow == GST_FLOW_OK && *out != in && gst_base_transform_is_in_place(base) != FALSE) {
        filter_of(base).count_duplicated(in, *out);
    }
    return flow;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_STOP:
    case GST_EVENT_SEGMENT:
    case GST_EVENT_STREAM_START: filter_of(base).reset(); break;
    default: break;
    }
    return parent_class()->sink_event(base, event);
}

gboolean src_event(GstBaseTransform* base, GstEvent* event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) {
        filter_of(base).update_qos(event);
    }
    return parent_class()->src_event(base, event);
}

gboolean propose_allocation(GstBaseTransform* base, GstQuery* decided, GstQuery* query) {
    filter_of(base).note_allocation_query();
    const bool answered = parent_class()->propose_allocation(base, decided, query) != FALSE;
    return sluice::gst::propose(filter_of(base).pool_offer(), answered, decided, query) ? TRUE
                                                                                        : FALSE;
}

// Of elements that write frames of their own. The pool for dmabufs is complete; GstBaseTransform
// would set it up again, with caps that it does not know.
gboolean decide_allocation(GstBaseTransform* base, GstQuery* query) {
    GstCaps* caps = nullptr;
    gst_query_parse_allocation(query, &caps, nullptr);
    if (!sluice::gst::decide(filter_of(base).pool_offer(), query)) {
        return FALSE;
    }
    return gst_video_is_dma_drm_caps(caps) != FALSE
               ? TRUE
               : parent_class()->decide_allocation(base, query);
}

// Frames keep their memory: what the device reads passes as it is.
GstCaps* transform_caps(GstBaseTransform* base, GstPadDirection /*direction*/, GstCaps* caps,
                        GstCaps* filter) {
    const Ref readable = filter_of(base).readable();
    Ref out(gst_caps_intersect_full(caps, readable.get(), GST_CAPS_INTERSECT_FIRST));
    if (filter != nullptr) {
        out = Ref(gst_caps_intersect_full(filter, out.get(), GST_CAPS_INTERSECT_FIRST));
    }
    return out.release();
}

// The peer learns only that caps are refused; the log tells why.
gboolean accept_caps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps) {
    const gboolean accepted = parent_class()->accept_caps(base, direction, caps);
    if (accepted == FALSE && gst_caps_is_fixed(caps) != FALSE) {
        const std::string reason = filter_of(base).refusal(caps);
        GST_WARNING_OBJECT(base, "caps refused: %s", reason.c_str());
    }
    return accepted;
}

// Neighbours that start later look for the Vulkan device that was found or made here.
gboolean query(GstBaseTransform* base, GstPadDirection direction, GstQuery* query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT && filter_of(base).answer_context(query)) {
        return TRUE;
    }
    return parent_class()->query(base, direction, query);
}

gboolean get_unit_size(GstBaseTransform* /*base*/, GstCaps* caps, gsize* size) {
    const auto video = sluice::gst::parse_caps(caps, sluice::gst::Modifiers::Any);
    if (!video) {
        return FALSE;
    }
    *size = GST_VIDEO_INFO_SIZE(&video->info);
    return TRUE;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    if (!filter_of(object).set_property(id, value)) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    if (!filter_of(object).get_property(id, value)) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

void finalize(GObject* object) {
    delete &filter_of(object);
    G_OBJECT_CLASS(sluice_filter_parent_class)->finalize(object);
}

} // namespace

static void sluice_filter_init(SluiceFilter* self) {
    // Frames must come by even where input and output caps agree.
    gst_base_transform_set_prefer_passthrough(GST_BASE_TRANSFORM(self), FALSE);
}

static void sluice_filter_class_init(SluiceFilterClass* klass) {
    auto* object = G_OBJECT_CLASS(klass);
    object->finalize = finalize;
    auto* base = GST_BASE_TRANSFORM_CLASS(klass);
    base->start = GST_DEBUG_FUNCPTR(start);
    base->stop = GST_DEBUG_FUNCPTR(stop);
    base->set_caps = GST_DEBUG_FUNCPTR(set_caps);
    base->prepare_output_buffer = GST_DEBUG_FUNCPTR(prepare_output_buffer);
    base->sink_event = GST_DEBUG_FUNCPTR(sink_event);
    base->src_event = GST_DEBUG_FUNCPTR(src_event);
    base->propose_allocation = GST_DEBUG_FUNCPTR(propose_allocation);
    base->transform_caps = GST_DEBUG_FUNCPTR(transform_caps);
    base->accept_caps = GST_DEBUG_FUNCPTR(accept_caps);
    base->query = GST_DEBUG_FUNCPTR(query);
    base->get_unit_size = GST_DEBUG_FUNCPTR(get_unit_size);
    GST_DEBUG_CATEGORY_INIT(sluice_filter_debug, "sluicefilter", 0, "What all elements share");
    gst_type_mark_as_plugin_api(SLUICE_TYPE_FILTER, static_cast<GstPluginAPIFlags>(0));
}

namespace sluice::gst {

void describe_element(gpointer klass, const char* title, const char* classification,
                      const char* description, bool images) {
    // GObject clears these two in every derived class.
    auto* object = G_OBJECT_CLASS(klass);
    object->set_property = ::set_property;
    object->get_property = ::get_property;
    auto* element = GST_ELEMENT_CLASS(klass);
    gst_element_class_set_static_metadata(element, title, classification, description,
                                          "Sluice developers <sluice@localhost>");
    add_video_template(element, GST_PAD_SINK, images);
    add_video_template(element, GST_PAD_SRC, images);
}

void handle_in_place(gpointer klass) {
    GST_BASE_TRANSFORM_CLASS(klass)->transform_ip = GST_DEBUG_FUNCPTR(transform_ip);
}

void handle_by_conversion(gpointer klass) {
    GST_BASE_TRANSFORM_CLASS(klass)->transform = GST_DEBUG_FUNCPTR(transform);
    GST_BASE_TRANSFORM_CLASS(klass)->decide_allocation = GST_DEBUG_FUNCPTR(decide_allocation);
}

} // namespace sluice::gst
