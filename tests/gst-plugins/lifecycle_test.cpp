// SPDX-License-Identifier: Apache-2.0
// What must hold for every element: starts, stops, flushes, odd frames, missing models, lifetimes.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <ostream>
#include <thread>

#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"

namespace sluice::testing {
namespace {

struct Subject {
    const char* name;  // of the element
    const char* chain; // in which it does something
    const char* model; // a file that the chain needs; null: none
};

constexpr std::array kSubjects{
    Subject{"sluicefacedetect", "sluicefacedetect tracking=true",
            "face-detection-short-range.tflite"},
    Subject{"sluicesegment", "sluicesegment", "selfie-segmentation-landscape.tflite"},
    Subject{"sluicebackground", "sluicesegment ! sluicebackground",
            "selfie-segmentation-landscape.tflite"},
    Subject{"sluiceredact", "sluicefacedetect ! sluiceredact fail-closed=true",
            "face-detection-short-range.tflite"},
    Subject{"sluicesuperres", "sluicesuperres", "anime4k-x2-s-rl.json"},
    Subject{"sluiceinfer", "sluiceinfer model=face-detection-short-range",
            "face-detection-short-range.tflite"},
};

void PrintTo(const Subject& subject, std::ostream* out) {
    *out << subject.name;
}

std::string pretty(const ::testing::TestParamInfo<Subject>& info) {
    return info.param.name;
}

// A harness around the whole chain.
struct PlayingChain {
    GstHarness* harness;
    explicit PlayingChain(const Subject& subject) {
        GstElement* bin = gst_parse_bin_from_description(subject.chain, TRUE, nullptr);
        harness = gst_harness_new_with_element(bin, "sink", "src");
        gst_object_unref(bin);
    }
    ~PlayingChain() { gst_harness_teardown(harness); }
    PlayingChain(const PlayingChain&) = delete;
    PlayingChain& operator=(const PlayingChain&) = delete;

