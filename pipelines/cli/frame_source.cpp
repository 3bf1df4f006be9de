// SPDX-License-Identifier: Apache-2.0
// uridecodebin into an appsink; videoconvert steps in for formats that are not ours only.
#include "pipelines/cli/frame_source.h"

#include <gst/app/app.h>

#include "pipelines/cli/gst_pipeline.h"
#include "pipelines/cli/interrupt.h"
#include "pipelines/cli/stall_watch.h"

namespace sluice::cli {

Result<gst::MappedFrame> DecodedFrame::map(CopyLedger& copies) const {
    return gst::MappedFrame::read(gst_sample_get_buffer(sample.get()), video, copies);
}

FrameSource::FrameSource(gst::Ref<GstElement> pipeline, bool is_file)
    : pipeline_(std::move(pipeline)),
      sink_(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "frames")), is_file_(is_file) {}

FrameSource::~FrameSource() {
    if (pipeline_) {
        gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    }
}

Result<FrameSource> FrameSource::open(const std::string& input) {
    SLUICE_TRY(init_gstreamer());
    SLUICE_TRY_ASSIGN(const std::string uri, uri_of(input));
    SLUICE_TRY_ASSIGN(auto pipeline, parse_line("uridecodebin name=source ! videoconvert ! "
                                                "appsink name=frames sync=false max-buffers=4"));
    FrameSource source(std::move(pipeline), uri.starts_with("file:"));
    const gst::Ref<GstElement> decoder(
        gst_bin_get_by_name(GST_BIN(source.pipeline_.get()), "source"));
    g_object_set(decoder.get(), "uri", uri.c_str(), nullptr);
    const gst::Ref<GstCaps> caps = gst::video_caps();
    gst_app_sink_set_caps(GST_APP_SINK(source.sink_.get()), caps.get());
    gst_element_set_state(source.pipeline_.get(), GST_STATE_PLAYING);
    return source;
}

Result<std::optional<DecodedFrame>> FrameSource::next() {
    const gst::Ref<GstBus> bus(gst_element_get_bus(pipeline_.get()));
    auto* sink = GST_APP_SINK(sink_.get());
    StallWatch stall;
    while (!was_interrupted()) {
        gst::Ref<GstSample> sample(gst_app_sink_try_pull_sample(sink, 100 * GST_MSECOND));
        if (sample) {
            has_started_ = true;
            SLUICE_TRY_ASSIGN(auto video, gst::parse_caps(gst_sample_get_caps(sample.get())));
            const GstClockTime time =
                gst_segment_to_stream_time(gst_sample_get_segment(sample.get()), GST_FORMAT_TIME,
                                           GST_BUFFER_PTS(gst_sample_get_buffer(sample.get())));
            return DecodedFrame{.sample = std::move(sample),
                                .video = video,
                                .pts = GST_CLOCK_TIME_IS_VALID(time)
                                           ? static_cast<double>(time) / GST_SECOND
                                           : 0.0};
        }
        const gst::Ref<GstMessage> error(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
        if (error) {
            return std::unexpected(error_of(error.get()));
        }
        if (gst_app_sink_is_eos(sink) != FALSE) {
            return std::nullopt;
        }
        if (is_file_ && !has_started_ && stall.is_stalled()) {
            return fail(ErrorCode::Parse, "the input holds nothing that can be decoded");
        }
    }
    return fail(ErrorCode::Internal, "interrupted");
}

double FrameSource::share_done() const {
    return cli::share_done(pipeline_.get());
}

} // namespace sluice::cli
