// SPDX-License-Identifier: Apache-2.0
// The pools that elements offer: who renders into them, what that spares, and that nothing stays.
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gst/allocators/allocators.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/drm_formats.h"
#include "tests/gst/support.h"
#include "tests/gst/vulkan_elements.h"

namespace sluice::testing {
namespace {

// What gst-libav does before its negotiation is through: one frame for each thread, and those that
// the stream's order holds back.
constexpr int kBegunBefore = 8;

// Copies by others, by their own logs: gst-libav says "get output buffer" where it takes a second
// buffer and copies the decoded picture there, GStreamer says "memcpy" where it copies memory.
class DecoderCopies {
public:
    DecoderCopies() {
        copies_ = 0;
        if (quiets_) {
            gst_debug_remove_log_function(gst_debug_log_default); // it would write all of it
        }
        gst_debug_add_log_function(look, nullptr, nullptr);
        gst_debug_set_threshold_for_name("libav", GST_LEVEL_LOG);
        gst_debug_set_threshold_for_name("GST_PERFORMANCE", GST_LEVEL_DEBUG);
    }
    ~DecoderCopies() {
        gst_debug_set_threshold_for_name("libav", GST_LEVEL_NONE);
        gst_debug_set_threshold_for_name("GST_PERFORMANCE", GST_LEVEL_NONE);
        gst_debug_remove_log_function(look);
        if (quiets_) {
            gst_debug_add_log_function(gst_debug_log_default, nullptr, nullptr);
        }
    }
    DecoderCopies(const DecoderCopies&) = delete;
    DecoderCopies& operator=(const DecoderCopies&) = delete;

    [[nodiscard]] static int count() { return copies_; }

private:
    static void look(GstDebugCategory*, GstDebugLevel, const gchar*, const gchar*, gint, GObject*,
                     GstDebugMessage* message, gpointer) {
        const std::string_view text = gst_debug_message_get(message);
        if (text == "get output buffer" || text.starts_with("memcpy")) {
            ++copies_;
        }
    }
    static inline std::atomic<int> copies_ = 0;
    // What writes to a file, as under the leaks tracer, could not be put back.
    const bool quiets_ = std::getenv("GST_DEBUG_FILE") == nullptr;
};

// What passes a pad.
struct Passed {
    std::mutex lock; // pads are of other threads
    std::vector<const GstMemory*> memories;
    std::set<const GstMemory*> distinct;
    std::set<std::string> allocators; // types
    int padded = 0;                   // frames whose strides are not those of the caps
};

GstPadProbeReturn note(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    auto& passed = *static_cast<Passed*>(data);
    GstBuffer* buffer = gst_pad_probe_info_get_buffer(info);
    const GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
    const Ref caps(gst_pad_get_current_caps(pad));
    GstVideoInfo video;
    const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
    const bool known = caps && gst_video_info_from_caps(&video, caps.get()) != FALSE;
    const std::lock_guard hold(passed.lock);
    passed.padded += known && meta != nullptr && meta->stride[0] != video.stride[0] ? 1 : 0;
    passed.memories.push_back(memory);
    passed.distinct.insert(memory);
    passed.allocators.insert(G_OBJECT_TYPE_NAME(memory->allocator));
    return GST_PAD_PROBE_OK;
}

// A pipeline with a look at the source pad of "in" and the sink pad of "out".
class Watched {
public:
    explicit Watched(const std::string& line) : pipeline_(parse(line)) {
        watch("in", "src", in);
        watch("out", "sink", out);
    }
    ~Watched() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