    void set_caps(const std::string& caps) const {
        gst_harness_set_src_caps_str(harness, caps.c_str());
    }
    [[nodiscard]] Ref<GstBuffer> run(Ref<GstBuffer> frame) const {
        EXPECT_EQ(gst_harness_push(harness, frame.release()), GST_FLOW_OK);
        return Ref(gst_harness_try_pull(harness));
    }
};

class EveryElement : public ::testing::TestWithParam<Subject> {
protected:
    void SetUp() override {
        if (GetParam().model != nullptr && !model_file(GetParam().model)) {
            GTEST_SKIP() << "not in the cache: " << GetParam().model;
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Elements, EveryElement, ::testing::ValuesIn(kSubjects), pretty);

TEST_P(EveryElement, starts_with_the_defaults_that_it_documents) {
    GstElement* element = gst_element_factory_make(GetParam().name, nullptr);
    ASSERT_NE(element, nullptr);
    gst_object_ref_sink(element);
    guint count = 0;
    GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
    for (guint i = 0; i < count; ++i) {
        GParamSpec* spec = specs[i];
        if (!g_str_has_prefix(g_type_name(spec->owner_type), "Sluice")) {
            continue;
        }
        const std::string name = spec->name;
        EXPECT_TRUE(std::ranges::all_of(name, [](char c) {
            return (std::islower(c) != 0) || c == '-';
        })) << name;
        if ((spec->flags & G_PARAM_WRITABLE) == 0) {
            continue;
        }
        EXPECT_NE(spec->flags & (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PLAYING), 0) << name;
        GValue value = G_VALUE_INIT;
        g_value_init(&value, spec->value_type);
        g_object_get_property(G_OBJECT(element), spec->name, &value);
        EXPECT_TRUE(g_param_value_defaults(spec, &value)) << name;
        // What is set is what is read.
        g_object_set_property(G_OBJECT(element), spec->name, &value);
        g_value_unset(&value);
    }
    g_free(static_cast<gpointer>(specs));
    gst_object_unref(element);
}

TEST_P(EveryElement, tells_a_device_that_does_not_exist) {
    GstElement* element = gst_element_factory_make(GetParam().name, nullptr);
    ASSERT_NE(element, nullptr);
    const bool has_a_choice =
        g_object_class_find_property(G_OBJECT_GET_CLASS(element), "device") != nullptr;
    gst_object_unref(gst_object_ref_sink(element));
    if (!has_a_choice) {
        GTEST_SKIP() << "it has no property device";
    }
    for (const auto& [device, says] :
         {std::pair{"cup", "there is no device 'cup'; there are: auto, cpu, reference, vulkan"},
          std::pair{"vulkan:no-such-device", "vulkan:no-such-device: "}}) {
        std::string chain = GetParam().chain;
        const std::string name = GetParam().name;
        chain.insert(chain.find(name) + name.size(), std::string(" device=") + device);
        const Outcome outcome =
            run_pipeline("videotestsrc num-buffers=1 ! " + chain + " ! fakesink");
        EXPECT_FALSE(outcome.eos);
        ASSERT_EQ(outcome.errors.size(), 1U) << device;
        EXPECT_NE(outcome.errors[0].second.find(says), std::string::npos)
            << outcome.errors[0].second;
    }
}

TEST_P(EveryElement, ends_without_a_frame) {
    const Outcome outcome = run_pipeline(std::string("videotestsrc num-buffers=0 ! ") +
                                         GetParam().chain + " ! fakesink");
    EXPECT_TRUE(outcome.eos);
    EXPECT_TRUE(outcome.errors.empty());
}

TEST_P(EveryElement, changes_size_and_format_in_mid_stream) {
    const PlayingChain chain(GetParam());
    std::uint64_t number = 0;
    for (const auto& [format, width, height] : {std::tuple{"NV12", 64, 48},
                                                {"I420", 33, 17},
                                                {"RGB", 8, 8},
                                                {"NV12", 64, 48},
                                                {"GRAY8", 1, 1},
                                                {"YUY2", 3, 3},
                                                {"BGRA", 5, 40},
                                                {"P010_10LE", 16, 9},
                                                {"UYVY", 1, 1},
                                                {"NV21", 1, 2},
                                                {"YV12", 7, 1},
                                                {"RGBx", 2, 2},
                                                {"BGR", 1, 1}}) {
        const std::string caps = video_caps(format, width, height);
        chain.set_caps(caps);
        for (const int padding : {0, 8}) {
            const Ref out = chain.run(make_frame(caps, number++, padding));
            ASSERT_TRUE(out) << caps;
        }
    }
}

TEST_P(EveryElement, refuses_caps_that_it_does_not_offer) {
    const PlayingChain chain(GetParam());
    GstPad* pad = chain.harness->srcpad;
    ASSERT_TRUE(gst_pad_push_event(pad, gst_event_new_stream_start("stream")));
    for (const char* text :
         {"audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved",
          "video/x-raw,format=ARGB64,width=64,height=48,framerate=25/1",
          "video/x-raw(memory:GLMemory),format=RGBA,width=64,height=48,framerate=25/1"}) {
        const Ref caps(gst_caps_from_string(text));
        EXPECT_FALSE(gst_pad_peer_query_accept_caps(pad, caps.get())) << text;
        gst_pad_push_event(pad, gst_event_new_caps(caps.get()));
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_pad_push_event(pad, gst_event_new_segment(&segment));
        EXPECT_EQ(gst_pad_push(pad, gst_buffer_new_allocate(nullptr, 100, nullptr)),
                  GST_FLOW_NOT_NEGOTIATED)
            << text;
    }
}

TEST_P(EveryElement, goes_on_after_a_flush) {
    const PlayingChain chain(GetParam());
    const std::string caps = video_caps("NV12", 64, 48);
    chain.set_caps(caps);
    ASSERT_TRUE(chain.run(make_frame(caps, 0)));
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(gst_harness_push_event(chain.harness, gst_event_new_flush_start()));
        EXPECT_TRUE(gst_harness_push_event(chain.harness, gst_event_new_flush_stop(TRUE)));
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        EXPECT_TRUE(gst_harness_push_event(chain.harness, gst_event_new_segment(&segment)));
        ASSERT_TRUE(chain.run(make_frame(caps, 0)));
    }
}

TEST_P(EveryElement, reads_frames_that_others_hold_and_leaves_them_as_they_are) {
    const PlayingChain chain(GetParam());
    const std::string caps = video_caps("NV12", 64, 48);
    chain.set_caps(caps);
    for (std::uint64_t i = 0; i < 3; ++i) {
        Ref frame = make_frame(caps, i);
        const Ref shared(gst_buffer_ref(frame.get()));
        const auto before = pixels(shared.get(), caps);
        ASSERT_TRUE(chain.run(std::move(frame)));
        EXPECT_EQ(pixels(shared.get(), caps), before);
    }
}

TEST_P(EveryElement, reports_a_frame_that_is_too_small_once) {
    GstElement* pipeline =
        gst_parse_launch((std::string("appsrc name=src caps=\"") + video_caps("NV12", 64, 48) +
                          "\" format=time ! " + GetParam().chain + " ! fakesink")
                             .c_str(),
                         nullptr);
    ASSERT_NE(pipeline, nullptr);
    gst_object_ref_sink(pipeline);
    const Ref source(gst_bin_get_by_name(GST_BIN(pipeline), "src"));
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstFlowReturn flow{};
    const Ref small(gst_buffer_new_allocate(nullptr, 64, nullptr));
    g_signal_emit_by_name(source.get(), "push-buffer", small.get(), &flow);
    const Ref bus(gst_element_get_bus(pipeline));
    const Ref message(gst_bus_timed_pop_filtered(bus.get(), 5 * GST_SECOND, GST_MESSAGE_ERROR));
    ASSERT_TRUE(message);
    EXPECT_TRUE(g_str_has_prefix(GST_OBJECT_NAME(GST_MESSAGE_SRC(message.get())), "sluice"));
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

// Success is not crashing, under the address sanitizer.
TEST_P(EveryElement, lets_its_output_outlive_it) {
    GstSample* sample = nullptr;
    {
        const std::string line = std::string("videotestsrc num-buffers=3 ! "
                                             "video/x-raw,format=NV12,width=64,height=48 ! ") +
                                 GetParam().chain + " ! fakesink name=out";
        GstElement* pipeline = gst_parse_launch(line.c_str(), nullptr);
        gst_object_ref_sink(pipeline);
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        const Ref bus(gst_element_get_bus(pipeline));
        const Ref end(gst_bus_timed_pop_filtered(
            bus.get(), 20 * GST_SECOND,
            static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
        ASSERT_TRUE(end);
        ASSERT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS);
        const Ref out(gst_bin_get_by_name(GST_BIN(pipeline), "out"));
        g_object_get(out.get(), "last-sample", &sample, nullptr);
        gst_element_set_state(pipeline, GST_STATE_NULL);
        gst_object_unref(pipeline);
    }
    ASSERT_NE(sample, nullptr);
    GstMapInfo map;
    ASSERT_TRUE(gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ));
    unsigned sum = 0;
    for (gsize i = 0; i < map.size; ++i) {
        sum += map.data[i];
    }
    EXPECT_GT(sum, 0U);
    gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
    gst_sample_unref(sample);
}

TEST_P(EveryElement, starts_and_stops_twenty_times) {
    const std::string line = std::string("videotestsrc ! "
                                         "video/x-raw,format=I420,width=32,height=32 ! ") +
                             GetParam().chain + " ! fakesink sync=false";
    GstElement* pipeline = gst_parse_launch(line.c_str(), nullptr);
    gst_object_ref_sink(pipeline);
    for (int i = 0; i < 20; ++i) {
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        ASSERT_EQ(gst_element_get_state(pipeline, nullptr, nullptr, 10 * GST_SECOND),
                  GST_STATE_CHANGE_SUCCESS);
        ASSERT_EQ(gst_element_set_state(pipeline, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

TEST_P(EveryElement, runs_twice_at_once) {
    const std::string line = std::string("videotestsrc num-buffers=20 ! "
                                         "video/x-raw,format=NV12,width=64,height=48 ! ") +
                             GetParam().chain + " ! fakesink sync=false";
    std::array<Outcome, 2> outcomes;
    {
        const std::jthread other([&] { outcomes[1] = run_pipeline(line); });
        outcomes[0] = run_pipeline(line);
    }
    for (const Outcome& outcome : outcomes) {
        EXPECT_TRUE(outcome.eos);
        EXPECT_TRUE(outcome.errors.empty());
    }
}

TEST_P(EveryElement, ends_when_the_video_file_is_empty) {
    const std::string path = ::testing::TempDir() + "empty.mp4";
    std::ofstream(path).close();
    const Outcome outcome = run_pipeline("filesrc location=" + path + " ! decodebin ! " +
                                         GetParam().chain + " ! fakesink");
    EXPECT_FALSE(outcome.timed_out);
    EXPECT_FALSE(outcome.eos);
    EXPECT_GE(outcome.errors.size(), 1U);
    std::remove(path.c_str());
}

class ModelElement : public ::testing::TestWithParam<const char*> {
protected:
    // One error, soon, from the element.
    static void expect_one_error(const Outcome& outcome, GQuark domain, gint code,
                                 const std::string& part) {
        ASSERT_EQ(outcome.errors.size(), 1U);
        EXPECT_EQ(outcome.errors[0].first, "it");
        EXPECT_EQ(outcome.error_codes[0].first, domain) << outcome.errors[0].second;
        EXPECT_EQ(outcome.error_codes[0].second, code) << outcome.errors[0].second;
        EXPECT_NE(outcome.errors[0].second.find(part), std::string::npos)
            << outcome.errors[0].second;
        EXPECT_LT(outcome.seconds, 1.0);
    }
    static Outcome run_with_model(const std::string& model) {
        return run_pipeline("videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48 ! " +
                            std::string(GetParam()) + " name=it model=" + model + " ! fakesink");
    }
};
INSTANTIATE_TEST_SUITE_P(Elements, ModelElement,
                         ::testing::Values("sluicefacedetect", "sluicesegment", "sluicesuperres",
                                           "sluiceinfer"));

TEST_P(ModelElement, names_the_model_that_is_missing) {
    expect_one_error(run_with_model("/nowhere/at-all.tflite"), GST_RESOURCE_ERROR,
                     GST_RESOURCE_ERROR_NOT_FOUND, "/nowhere/at-all.tflite");
}

TEST_P(ModelElement, suggests_names_near_a_mistyped_one) {
    expect_one_error(run_with_model("face-detection-shrot-range"), GST_RESOURCE_ERROR,
                     GST_RESOURCE_ERROR_NOT_FOUND, "face-detection-short-range");
}

TEST_P(ModelElement, refuses_broken_files) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    std::ifstream whole(*model, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(whole)), {});
    const std::string path = ::testing::TempDir() + "broken.tflite";
    for (const std::size_t size : {bytes.size() / 2, std::size_t{100}, std::size_t{0}}) {
        std::ofstream(path, std::ios::binary)
            .write(bytes.data(), static_cast<std::streamsize>(size));
        expect_one_error(run_with_model(path), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                         "broken.tflite");
    }
    std::remove(path.c_str());
}

TEST_P(ModelElement, starts_again_with_a_good_model_after_a_bad_one) {
    SLUICE_NEED(face, model_file("face-detection-short-range.tflite"));
    SLUICE_NEED(matte, model_file("selfie-segmentation-landscape.tflite"));
    SLUICE_NEED(upscaler, model_file("anime4k-x2-s-rl.json"));
    const std::string name = GetParam();
    const char* good = name == "sluicesegment"    ? "selfie-segmentation-landscape"
                       : name == "sluicesuperres" ? "anime4k-x2-s"
                                                  : "face-detection-short-range";
    GstElement* pipeline = gst_parse_launch(("videotestsrc num-buffers=2 ! "
                                             "video/x-raw,width=64,height=48 ! " +
                                             name + " name=it model=nonesuch ! fakesink")
                                                .c_str(),
                                            nullptr);
    gst_object_ref_sink(pipeline);
    EXPECT_EQ(gst_element_set_state(pipeline, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    const Ref element(gst_bin_get_by_name(GST_BIN(pipeline), "it"));
    g_object_set(element.get(), "model", good, nullptr);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    const Ref bus(gst_element_get_bus(pipeline));
    const Ref end(gst_bus_timed_pop_filtered(
        bus.get(), 20 * GST_SECOND,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    ASSERT_TRUE(end);
    EXPECT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS);
    EXPECT_EQ(stat_of(element.get(), "frames"), 2U);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

TEST(Background, needs_its_picture_at_start) {
    const Outcome unset =
        run_pipeline("videotestsrc ! sluicebackground name=it effect=picture ! fakesink");
    ASSERT_EQ(unset.errors.size(), 1U);
    EXPECT_EQ(unset.error_codes[0].second, GST_RESOURCE_ERROR_SETTINGS);
    const Outcome missing = run_pipeline(
        "videotestsrc ! sluicebackground name=it effect=picture picture=/nowhere.png ! fakesink");
    ASSERT_EQ(missing.errors.size(), 1U);
    EXPECT_EQ(missing.error_codes[0].second, GST_RESOURCE_ERROR_NOT_FOUND);
}

} // namespace
} // namespace sluice::testing
