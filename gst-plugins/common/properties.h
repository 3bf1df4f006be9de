// SPDX-License-Identifier: Apache-2.0
// The properties that elements share: names, defaults, installation.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include <gst/gst.h>

#include "core/base/result.h"
#include "core/engine.h"

namespace sluice::gst {

// What is read once, when an element starts.
struct Settings {
    std::string model;
    std::string device = "auto"; // as device_from_name() takes it
    unsigned threads = 0;
    std::string model_key = {}; // where the key of a sealed model is

    // InvalidArgument where there is no device of that name.
    [[nodiscard]] Result<EngineOptions> engine() const;
};

// What is read anew at the start of every frame.
struct LiveSettings {
    float score_threshold = 0.5F;
    float iou_threshold = 0.3F;
    unsigned max_detections = 100;
    unsigned inference_interval = 1;
    bool qos = true;
    bool require_zero_copy = false;
};

// Ids of the shared properties; an element's own begin at kFirstOwnProperty.
enum class Property : guint {
    Model = 1,
    Device,
    Threads,
    ScoreThreshold,
    IouThreshold,
    MaxDetections,
    InferenceInterval,
    Qos,
    RequireZeroCopy,
    Stats,
    ModelKey, // installed with Model
};
inline constexpr guint kFirstOwnProperty = 100;

inline constexpr auto kReadWrite =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
// Takes effect at the next start.
inline constexpr auto kAtStart = static_cast<GParamFlags>(kReadWrite | GST_PARAM_MUTABLE_READY);
// Takes effect with the next frame, and may be driven by a GstController.
inline constexpr auto kLive =
    static_cast<GParamFlags>(kReadWrite | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE);

// Installs the named shared properties, and RequireZeroCopy and Stats, which every element has.
// Pass the defaults that the element's instances start with.
void install_properties(GObjectClass* klass, std::initializer_list<Property> properties,
                        const Settings& settings, const LiveSettings& live);

// Sets or reads one of them; false for ids that are not shared ones. The caller holds the lock that
// guards the settings.
bool set_property(guint id, const GValue* value, Settings& settings, LiveSettings& live);
bool get_property(guint id, GValue* value, const Settings& settings, const LiveSettings& live);

// One enumerator of a property's GEnum; strings must be static.
struct EnumEntry {
    gint value;
    const char* title; // "Blur the background"
    const char* nick;  // "blur"
};
// Registers a GEnum of the plugin's API once; `name` and the entries must be static.
GType register_enum(const char* name, std::initializer_list<EnumEntry> entries);

} // namespace sluice::gst