    [[nodiscard]] GstElement* get() const { return pipeline_.get(); }
    [[nodiscard]] bool run() const {
        gst_element_set_state(get(), GST_STATE_PLAYING);
        const Ref bus(gst_element_get_bus(get()));
        const Ref end(gst_bus_timed_pop_filtered(
            bus.get(), 60 * GST_SECOND,
            static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
        return end && GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS;
    }
    [[nodiscard]] std::uint64_t copied() const {
        const Ref element(gst_bin_get_by_name(GST_BIN(get()), "it"));
        return stat_of(element.get(), "copied-bytes");
    }

    Passed in;
    Passed out;

private:
    static Ref<GstElement> parse(const std::string& line) {
        GError* broken = nullptr;
        GstElement* made = gst_parse_launch(line.c_str(), &broken);
        EXPECT_EQ(broken, nullptr) << line << ": " << broken->message;
        g_clear_error(&broken);
        gst_object_ref_sink(made);
        return Ref(made);
    }
    void watch(const char* name, const char* pad_name, Passed& passed) {
        const Ref element(gst_bin_get_by_name(GST_BIN(get()), name));
        const Ref pad(gst_element_get_static_pad(element.get(), pad_name));
        gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, note, &passed, nullptr);
    }

    Ref<GstElement> pipeline_;
};

// Frames of ours that are open in this process.
int open_frames() {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
        count += target.find("sluice-frame") != std::string::npos ? 1 : 0;
    }
    return count;
}

std::string text_of(const GstCaps* caps) {
    gchar* text = gst_caps_to_string(caps);
    std::string out = text;
    g_free(text);
    return out;
}

std::vector<char> bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

constexpr const char* kDetect = "sluicefacedetect name=it inference-interval=30";

std::string decode(const std::filesystem::path& video) {
    return "filesrc location=" + video.string() + " ! qtdemux ! h264parse ! avdec_h264 name=in ! ";
}

// 1920x1080 is coded as 1088 rows; gst-libav needs a pool of another's for the rest not to be
// copied.
std::optional<std::filesystem::path> make_video(int width, int height) {
    std::filesystem::path path = ::testing::TempDir() + "sluice-pool.mp4";
    const Outcome outcome =
        run_pipeline("videotestsrc num-buffers=40 pattern=ball ! video/x-raw,format=I420,width=" +
                     std::to_string(width) + ",height=" + std::to_string(height) +
                     " ! x264enc "
                     "speed-preset=ultrafast ! h264parse ! mp4mux ! filesink location=" +
                     path.string());
    return outcome.eos ? std::optional(path) : std::nullopt;
}

bool has(const char* factory) {
    const Ref element(gst_element_factory_make(factory, nullptr));
    return static_cast<bool>(element);
}

#define SLUICE_NEED_ELEMENT(name)                                                                  \
    if (!has(name)) {                                                                              \
        GTEST_SKIP() << "not installed: " << (name);                                               \
    }

void expect_decoded_in_place(const Watched& line, int copies) {
    EXPECT_GT(line.in.memories.size(), 30U);
    EXPECT_LE(copies, kBegunBefore);
    EXPECT_EQ(line.in.allocators, std::set<std::string>{"SluiceMemfdAllocator"});
    EXPECT_EQ(line.in.memories, line.out.memories) << "frames changed on the way";
    EXPECT_EQ(line.copied(), 0U);
}

TEST(Pools, let_the_decoder_render_into_them) {
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED(video, footage("cap12_edit.mp4"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    Watched line(decode(*video) + kDetect + " ! fakesink name=out sync=false");
    const DecoderCopies copies;
    ASSERT_TRUE(line.run());
    expect_decoded_in_place(line, copies.count());
    EXPECT_GT(line.in.padded, 0) << "400 pixels of I420 need padding to be decoded in place";
    EXPECT_LT(line.in.distinct.size(), 40U) << "frames are not used again";
    gst_element_set_state(line.get(), GST_STATE_NULL);
    EXPECT_EQ(open_frames(), 0);
}

TEST(Pools, spare_copies_that_are_made_without_them) {
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED(video, footage("cap12_edit.mp4"));
    Watched line(decode(*video) + "fakesink name=out sync=false");
    const DecoderCopies copies;
    ASSERT_TRUE(line.run());
    EXPECT_EQ(static_cast<std::size_t>(copies.count()), line.in.memories.size());
}

TEST(Pools, let_the_decoder_render_pictures_that_are_cropped) {
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED_ELEMENT("x264enc");
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    SLUICE_NEED(video, make_video(1920, 1080));
    Watched line(decode(*video) + kDetect + " ! queue ! fakesink name=out sync=false");
    const DecoderCopies copies;
    ASSERT_TRUE(line.run());
    expect_decoded_in_place(line, copies.count());
    std::filesystem::remove(*video);
}

// gst-libav copies these, whatever it is offered; but once, into our frames, and asks no more.
TEST(Pools, of_widths_that_the_decoder_mistakes_are_not_made_anew_with_each_frame) {
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED_ELEMENT("x264enc");
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    SLUICE_NEED(video, make_video(322, 240));
    Watched line(decode(*video) + kDetect + " ! fakesink name=out sync=false");
    const DecoderCopies copies;
    ASSERT_TRUE(line.run());
    EXPECT_EQ(line.in.memories.size(), 40U);
    EXPECT_LE(copies.count(), 40 + kBegunBefore);
    EXPECT_LE(line.in.distinct.size(), 16U) << "frames are not used again";
    EXPECT_EQ(line.in.memories, line.out.memories);
    std::filesystem::remove(*video);
}

// A file gets bytes, not GstVideoMeta: rows must come without padding, as if we were not there.
TEST(Pools, leave_rows_as_they_must_be_in_a_file) {
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED(video, footage("cap12_edit.mp4"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string with = ::testing::TempDir() + "sluice-with.yuv";
    const std::string without = ::testing::TempDir() + "sluice-without.yuv";
    ASSERT_TRUE(
        run_pipeline(decode(*video) + kDetect + " ! queue ! filesink location=" + with).eos);
    ASSERT_TRUE(run_pipeline(decode(*video) + "filesink location=" + without).eos);
    const auto bytes = bytes_of(without);
    EXPECT_GT(bytes.size(), 400U * 300U);
    EXPECT_TRUE(bytes_of(with) == bytes);
    std::filesystem::remove(with);
    std::filesystem::remove(without);
}

TEST(Pools, leave_rows_as_they_are_for_whom_frames_are_handed_to) {
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED(video, footage("cap12_edit.mp4"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    for (const char* sink :
         {"fakesink name=out signal-handoffs=true", "appsink name=out wait-on-eos=false"}) {
        Watched line(decode(*video) + kDetect + " ! " + sink + " sync=false");
        ASSERT_TRUE(line.run());
        EXPECT_EQ(line.out.padded, 0) << sink;
        EXPECT_EQ(line.in.allocators, std::set<std::string>{"SluiceMemfdAllocator"}) << sink;
    }
}

TEST(Pools, let_sources_draw_into_them) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    Watched line(std::string("videotestsrc name=in num-buffers=60 ! "
                             "video/x-raw,format=NV12,width=322,height=240 ! ") +
                 kDetect + " ! fakesink name=out");
    ASSERT_TRUE(line.run());
    EXPECT_EQ(line.in.allocators, std::set<std::string>{"SluiceMemfdAllocator"});
    EXPECT_EQ(line.in.memories, line.out.memories);
    EXPECT_LE(line.in.distinct.size(), 6U) << "frames are not used again";
    EXPECT_EQ(line.copied(), 0U);
}

TEST(Pools, give_way_to_downstream_s) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    Watched line(std::string("videotestsrc name=in num-buffers=5 ! "
                             "video/x-raw,format=NV12,width=322,height=240 ! ") +
                 kDetect +
                 " device=cpu ! videoconvert ! video/x-raw,format=RGB ! fakesink name=out");
    ASSERT_TRUE(line.run());
    EXPECT_FALSE(line.in.allocators.contains("SluiceMemfdAllocator"));
}

TEST(Pools, are_empty_after_new_caps_and_seeks) {
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED(video, footage("cap12_edit.mp4"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    Watched line(decode(*video) + kDetect + " ! fakesink name=out sync=false");
    gst_element_set_state(line.get(), GST_STATE_PAUSED);
    ASSERT_EQ(gst_element_get_state(line.get(), nullptr, nullptr, 20 * GST_SECOND),
              GST_STATE_CHANGE_SUCCESS);
    const int before = open_frames();
    EXPECT_GT(before, 0);
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(gst_element_seek_simple(
            line.get(), GST_FORMAT_TIME,
            static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT), 0));
        ASSERT_EQ(gst_element_get_state(line.get(), nullptr, nullptr, 20 * GST_SECOND),
                  GST_STATE_CHANGE_SUCCESS);
        EXPECT_LE(open_frames(), before + kBegunBefore);
    }
    gst_element_set_state(line.get(), GST_STATE_NULL);
    EXPECT_EQ(open_frames(), 0);
}

// A hash of every decoded picture, before the next element has it.
GstPadProbeReturn hash_picture(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
    const Ref caps(gst_pad_get_current_caps(pad));
    const std::vector<std::uint8_t> bytes =
        pixels(gst_pad_probe_info_get_buffer(info), text_of(caps.get()));
    static_cast<std::vector<std::size_t>*>(data)->push_back(
        std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    return GST_PAD_PROBE_OK;
}

// Whatever is written into frames downstream, what the decoder predicts from is its own.
TEST(Pools, keep_the_decoder_s_references_from_those_who_write) {
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED(video, footage("cap12_edit.mp4"));
    std::array<std::vector<std::size_t>, 2> hashes;
    const std::array<std::string, 2> chains{"identity name=it",
                                            "sluiceredact name=it effect=black fail-closed=true"};
    for (std::size_t i = 0; i < chains.size(); ++i) {
        Watched line(decode(*video) + chains[i] + " ! fakesink name=out sync=false");
        const Ref decoder(gst_bin_get_by_name(GST_BIN(line.get()), "in"));
        const Ref pad(gst_element_get_static_pad(decoder.get(), "src"));
        gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, hash_picture, &hashes[i], nullptr);
        ASSERT_TRUE(line.run());
        if (i == 1) {
            EXPECT_EQ(line.in.allocators, std::set<std::string>{"SluiceMemfdAllocator"});
            EXPECT_GT(line.copied(), 0U) << "no frame was one that others refer to";
        }
    }
    EXPECT_GT(hashes[0].size(), 30U);
    EXPECT_EQ(hashes[0], hashes[1]);
}

class PoolsOnVulkan : public VulkanElements {};

TEST_F(PoolsOnVulkan, are_read_by_descriptor_and_let_go_with_their_size) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string detect =
        "sluicefacedetect name=it require-zero-copy=true device=vulkan:" + vulkan_selector();
    Watched line("videotestsrc name=in num-buffers=40 ! capsfilter name=size "
                 "caps=video/x-raw,format=NV12,width=320,height=240 ! " +
                 detect + " ! fakesink name=out");
    gst_element_set_state(line.get(), GST_STATE_PAUSED);
    ASSERT_EQ(gst_element_get_state(line.get(), nullptr, nullptr, 20 * GST_SECOND),
              GST_STATE_CHANGE_SUCCESS);
    const Ref size(gst_bin_get_by_name(GST_BIN(line.get()), "size"));
    for (const int width : {160, 240, 200}) {
        const Ref caps(gst_caps_from_string(video_caps("NV12", width, 120).c_str()));
        g_object_set(size.get(), "caps", caps.get(), nullptr);
    }
    ASSERT_TRUE(line.run());
    EXPECT_EQ(line.copied(), 0U);
    EXPECT_EQ(line.in.allocators.size(), 1U);
    EXPECT_TRUE(line.in.allocators.contains("SluiceMemfdAllocator") ||
                line.in.allocators.contains("SluiceDmabufAllocator"));
    gst_element_set_state(line.get(), GST_STATE_NULL);
    EXPECT_EQ(open_frames(), 0);
}

TEST_F(PoolsOnVulkan, come_with_the_drm_formats_of_the_device) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const Harness harness("sluicefacedetect", on_device());
    const Ref offered(gst_pad_peer_query_caps(harness.get()->srcpad, nullptr));
    const Ref wanted = gst::readable_caps(gst::tiled_drm_formats(device_->profile()));
    EXPECT_TRUE(gst_caps_can_intersect(offered.get(), wanted.get()));
    const Ref unknown(gst_caps_from_string(
        "video/x-raw(memory:DMABuf), format=DMA_DRM, "
        "drm-format=(string)NV12:0x0b00000000000777, width=64, height=48, framerate=25/1"));
    EXPECT_FALSE(gst_pad_peer_query_accept_caps(harness.get()->srcpad, unknown.get()));
    const GValue* listed =
        gst_structure_get_value(gst_caps_get_structure(offered.get(), 0), "drm-format");
    const GValue* all =
        gst_structure_get_value(gst_caps_get_structure(wanted.get(), 0), "drm-format");
    EXPECT_EQ(gst_value_compare(listed, all), GST_VALUE_EQUAL);
}

TEST_F(PoolsOnVulkan, replace_ordinary_memory_of_downstream_s) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    Watched line("videotestsrc name=in num-buffers=5 ! "
                 "video/x-raw,format=NV12,width=322,height=240 ! sluicefacedetect name=it "
                 "device=vulkan:" +
                 vulkan_selector() +
                 " ! videoconvert ! video/x-raw,format=RGB ! fakesink name=out");
    ASSERT_TRUE(line.run());
    EXPECT_FALSE(line.in.allocators.contains("GstAllocatorSysmem"));
    EXPECT_EQ(line.copied(), 0U);
}

TEST_F(PoolsOnVulkan, are_what_the_device_decodes_and_writes_without_a_copy) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED(video, footage("cap12_edit.mp4"));
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    Watched line(decode(*video) +
                 "identity eos-after=7 ! sluicesuperres name=it qos=false require-zero-copy=true "
                 "device=vulkan:" +
                 vulkan_selector() + " ! fakesink name=out sync=false");
    ASSERT_TRUE(line.run());
    EXPECT_EQ(line.copied(), 0U);
    EXPECT_EQ(line.out.allocators, line.in.allocators);
    EXPECT_FALSE(line.out.allocators.contains("GstAllocatorSysmem"));
    gst_element_set_state(line.get(), GST_STATE_NULL);
    EXPECT_EQ(open_frames(), 0);
}

} // namespace
} // namespace sluice::testing
