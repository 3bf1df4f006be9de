// SPDX-License-Identifier: Apache-2.0
// What the tests of elements on Vulkan devices share: lines of elements, frames with results of
// others on them, and what was attached.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gst/analytics/analytics.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/vulkan_elements.h"

namespace sluice::testing {

// Puts two faces on a frame of at least 123x61.
inline void add_faces(GstBuffer* frame) {
    auto* meta = gst_buffer_add_analytics_relation_meta(frame);
    GstAnalyticsODMtd mtd;
    const GQuark face = g_quark_from_static_string("face");
    EXPECT_TRUE(gst_analytics_relation_meta_add_od_mtd(meta, face, 10, 8, 40, 50, 0.9F, &mtd));
    EXPECT_TRUE(gst_analytics_relation_meta_add_od_mtd(meta, face, 90, 20, 33, 41, 0.9F, &mtd));
}
inline Ref<GstBuffer> with_faces(Ref<GstBuffer> frame) {
    add_faces(frame.get());
    return frame;
}

// A matte of its own size that grows from left to right, over the whole frame.
inline void add_mask(GstBuffer* frame, int width, int height) {
    constexpr guint kColumns = 32;
    constexpr guint kRows = 18;
    GstBuffer* const mask = gst_buffer_new_allocate(nullptr, kColumns * kRows, nullptr);
    gst_buffer_add_video_meta(mask, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, kColumns,
                              kRows);
    for (guint i = 0; i < kColumns * kRows; ++i) {
        gst_buffer_memset(mask, i, static_cast<guint8>(i % kColumns * 255 / (kColumns - 1)), 1);
    }
    auto* meta = gst_buffer_add_analytics_relation_meta(frame);
    guint region = 0;
    GstAnalyticsSegmentationMtd mtd;
    EXPECT_TRUE(gst_analytics_relation_meta_add_segmentation_mtd(
        meta, mask, GST_SEGMENTATION_TYPE_SEMANTIC, 1, &region, 0, 0, static_cast<guint>(width),
        static_cast<guint>(height), &mtd));
}
inline Ref<GstBuffer> with_mask(Ref<GstBuffer> frame, int width, int height) {
    add_mask(frame.get(), width, height);
    return frame;
}

// All tensors of a frame, one after the other.
inline std::vector<float> tensors_of(GstBuffer* frame) {
    std::vector<float> out;
    const GstTensorMeta* meta = gst_buffer_get_tensor_meta(frame);
    EXPECT_NE(meta, nullptr);
    for (std::size_t i = 0; meta != nullptr && i < meta->num_tensors; ++i) {
        GstBuffer* data = gst_tensor_meta_get(const_cast<GstTensorMeta*>(meta), i)->data;
        const std::size_t begin = out.size();
        out.resize(begin + (gst_buffer_get_size(data) / sizeof(float)));
        gst_buffer_extract(data, 0, out.data() + begin, gst_buffer_get_size(data));
    }
    return out;
}

// Elements in a row between two pads. That which is asked about is called "it".
class ImageLine {
public:
    ImageLine(const std::string& line, const std::string& caps)
        : harness_(gst_harness_new_parse(line.c_str()), gst_harness_teardown),
          it_(gst_bin_get_by_name(GST_BIN(harness_->element), "it")), bus_(gst_bus_new()) {
        gst_element_set_bus(harness_->element, bus_.get());
        gst_harness_set_src_caps_str(harness_.get(), caps.c_str());
    }
    // `mark` puts something on each frame that "it" gets: vulkanupload leaves results of others
    // behind.
    void mark(std::function<void(GstBuffer*)> mark) {
        mark_ = std::move(mark);
        const Ref pad(gst_element_get_static_pad(it_.get(), "sink"));
        gst_pad_add_probe(
            pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
            [](GstPad*, GstPadProbeInfo* info, gpointer self) {
                info->data = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
                static_cast<ImageLine*>(self)->mark_(GST_BUFFER(info->data));
                return GST_PAD_PROBE_OK;
            },
            this, nullptr);
    }
    ~ImageLine() { gst_element_set_bus(harness_->element, nullptr); }
    ImageLine(const ImageLine&) = delete;
    ImageLine& operator=(const ImageLine&) = delete;
    [[nodiscard]] Ref<GstBuffer> run(const Ref<GstBuffer>& frame) {
        return Ref(gst_harness_push_and_pull(harness_.get(), gst_buffer_copy_deep(frame.get())));
    }
    // The text of the error that a frame ends in; empty where it does not.
    [[nodiscard]] std::string error_with(const Ref<GstBuffer>& frame) {
        const GstFlowReturn flow =
            gst_harness_push(harness_.get(), gst_buffer_copy_deep(frame.get()));
        const Ref message(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
        if (flow == GST_FLOW_OK || !message) {
            return {};
        }
        GError* error = nullptr;
        gst_message_parse_error(message.get(), &error, nullptr);
        std::string text = error->message;
        g_clear_error(&error);
        return text;
    }
    [[nodiscard]] std::uint64_t stat(const char* field) const { return stat_of(it_.get(), field); }
    [[nodiscard]] GstElement* it() const { return it_.get(); }

private:
    std::unique_ptr<GstHarness, decltype(&gst_harness_teardown)> harness_;
    Ref<GstElement> it_;
    Ref<GstBus> bus_;
    std::function<void(GstBuffer*)> mark_;
};

class VulkanImages : public VulkanElements {
protected:
    void SetUp() override {
        VulkanElements::SetUp();
        const Ref made(gst_element_factory_make("vulkanupload", nullptr));
        if (!IsSkipped() && !made) {
            GTEST_SKIP() << "GStreamer's Vulkan plugin is not installed";
        }
    }
    static std::string on_device_as(const std::string& element) {
        return written_as(element) + " require-zero-copy=true";
    }
    static std::string written_as(const std::string& element) {
        return element + " name=it device=vulkan:" + vulkan_selector();
    }
};

} // namespace sluice::testing
