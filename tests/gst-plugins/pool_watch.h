// SPDX-License-Identifier: Apache-2.0
// Pipelines that are watched: what memory passes, and who copies.
#pragma once

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"

namespace sluice::testing {

// What gst-libav does before its negotiation is through: one frame for each thread, and those that
// the stream's order holds back.
inline constexpr int kBegunBefore = 8;

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

inline GstPadProbeReturn note(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
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
inline int open_frames() {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
        count += target.find("sluice-frame") != std::string::npos ? 1 : 0;
    }
    return count;
}

inline std::string text_of(const GstCaps* caps) {
    gchar* text = gst_caps_to_string(caps);
    std::string out = text;
    g_free(text);
    return out;
}

inline std::vector<char> bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline constexpr const char* kDetect = "sluicefacedetect name=it inference-interval=30";

// The decoder, "in"; by default of the first frames only.
inline std::string decode(const std::filesystem::path& video, bool all = false) {
    return "filesrc location=" + video.string() + " ! qtdemux ! h264parse ! " +
           (all ? "" : "identity eos-after=80 ! ") + "avdec_h264 name=in ! ";
}

// 1920x1080 is coded as 1088 rows; gst-libav needs a pool of another's for the rest not to be
// copied.
inline std::optional<std::filesystem::path> make_video(int width, int height) {
    std::filesystem::path path = ::testing::TempDir() + "sluice-pool.mp4";
    const Outcome outcome =
        run_pipeline("videotestsrc num-buffers=40 pattern=ball ! video/x-raw,format=I420,width=" +
                     std::to_string(width) + ",height=" + std::to_string(height) +
                     " ! x264enc "
                     "speed-preset=ultrafast ! h264parse ! mp4mux ! filesink location=" +
                     path.string());
    return outcome.eos ? std::optional(path) : std::nullopt;
}

inline bool has(const char* factory) {
    const Ref element(gst_element_factory_make(factory, nullptr));
    return static_cast<bool>(element);
}

#define SLUICE_NEED_ELEMENT(name)                                                                  \
    if (!has(name)) {                                                                              \
        GTEST_SKIP() << "not installed: " << (name);                                               \
    }

} // namespace sluice::testing
