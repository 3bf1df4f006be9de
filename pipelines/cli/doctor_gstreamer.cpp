// SPDX-License-Identifier: Apache-2.0
// GStreamer's side: its version, and the elements that give and take dmabufs.
#include <array>
#include <format>
#include <memory>

#include <gst/allocators/gstdmabuf.h>
#include <gst/gst.h>

#include "gst-plugins/common/ref.h"
#include "pipelines/cli/doctor.h"

namespace sluice::cli {

namespace {

constexpr const char* kSection = "gstreamer";

struct Wanted {
    const char* element;
    const char* use;
    const char* package; // Debian's
};

constexpr std::array kWanted{
    Wanted{"sluicefacedetect", "our plugin", "GST_PLUGIN_PATH with the folder of libgstsluice.so"},
    Wanted{"v4l2src", "cameras", "gstreamer1.0-plugins-good"},
    Wanted{"libcamerasrc", "cameras of the Raspberry Pi and of newer laptops",
           "gstreamer1.0-libcamera"},
    Wanted{"vah264dec", "decoding on Intel and AMD", "gstreamer1.0-plugins-bad"},
    Wanted{"v4l2h264dec", "decoding on the Raspberry Pi 4", "gstreamer1.0-plugins-good"},
    Wanted{"v4l2slh265dec", "decoding on the Raspberry Pi 5", "gstreamer1.0-plugins-bad"},
    Wanted{"nvh264dec", "decoding on NVIDIA", "gstreamer1.0-plugins-bad"},
    Wanted{"waylandsink", "showing under Wayland", "gstreamer1.0-plugins-bad"},
    Wanted{"kmssink", "showing without a desktop", "gstreamer1.0-plugins-bad"},
    Wanted{"glimagesink", "showing with OpenGL", "gstreamer1.0-gl"},
};

bool has_dmabuf_caps(GstElementFactory* factory) {
    for (const GList* item = gst_element_factory_get_static_pad_templates(factory); item != nullptr;
         item = item->next) {
        const gst::Ref caps(
            gst_static_pad_template_get_caps(static_cast<GstStaticPadTemplate*>(item->data)));
        for (guint i = 0; i < gst_caps_get_size(caps.get()); ++i) {
            if (gst_caps_features_contains(gst_caps_get_features(caps.get(), i),
                                           GST_CAPS_FEATURE_MEMORY_DMABUF) != FALSE) {
                return true;
            }
        }
    }
    return false;
}

Finding examine_element(const Wanted& wanted) {
    Finding finding{.section = kSection,
                    .name = wanted.element,
                    .state = State::Missing,
                    .found = std::format("absent ({})", wanted.use),
                    .remedy = std::format("install {}, if you need {}; some elements are made "
                                          "only where their device is",
                                          wanted.package, wanted.use)};
    GstElementFactory* factory = gst_element_factory_find(wanted.element);
    if (factory == nullptr) {
        return finding;
    }
    // The file is loaded, as a registry does not know every feature of the templates.
    GstPluginFeature* loaded = gst_plugin_feature_load(GST_PLUGIN_FEATURE(factory));
    const bool dmabufs = loaded != nullptr && has_dmabuf_caps(GST_ELEMENT_FACTORY(loaded));
    finding.state = State::Good;
    finding.found = std::format("{}: {}", wanted.use,
                                dmabufs ? "dmabufs by their own caps" : "plain video/x-raw");
    finding.remedy.clear();
    gst_clear_object(&loaded);
    gst_object_unref(factory);
    return finding;
}

} // namespace

std::vector<Finding> examine_gstreamer() {
    GError* error = nullptr;
    if (gst_init_check(nullptr, nullptr, &error) == FALSE) {
        const Finding finding{.section = kSection,
                              .name = "library",
                              .state = State::Missing,
                              .found = error != nullptr ? error->message : "cannot be started",
                              .remedy = "a working GStreamer 1.26 or newer"};
        g_clear_error(&error);
        return {finding};
    }
    const std::unique_ptr<char, decltype(&g_free)> version(gst_version_string(), g_free);
    std::vector<Finding> out{{.section = kSection,
                              .name = "version",
                              .state = State::Info,
                              .found = version.get(),
                              .remedy = {}}};
    for (const Wanted& wanted : kWanted) {
        out.push_back(examine_element(wanted));
    }
    return out;
}

} // namespace sluice::cli
