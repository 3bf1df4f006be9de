// SPDX-License-Identifier: Apache-2.0
// After the first frames a pipeline makes nothing: no Vulkan object, and no memory of our own.
#include <array>
#include <atomic>
#include <format>
#include <ostream>
#include <string>

#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/vulkan_elements.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/vulkan_watch.h"

namespace sluice::testing {
namespace {

// The first frames find pools and caches empty; those from here to a line's last are looked at.
constexpr int kFirst = 12;

struct Line {
    const char* name;
    const char* elements; // {} becomes the device
    const char* model;
    const char* caps;
    int last = 40;
};
constexpr Line kLines[]{
    {"faces_and_redaction",
     "sluicefacedetect name=a device={0} qos=false ! sluiceredact name=b device={1}",
     "face-detection-short-range.tflite", "video/x-raw,format=NV12,width=512,height=512"},
    {"matte_and_background",
     "sluicesegment name=a device={0} qos=false ! sluicebackground name=b device={1}",
     "selfie-segmentation-landscape.tflite", "video/x-raw,format=NV12,width=512,height=512"},
    {"classes_and_key",
     "sluicesegment name=a model=selfie-multiclass device={0} qos=false ! sluicebackground name=b "
     "effect=key device={1}",
     "selfie-multiclass.tflite", "video/x-raw,format=RGBA,width=512,height=512",
     18}, // a large network for a software device
    {"super_resolution", "sluicesuperres name=a device={0} qos=false", "anime4k-x2-s-rl.json",
     "video/x-raw,format=NV12,width=160,height=90"},
};

void PrintTo(const Line& line, std::ostream* out) {
    *out << line.name;
}

// What is counted between two frames that reach the sink.
struct Watch {
    Watch(OwnAllocations& counter, int last_frame) : own(counter), last(last_frame) {}
    OwnAllocations& own;
    int last;
    int frames = 0;
    std::uint64_t calls_before = 0;
    std::uint64_t calls_after = 0;
    std::uint64_t submits_before = 0;
    std::uint64_t submits_after = 0;
    std::string list_before;
    std::string list_after;
};

GstPadProbeReturn count_frame(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer data) {
    auto& watch = *static_cast<Watch*>(data);
    ++watch.frames;
    if (watch.frames == kFirst) {
        watch.list_before = vulkan_watch::list();
        watch.calls_before = vulkan_watch::making_calls();
        watch.submits_before = vulkan_watch::calls("vkQueueSubmit");
        watch.own.start();
    } else if (watch.frames == watch.last) {
        watch.own.stop();
        watch.calls_after = vulkan_watch::making_calls();
        watch.submits_after = vulkan_watch::calls("vkQueueSubmit");
        watch.list_after = vulkan_watch::list();
    }
    return GST_PAD_PROBE_OK;
}

class SteadyState : public VulkanElements, public ::testing::WithParamInterface<Line> {
protected:
    void run(const std::string& network_device, const std::string& pixel_device) {
        const Line& line = GetParam();
        SLUICE_NEED(model, model_file(line.model));
        SLUICE_NEED(picture, footage("astronaut.png"));
        // Frames of a pool, each with a person in it, all memory of which is written anew.
        const std::string text = std::format(
            "filesrc location={} ! pngdec ! imagefreeze num-buffers={} ! videoscale ! "
            "videoconvert ! {} ! {} ! fakesink name=sink sync=false",
            picture->string(), line.last + 2, line.caps,
            std::vformat(line.elements, std::make_format_args(network_device, pixel_device)));
        constexpr std::array kOurs{"libgstsluice"};
        gst_object_unref(gst_object_ref_sink(gst_element_factory_make("sluicesegment", nullptr)));
        OwnAllocations own(kOurs);
        Watch watch(own, line.last);
        GError* broken = nullptr;
        const Ref pipeline(
            GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(text.c_str(), &broken))));
        ASSERT_EQ(broken, nullptr) << broken->message;
        {
            const Ref sink(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
            const Ref pad(gst_element_get_static_pad(sink.get(), "sink"));
            gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, count_frame, &watch, nullptr);
        }
        const Ref bus(gst_element_get_bus(pipeline.get()));
        gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
        const Ref end(gst_bus_timed_pop_filtered(
            bus.get(), 120 * GST_SECOND,
            static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
        ASSERT_TRUE(end);
        EXPECT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS);
        const Ref element(gst_bin_get_by_name(GST_BIN(pipeline.get()), "a"));
        EXPECT_EQ(stat_of(element.get(), "inferences"), static_cast<std::uint64_t>(line.last + 2));
        gst_element_set_state(pipeline.get(), GST_STATE_NULL);
        EXPECT_EQ(watch.frames, line.last + 2);
        EXPECT_EQ(watch.calls_after, watch.calls_before)
            << watch.list_before << " became " << watch.list_after;
        submits_ = watch.submits_after - watch.submits_before;
        if (can_count_allocations()) {
            EXPECT_GT(own.looked_at(), 0U) << "the witness sees nothing";
            EXPECT_EQ(own.count(), 0U) << own.describe();
        }
    }

    std::uint64_t submits_ = 0; // by the frames that were looked at
};

TEST_P(SteadyState, makes_nothing_on_the_cpu) {
    run("cpu", "cpu");
    EXPECT_EQ(submits_, 0U);
}

TEST_P(SteadyState, makes_nothing_on_a_vulkan_device) {
    ASSERT_TRUE(vulkan_watch::works()) << "the loader did not find the layer";
    const std::string device = "vulkan:" + vulkan_selector();
    run(device, device);
    EXPECT_GE(submits_, static_cast<std::uint64_t>(GetParam().last - kFirst))
        << "the watch sees nothing";
}

INSTANTIATE_TEST_SUITE_P(Lines, SteadyState, ::testing::ValuesIn(kLines),
                         [](const auto& row) { return std::string(row.param.name); });

} // namespace
} // namespace sluice::testing
