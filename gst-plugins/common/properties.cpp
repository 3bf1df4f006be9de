// SPDX-License-Identifier: Apache-2.0
// Parameter specifications of the shared properties.
#include "gst-plugins/common/properties.h"

#include <utility>

namespace sluice::gst {

namespace {

GParamSpec* spec_of(Property property, const Settings& settings, const LiveSettings& live) {
    constexpr auto show = static_cast<GParamFlags>(kAtStart | GST_PARAM_DOC_SHOW_DEFAULT);
    switch (property) {
    case Property::Model:
        return g_param_spec_string("model", "Model",
                                   "Name of a model of the zoo, or path to a model file",
                                   settings.model.empty() ? nullptr : settings.model.c_str(), show);
    case Property::ModelKey:
        return g_param_spec_string(
            "model-key", "Model key",
            "Where the key of a sealed model is: the path of a file, env:NAME (an environment "
            "variable) or keyring:NAME (the kernel's keyrings); unset: what $SLUICE_MODEL_KEY "
            "names",
            nullptr, kAtStart);
    case Property::Device:
        return g_param_spec_string(
            "device", "Device",
            "Where the network runs: auto (a GPU, else the CPU), cpu, reference (the CPU, plain "
            "loops: slow, a judge of others), vulkan (the best of its devices), vulkan:NUMBER, or "
            "vulkan:NAME with a part of the device's name; `sluice devices` lists them",
            settings.device.c_str(), kAtStart);
    case Property::Threads:
        return g_param_spec_uint(
            "threads", "Threads",
            "Threads to compute with; 0: one for a small network, else one per available core", 0,
            1024, settings.threads, kAtStart);
    case Property::ScoreThreshold:
        return g_param_spec_float("score-threshold", "Score threshold",
                                  "Detections below this score are left out", 0.0F, 1.0F,
                                  live.score_threshold, kLive);
    case Property::IouThreshold:
        return g_param_spec_float(
            "iou-threshold", "IoU threshold",
            "Boxes that overlap more than this (intersection over union) are one detection", 0.0F,
            1.0F, live.iou_threshold, kLive);
    case Property::MaxDetections:
        return g_param_spec_uint("max-detections", "Max detections",
                                 "At most this many detections a frame, by falling score", 1, 10000,
                                 live.max_detections, kLive);
    case Property::InferenceInterval:
        return g_param_spec_uint("inference-interval", "Inference interval",
                                 "Run the network on every Nth frame only", 1, G_MAXINT,
                                 live.inference_interval, kLive);
    case Property::Qos:
        return g_param_spec_boolean(
            "qos", "QoS",
            "When downstream is late, leave out the inference (never the frame) and post a message",
            live.qos ? TRUE : FALSE,
            static_cast<GParamFlags>(kReadWrite | GST_PARAM_MUTABLE_PLAYING));
    case Property::RequireZeroCopy:
        return g_param_spec_boolean(
            "require-zero-copy", "Require zero copy",
            "Fail, with the reason, at the first frame whose pixels would be duplicated",
            live.require_zero_copy ? TRUE : FALSE,
            static_cast<GParamFlags>(kReadWrite | GST_PARAM_MUTABLE_PLAYING));
    case Property::Stats:
        return g_param_spec_boxed(
            "stats", "Statistics",
            "Frames, inferences, skips, copied bytes by reason and latency percentiles",
            GST_TYPE_STRUCTURE,
            static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    }
    std::unreachable();
}

} // namespace

Result<EngineOptions> Settings::engine() const {
    auto choice = device_from_name(device);
    if (!choice) {
        return std::unexpected(std::move(choice).error().within("property device"));
    }
    return EngineOptions{.device = std::move(*choice), .threads = threads};
}

void install_properties(GObjectClass* klass, std::initializer_list<Property> properties,
                        const Settings& settings, const LiveSettings& live) {
    const auto install = [&](Property property) {
        g_object_class_install_property(klass, static_cast<guint>(property),
                                        spec_of(property, settings, live));
    };
    for (const Property property : properties) {
        install(property);
        if (property == Property::Model) {
            install(Property::ModelKey);
        }
    }
    install(Property::RequireZeroCopy);
    install(Property::Stats);
}

bool set_property(guint id, const GValue* value, Settings& settings, LiveSettings& live) {
    switch (static_cast<Property>(id)) {
    case Property::Model: {
        const gchar* text = g_value_get_string(value);
        settings.model = text != nullptr ? text : "";
        return true;
    }
    case Property::ModelKey: {
        const gchar* text = g_value_get_string(value);
        settings.model_key = text != nullptr ? text : "";
        return true;
    }
    case Property::Device: {
        const gchar* text = g_value_get_string(value);
        settings.device = text != nullptr ? text : "auto";
        return true;
    }
    case Property::Threads: settings.threads = g_value_get_uint(value); return true;
    case Property::ScoreThreshold: live.score_threshold = g_value_get_float(value); return true;
    case Property::IouThreshold: live.iou_threshold = g_value_get_float(value); return true;
    case Property::MaxDetections: live.max_detections = g_value_get_uint(value); return true;
    case Property::InferenceInterval:
        live.inference_interval = g_value_get_uint(value);
        return true;
    case Property::Qos: live.qos = g_value_get_boolean(value) != FALSE; return true;
    case Property::RequireZeroCopy:
        live.require_zero_copy = g_value_get_boolean(value) != FALSE;
        return true;
    case Property::Stats: break;
    }
    return false;
}

bool get_property(guint id, GValue* value, const Settings& settings, const LiveSettings& live) {
    switch (static_cast<Property>(id)) {
    case Property::Model:
        g_value_set_string(value, settings.model.empty() ? nullptr : settings.model.c_str());
        return true;
    case Property::ModelKey:
        g_value_set_string(value,
                           settings.model_key.empty() ? nullptr : settings.model_key.c_str());
        return true;
    case Property::Device: g_value_set_string(value, settings.device.c_str()); return true;
    case Property::Threads: g_value_set_uint(value, settings.threads); return true;
    case Property::ScoreThreshold: g_value_set_float(value, live.score_threshold); return true;
    case Property::IouThreshold: g_value_set_float(value, live.iou_threshold); return true;
    case Property::MaxDetections: g_value_set_uint(value, live.max_detections); return true;
    case Property::InferenceInterval: g_value_set_uint(value, live.inference_interval); return true;
    case Property::Qos: g_value_set_boolean(value, live.qos ? TRUE : FALSE); return true;
    case Property::RequireZeroCopy:
        g_value_set_boolean(value, live.require_zero_copy ? TRUE : FALSE);
        return true;
    case Property::Stats: break;
    }
    return false;
}

GType register_enum(const char* name, std::initializer_list<EnumEntry> entries) {
    // GObject keeps the table for the life of the process; types are never unregistered.
    auto* values = g_new0(GEnumValue, entries.size() + 1);
    GEnumValue* next = values;
    for (const EnumEntry& entry : entries) {
        *next++ = {.value = entry.value, .value_name = entry.title, .value_nick = entry.nick};
    }
    const GType type = g_enum_register_static(name, values);
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
    return type;
}

} // namespace sluice::gst
