// SPDX-License-Identifier: Apache-2.0
// The bus loop and everything that turns GStreamer's answers into Results.
#include "pipelines/cli/gst_pipeline.h"

#include <algorithm>
#include <format>

#include "gst-plugins/common/analytics.h"
#include "pipelines/cli/interrupt.h"
#include "pipelines/cli/output.h"
#include "pipelines/cli/stall_watch.h"

#define SLUICE_ELEMENT(folder) GST_ELEMENT_REGISTER_DECLARE(sluice##folder);
#include "gst-plugins/elements.def"
#undef SLUICE_ELEMENT

namespace sluice::cli {
namespace {

// Of a GLib string that we own.
std::string take(gchar* text) {
    std::string out = text != nullptr ? text : "";
    g_free(text);
    return out;
}

std::string without_full_stop(std::string text) {
    while (!text.empty() && (text.back() == '.' || text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
    }
    std::ranges::replace(text, '\n', ' ');
    return text;
}

} // namespace

Status init_gstreamer() {
    static const Status status = []() -> Status {
        GError* error = nullptr;
        if (gst_init_check(nullptr, nullptr, &error) == FALSE) {
            const std::string reason = error != nullptr ? error->message : "no reason given";
            g_clear_error(&error);
            return fail(ErrorCode::Io, "GStreamer does not start: {}", reason);
        }
        // The elements are built in, so that no plugin path is needed. Where GStreamer had to load
        // the plugin into this very process (it does without its scanner), that one serves.
        if (g_type_from_name("SluiceFaceDetect") == 0) {
            gst::register_metas();
#define SLUICE_ELEMENT(folder) GST_ELEMENT_REGISTER(sluice##folder, nullptr);
#include "gst-plugins/elements.def"
#undef SLUICE_ELEMENT
        }
        return {};
    }();
    return status;
}

Result<gst::Ref<GstElement>> parse_line(const std::string& line) {
    GError* error = nullptr;
    gst::Ref<GstElement> pipeline(
        gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
    if (error != nullptr || !pipeline) {
        const std::string reason =
            error != nullptr ? without_full_stop(error->message) : "it is empty";
        g_clear_error(&error);
        return fail(ErrorCode::InvalidArgument, "the launch line does not parse: {}", reason);
    }
    if (!GST_IS_PIPELINE(pipeline.get())) { // a single element
        gst::Ref<GstElement> bin(gst_pipeline_new(nullptr));
        gst_object_ref_sink(bin.get());
        gst_bin_add(GST_BIN(bin.get()), pipeline.release());
        return bin;
    }
    if (g_object_is_floating(pipeline.get()) != FALSE) {
        gst_object_ref_sink(pipeline.get());
    }
    return pipeline;
}

Result<std::string> uri_of(const std::string& input) {
    if (gst_uri_is_valid(input.c_str()) != FALSE) {
        return input;
    }
    std::error_code error;
    if (!std::filesystem::exists(input, error)) {
        return fail(ErrorCode::NotFound, "there is no file '{}'", input);
    }
    const std::string absolute = std::filesystem::absolute(input).string();
    return take(gst_filename_to_uri(absolute.c_str(), nullptr));
}

Error error_of(GstMessage* message) {
    GError* error = nullptr;
    gchar* debug = nullptr;
    gst_message_parse_error(message, &error, &debug);
    std::string text = without_full_stop(error->message);
    const std::string detail = take(debug);
    // The texts that GStreamer puts where an element gave none, such as "Resource not found", leave
    // out what matters; so does "Internal data stream error". The last line of the detail has it.
    const bool is_generic =
        text == without_full_stop(take(gst_error_get_message(error->domain, error->code))) ||
        text == "Internal data stream error";
    const std::size_t line = detail.find_last_of('\n');
    if (is_generic && line != std::string::npos) {
        text += std::format(" ({})", without_full_stop(detail.substr(line + 1)));
    }
    g_clear_error(&error);
    std::string source = take(gst_object_get_name(GST_MESSAGE_SRC(message)));
    if (GST_IS_ELEMENT(GST_MESSAGE_SRC(message))) {
        const GstElementFactory* factory =
            gst_element_get_factory(GST_ELEMENT(GST_MESSAGE_SRC(message)));
        source = factory != nullptr ? GST_OBJECT_NAME(factory) : source;
    }
    return {.code = ErrorCode::Io, .message = source + ": " + text};
}

double share_done(GstElement* pipeline) {
    gint64 position = 0;
    gint64 duration = 0;
    if (gst_element_query_position(pipeline, GST_FORMAT_TIME, &position) == FALSE ||
        gst_element_query_duration(pipeline, GST_FORMAT_TIME, &duration) == FALSE ||
        duration <= 0) {
        return -1.0;
    }
    return static_cast<double>(position) / static_cast<double>(duration);
}

namespace {

// Waits for the end; hands the state changes of the pipeline to the hooks.
Status wait_for_end(GstElement* pipeline, GstBus* bus, const RunHooks& hooks) {
    constexpr auto kWanted = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS |
                                                         GST_MESSAGE_STATE_CHANGED);
    Progress progress(hooks.progress);
    StallWatch stall;
    bool has_started = !hooks.opens_file;
    while (!was_interrupted()) {
        const gst::Ref<GstMessage> message(
            gst_bus_timed_pop_filtered(bus, 100 * GST_MSECOND, kWanted));
        if (!hooks.progress.empty()) {
            progress.update(share_done(pipeline));
        }
        if (!message) {
            if (!has_started && stall.is_stalled()) {
                return fail(ErrorCode::Parse, "the input holds nothing that can be decoded");
            }
            continue;
        }
        switch (GST_MESSAGE_TYPE(message.get())) {
        case GST_MESSAGE_EOS: return {};
        case GST_MESSAGE_ERROR: return std::unexpected(error_of(message.get()));
        default: break;
        }
        GstState now = GST_STATE_NULL;
        gst_message_parse_state_changed(message.get(), nullptr, &now, nullptr);
        if (GST_MESSAGE_SRC(message.get()) == GST_OBJECT(pipeline)) {
            has_started |= now >= GST_STATE_PAUSED;
            if (now == GST_STATE_PLAYING) {
                hooks.playing();
            }
        }
    }
    return fail(ErrorCode::Internal, "interrupted");
}

} // namespace

Status run_to_end(GstElement* pipeline, const RunHooks& hooks) {
    const gst::Ref<GstBus> bus(gst_element_get_bus(pipeline));
    Status status;
    if (gst_element_set_state(pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        const gst::Ref<GstMessage> message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
        status = message ? std::unexpected(error_of(message.get()))
                         : fail(ErrorCode::Io, "the pipeline does not start");
    } else {
        status = wait_for_end(pipeline, bus.get(), hooks);
    }
    if (status) {
        hooks.ended();
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    return status;
}

} // namespace sluice::cli
