// SPDX-License-Identifier: Apache-2.0
// A running pipeline from a camera to an appsink.
#pragma once

#include <cstdint>
#include <format>
#include <mutex>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gtest/gtest.h>

#include "tests/dmabuf-vm/witness.h"
#include "tests/gst/support.h"

namespace sluice::testing {

// The kernel's name for memory that vivid allocates.
inline constexpr const char* kCameraMemory = "videobuf2_vmalloc";

struct Source {
    const char* name;
    const char* device;
    const char* caps;
    std::size_t memories; // of a frame
};

inline void PrintTo(const Source& source, std::ostream* out) {
    *out << source.name;
}

inline bool is_dmabuf_caps(const Source& source) {
    return std::string_view(source.caps).contains("DMA_DRM");
}

// A running pipeline "camera ! ELEMENTS ! appsink" that remembers which memories the camera gave.
class CameraLine {
public:
    CameraLine(const Source& source, const std::string& elements, int width = 320, int height = 180,
               int frames = 12) {
        const std::string line =
            std::format("v4l2src name=camera device={} io-mode=dmabuf num-buffers={} ! "
                        "{},width={},height={} ! {} ! appsink name=sink emit-signals={} sync=false "
                        "max-buffers=2",
                        source.device, frames, source.caps, width, height, elements,
                        is_dmabuf_caps(source) ? "false" : "true");
        GError* broken = nullptr;
        GstElement* made = gst_parse_launch(line.c_str(), &broken);
        EXPECT_EQ(broken, nullptr) << line << ": " << broken->message;
        pipeline_ = Ref(GST_ELEMENT(gst_object_ref_sink(made)));
        sink_ = Ref(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "sink"));
        g_signal_connect(sink_.get(), "propose-allocation", G_CALLBACK(+take_any_layout), nullptr);
        const Ref camera(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "camera"));
        const Ref pad(gst_element_get_static_pad(camera.get(), "src"));
        gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, remember, this, nullptr);
        gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    }
    ~CameraLine() { stop(); }
    CameraLine(const CameraLine&) = delete;
    CameraLine& operator=(const CameraLine&) = delete;

    void stop() {
        sink_.reset();
        if (pipeline_) {
            gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
            pipeline_.reset();
        }
    }
    // Empty at the end and after an error, which is then a failure of the test.
    [[nodiscard]] Ref<GstSample> pull() {
        Ref sample(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), 200 * GST_SECOND));
        if (!sample) {
            const Ref bus(gst_element_get_bus(pipeline_.get()));
            if (const Ref message = Ref(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR))) {
                GError* error = nullptr;
                gchar* debug = nullptr;
                gst_message_parse_error(message.get(), &error, &debug);
                ADD_FAILURE() << error->message << " " << (debug != nullptr ? debug : "");
                g_error_free(error);
                g_free(debug);
            }
        }
        return sample;
    }
    // The memories of the frame that the camera gave as number `index`.
    [[nodiscard]] std::vector<ino_t> given(std::size_t index) {
        const std::lock_guard hold(lock_);
        return index < given_.size() ? given_[index] : std::vector<ino_t>{};
    }
    [[nodiscard]] std::uint64_t stat(const char* element, const char* field) const {
        const Ref found(gst_bin_get_by_name(GST_BIN(pipeline_.get()), element));
        return stat_of(found.get(), field);
    }

private:
    // As display sinks do. For others v4l2src copies plain video with several planes into one
    // memory, as they know no layout but the standard one.
    static gboolean take_any_layout(GstElement* /*sink*/, GstQuery* query, gpointer /*nothing*/) {
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
        return TRUE;
    }
    static GstPadProbeReturn remember(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
        auto* line = static_cast<CameraLine*>(self);
        const std::lock_guard hold(line->lock_);
        line->given_.push_back(inodes(GST_PAD_PROBE_INFO_BUFFER(info)));
        return GST_PAD_PROBE_OK;
    }

    Ref<GstElement> pipeline_;
    Ref<GstElement> sink_;
    std::mutex lock_;
    std::vector<std::vector<ino_t>> given_; // guarded by lock_
};

} // namespace sluice::testing
