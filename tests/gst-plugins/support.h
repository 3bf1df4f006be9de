// SPDX-License-Identifier: Apache-2.0
// What the element tests share: frames, harnesses, pipelines, buses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gst-plugins/common/ref.h"

namespace sluice::testing {

using gst::Ref;

// Caps of raw video at 25 frames a second.
[[nodiscard]] std::string video_caps(const std::string& format, int width, int height);

// A frame of these caps with a gradient in every plane; `stride_padding` bytes follow each row, and
// are described by a GstVideoMeta. Time stamps count frames of 40 ms.
[[nodiscard]] Ref<GstBuffer> make_frame(const std::string& caps, std::uint64_t number = 0,
                                        int stride_padding = 0);

// Files of memory that frames come in. A memfd stands in for the dmabuf: GStreamer takes any file.
enum class File { Dmabuf, Fd, Shm };

// The frame's bytes in a file, described by a GstVideoMeta of this format unless it is UNKNOWN.
[[nodiscard]] Ref<GstBuffer> in_file(const Ref<GstBuffer>& frame, File kind,
                                     GstVideoFormat meta_format, const GstVideoInfo& info);
// Of the file that the buffer's first memory is.
[[nodiscard]] ino_t inode(GstBuffer* buffer);

// Bytes of the picture alone, plane after plane, row after row, without padding.
[[nodiscard]] std::vector<std::uint8_t> pixels(GstBuffer* buffer, const std::string& caps);

// A file of the footage folder ($SLUICE_FOOTAGE_PATH, else the cache), or a model's (…/models).
[[nodiscard]] std::optional<std::filesystem::path> footage(const std::string& name);
[[nodiscard]] std::optional<std::filesystem::path> model_file(const std::string& name);

// The picture file as a frame of these caps.
[[nodiscard]] Ref<GstBuffer> picture_frame(const std::filesystem::path& path,
                                           const std::string& caps);

// One element between two pads, with a bus of its own.
class Harness {
public:
    // `configure` sets properties before the element starts.
    explicit Harness(const std::string& factory,
                     const std::function<void(GstElement*)>& configure = {});
    ~Harness();
    Harness(const Harness&) = delete;
    Harness& operator=(const Harness&) = delete;

    [[nodiscard]] GstHarness* get() const { return harness_; }
    [[nodiscard]] GstElement* element() const { return harness_->element; }
    void set_caps(const std::string& caps) { gst_harness_set_src_caps_str(harness_, caps.c_str()); }
    // Pushes a frame and takes what comes out; empty where nothing does.
    [[nodiscard]] Ref<GstBuffer> run(Ref<GstBuffer> frame);
    [[nodiscard]] std::uint64_t stat(const char* field) const;
    // Texts of the error messages since the last call.
    [[nodiscard]] std::vector<std::string> errors() const;
    [[nodiscard]] Ref<GstMessage> pop(GstMessageType type) const;

private:
    Ref<GstBus> bus_;
    GstHarness* harness_ = nullptr;
};

// A face's box on a frame, in pixels.
struct Found {
    gint x = 0;
    gint y = 0;
    gint width = 0;
    gint height = 0;
    gfloat score = 0;
};
[[nodiscard]] std::vector<Found> faces_of(GstBuffer* frame);
// Boxes are whole pixels: a rounding apart.
void expect_same(const std::vector<Found>& here, const std::vector<Found>& there);
// The first mask on the frame, row by row.
[[nodiscard]] std::vector<std::uint8_t> matte_of(GstBuffer* frame);

// Of two pictures' bytes, which are as many.
[[nodiscard]] int largest_difference(const std::vector<std::uint8_t>& a,
                                     const std::vector<std::uint8_t>& b);

// What a pipeline said until its end, its first error or the timeout.
struct Outcome {
    bool eos = false;
    bool timed_out = false;
    std::vector<std::pair<std::string, std::string>> errors; // source element, text
    std::vector<std::pair<GQuark, gint>> error_codes;        // domain, code
    double seconds = 0;
};
[[nodiscard]] Outcome run_pipeline(const std::string& line, double timeout_seconds = 20);

[[nodiscard]] std::uint64_t stat_of(GstElement* element, const char* field);

} // namespace sluice::testing

// Skips a test where a file of the cache is absent.
#define SLUICE_NEED(variable, expression)                                                          \
    const auto variable = (expression);                                                            \
    if (!(variable)) {                                                                             \
        GTEST_SKIP() << "not in the cache: " #expression;                                          \
    }
