// SPDX-License-Identifier: Apache-2.0
// Decoding by a small pipeline of GStreamer's own elements.
#include "gst-plugins/background/picture.h"

#include <filesystem>
#include <format>
#include <memory>

namespace sluice::gst {

namespace {

constexpr GstClockTime kTimeout = 10 * GST_SECOND;

// What the pipeline's bus says, or that it says nothing.
std::string reason(GstElement* pipeline) {
    const Ref bus(gst_element_get_bus(pipeline));
    const Ref message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
    if (!message) {
        return "it holds no picture";
    }
    GError* error = nullptr;
    gst_message_parse_error(message.get(), &error, nullptr);
    std::string text = error->message;
    g_error_free(error);
    return text;
}

Result<Ref<GstSample>> pull(const std::string& path, const std::string& conversion) {
    std::error_code unreadable;
    if (!std::filesystem::exists(path, unreadable)) {
        return fail(ErrorCode::NotFound, "picture '{}' does not exist", path);
    }
    const std::string line = std::format(
        "filesrc name=file ! decodebin ! {} appsink name=out sync=false max-buffers=1", conversion);
    GError* error = nullptr;
    const Ref pipeline(
        gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
    if (error != nullptr) {
        const std::string text = error->message;
        g_error_free(error);
        return fail(ErrorCode::Unsupported, "pictures cannot be decoded here: {}", text);
    }
    gst_object_ref_sink(pipeline.get());
    const Ref file(gst_bin_get_by_name(GST_BIN(pipeline.get()), "file"));
    const Ref out(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
    g_object_set(file.get(), "location", path.c_str(), nullptr);
    gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
    GstSample* sample = nullptr;
    g_signal_emit_by_name(out.get(), "try-pull-preroll", kTimeout, &sample);
    const std::string why = sample == nullptr ? reason(pipeline.get()) : "";
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    if (sample == nullptr) {
        return fail(ErrorCode::Parse, "picture '{}' cannot be decoded: {}", path, why);
    }
    return Ref(sample);
}

} // namespace

Result<Ref<GstSample>> decode_picture(const std::string& path) {
    return pull(path, "");
}

Result<Ref<GstSample>> decode_picture(const std::string& path, const GstVideoInfo& info) {
    GstVideoInfo still = info;
    still.fps_n = 0; // any rate: a picture has none
    still.fps_d = 1;
    const Ref caps(gst_video_info_to_caps(&still));
    gst_structure_remove_fields(gst_caps_get_structure(caps.get(), 0), "framerate",
                                "interlace-mode", "multiview-mode", nullptr);
    const std::unique_ptr<char, decltype(&g_free)> text(gst_caps_to_string(caps.get()), g_free);
    const int shown_width = info.width * std::max(info.par_n, 1);
    const int shown_height = info.height * std::max(info.par_d, 1);
    return pull(path, std::format("videoconvert ! aspectratiocrop aspect-ratio={}/{} ! "
                                  "videoscale add-borders=false ! videoconvert ! {} !",
                                  shown_width, shown_height, text.get()));
}

} // namespace sluice::gst
