// SPDX-License-Identifier: Apache-2.0
// `sluice run -o`: one pipeline from decoder to file with our elements between.
#include <algorithm>
#include <array>
#include <filesystem>
#include <format>
#include <string_view>
#include <utility>

#include "pipelines/cli/gst_pipeline.h"
#include "pipelines/cli/run.h"

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;

struct Container {
    std::string_view extension;
    std::string_view line; // from raw video to the bytes of the file
    bool is_still;
    bool has_alpha;
};

// Constant quality rather than x264enc's and vp8enc's fixed bit rates, which suit small pictures.
constexpr auto kContainers = std::to_array<Container>({
    {".mp4",
     "video/x-raw,format=I420 ! x264enc speed-preset=veryfast pass=qual quantizer=21 ! h264parse ! "
     "mp4mux",
     false, false},
    {".mkv",
     "video/x-raw,format=I420 ! x264enc speed-preset=veryfast pass=qual quantizer=21 ! h264parse ! "
     "matroskamux",
     false, false},
    {".webm",
     "video/x-raw,format=I420 ! vp8enc deadline=1 cpu-used=8 end-usage=cq cq-level=12 "
     "target-bitrate=20000000 ! webmmux",
     false, false},
    {".png", "pngenc snapshot=true", true, true},
    {".jpg", "jpegenc quality=95 snapshot=true", true, false},
    {".jpeg", "jpegenc quality=95 snapshot=true", true, false},
});

Result<const Container*> container_of(const std::string& output) {
    std::string extension = fs::path(output).extension().string();
    std::ranges::transform(extension, extension.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string list;
    for (const Container& container : kContainers) {
        if (container.extension == extension) {
            return &container;
        }
        list += (list.empty() ? "" : ", ") + std::string(container.extension);
    }
    return fail(ErrorCode::InvalidArgument, "cannot write '{}': its extension is none of {}",
                output, list);
}

// The elements of a task; those that take settings are called "network" and "effect".
std::string task_line(const RunOptions& options, const Container& container) {
    const std::string effect = options.effect.empty() ? "blur" : options.effect;
    switch (options.task) {
    case Task::FaceDetection:
        return "sluicefacedetect name=network ! videoconvert ! "
               "objectdetectionoverlay draw-labels=false";
    case Task::Redact:
        return "sluicefacedetect name=network ! sluiceredact name=effect fail-closed=true effect=" +
               effect;
    case Task::Segmentation:
        return (effect == "key" ? std::string("video/x-raw,format=RGBA ! ") : std::string()) +
               "sluicesegment name=network ! sluicebackground name=effect effect=" + effect;
    case Task::SuperResolution:
        // A still is judged by its RGB values, so nothing is subsampled on the way.
        return (container.is_still ? std::string("video/x-raw,format=(string){RGB,RGBA} ! ")
                                   : std::string()) +
               "sluicesuperres name=network";
    }
    std::unreachable();
}

// Properties go in by name, so that no path needs quoting.
void set_properties(GstElement* pipeline, const RunOptions& options) {
    const gst::Ref<GstElement> network(gst_bin_get_by_name(GST_BIN(pipeline), "network"));
    GObject* object = G_OBJECT(network.get());
    if (!options.model.empty()) {
        g_object_set(object, "model", options.model.c_str(), nullptr);
    }
    gst_util_set_object_arg(object, "device", name(options.engine.device).c_str());
    g_object_set(object, "threads", options.engine.threads, nullptr);
    // Late frames are none of a file's concern.
    g_object_set(object, "qos", FALSE, nullptr);
    if (options.task == Task::FaceDetection || options.task == Task::Redact) {
        g_object_set(object, "score-threshold", options.score_threshold, "tile-size",
                     options.tile_size, nullptr);
    }
    const gst::Ref<GstElement> effect(gst_bin_get_by_name(GST_BIN(pipeline), "effect"));
    if (!effect) {
        return;
    }
    g_object_set(effect.get(), "threads", options.engine.threads, nullptr);
    if (options.task == Task::Redact) {
        g_object_set(effect.get(), "score-threshold", options.score_threshold, nullptr);
    }
    if (!options.color.empty()) {
        const auto rgb = static_cast<guint>(std::stoul(options.color, nullptr, 16));
        g_object_set(effect.get(), "color", 0xFF000000U | rgb, nullptr);
    }
    if (!options.picture.empty()) {
        g_object_set(effect.get(), "picture", options.picture.c_str(), nullptr);
    }
}

// How many frames may still pass. Used by the streaming thread only.
struct FrameLimit {
    std::uint32_t left = 0;
    bool ended = false;
};

// Ends the stream in front of the first frame too many. `limit` must outlive the pipeline's run.
void limit_frames(GstElement* pipeline, FrameLimit& limit) {
    const gst::Ref<GstElement> frames(gst_bin_get_by_name(GST_BIN(pipeline), "frames"));
    const gst::Ref<GstPad> pad(gst_element_get_static_pad(frames.get(), "src"));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad* source, GstPadProbeInfo* /*info*/, gpointer data) {
            auto* rest = static_cast<FrameLimit*>(data);
            if (rest->left > 0) {
                --rest->left;
                return GST_PAD_PROBE_OK;
            }
            if (!std::exchange(rest->ended, true)) {
                const gst::Ref<GstPad> peer(gst_pad_get_peer(source));
                gst_pad_send_event(peer.get(), gst_event_new_eos());
            }
            return GST_PAD_PROBE_DROP;
        },
        &limit, nullptr);
}

} // namespace

Status render(const RunOptions& options) {
    SLUICE_TRY_ASSIGN(const Container* const container, container_of(options.output));
    if (options.effect == "key" && !container->has_alpha) {
        return fail(
            ErrorCode::InvalidArgument,
            "effect 'key' makes the background transparent, which '{}' cannot hold; write a "
            ".png",
            options.output);
    }
    SLUICE_TRY(init_gstreamer());
    SLUICE_TRY_ASSIGN(const std::string uri, uri_of(options.input));
    SLUICE_TRY_ASSIGN(
        const auto pipeline,
        parse_line(std::format("uridecodebin name=input ! videoconvert name=frames ! {} ! "
                               "videoconvert ! {} ! filesink name=output",
                               task_line(options, *container), container->line)));
    const fs::path target = options.output;
    const fs::path partial = target.parent_path() / ("." + target.filename().string() + ".partial");
    const gst::Ref<GstElement> input(gst_bin_get_by_name(GST_BIN(pipeline.get()), "input"));
    const gst::Ref<GstElement> output(gst_bin_get_by_name(GST_BIN(pipeline.get()), "output"));
    g_object_set(input.get(), "uri", uri.c_str(), nullptr);
    g_object_set(output.get(), "location", partial.c_str(), nullptr);
    set_properties(pipeline.get(), options);
    FrameLimit limit{.left = options.frames};
    if (options.frames > 0) {
        limit_frames(pipeline.get(), limit);
    }

    Status status = run_to_end(
        pipeline.get(), {.progress = options.task_name, .opens_file = uri.starts_with("file:")});
    std::error_code error;
    if (status && fs::file_size(partial, error) == 0) {
        status = fail(ErrorCode::Parse, "'{}' holds no frame", options.input);
    }
    if (!status) {
        fs::remove(partial, error);
        return status;
    }
    fs::rename(partial, target, error);
    if (error) {
        return fail(ErrorCode::Io, "cannot write '{}': {}", options.output, error.message());
    }
    return {};
}

} // namespace sluice::cli
