// SPDX-License-Identifier: Apache-2.0
// GStreamer pipelines run to their end, with errors as sentences and a progress bar.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <gst/gst.h>

#include "core/base/result.h"
#include "gst-plugins/common/ref.h"

namespace sluice::cli {

// Starts GStreamer and registers our elements, once. Io: GStreamer says why it cannot.
[[nodiscard]] Status init_gstreamer();

// The line as gst-launch-1.0 reads it. InvalidArgument: GStreamer's own sentence.
[[nodiscard]] Result<gst::Ref<GstElement>> parse_line(const std::string& line);

// A path or URI as URI. NotFound: there is no such file.
[[nodiscard]] Result<std::string> uri_of(const std::string& input);

// What an error message on the bus says, as one sentence: "x264enc: ...".
[[nodiscard]] Error error_of(GstMessage* message);

// How far the pipeline is, 0..1, or -1.
[[nodiscard]] double share_done(GstElement* pipeline);

// PLAYING until the end of the stream, an error or an interrupt, then NULL. `playing` is called
// when the pipeline has reached PLAYING, `ended` at the end of the stream before NULL.
struct RunHooks {
    std::string progress;    // shown on a terminal; empty: none
    bool opens_file = false; // fail when nothing comes of a local file (stall_watch.h)
    std::function<void()> playing = [] {};
    std::function<void()> ended = [] {};
};
[[nodiscard]] Status run_to_end(GstElement* pipeline, const RunHooks& hooks);

} // namespace sluice::cli
