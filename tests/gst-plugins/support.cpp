// SPDX-License-Identifier: Apache-2.0
// Frames, harnesses and pipelines for tests.
#include "tests/gst-plugins/support.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <format>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gst/allocators/allocators.h>
#include <gst/allocators/gstshmallocator.h>
#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "gst-plugins/background/picture.h"

namespace sluice::testing {

namespace {

GstVideoInfo parse(const std::string& caps) {
    const Ref parsed(gst_caps_from_string(caps.c_str()));
    GstVideoInfo info;
    EXPECT_TRUE(gst_video_info_from_caps(&info, parsed.get())) << caps;
    return info;
}

std::filesystem::path cache() {
    if (const char* folder = std::getenv("XDG_CACHE_HOME"); folder != nullptr && *folder != '\0') {
        return std::filesystem::path(folder) / "sluice";
    }
    const char* home = std::getenv("HOME");
    return std::filesystem::path(home != nullptr ? home : "/") / ".cache" / "sluice";
}

std::optional<std::filesystem::path> find(const char* variable, const char* folder,
                                          const std::string& name) {
    const char* set = std::getenv(variable);
    const auto path = (set != nullptr ? std::filesystem::path(set) : cache() / folder) / name;
    return std::filesystem::exists(path) ? std::optional(path) : std::nullopt;
}

// Plane geometry for all formats: components tell rows, the plane's first component its width.
int plane_rows(const GstVideoInfo& info, guint plane) {
    for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(&info); ++c) {
        if (GST_VIDEO_INFO_COMP_PLANE(&info, c) == plane) {
            return GST_VIDEO_INFO_COMP_HEIGHT(&info, c);
        }
    }
    return 0;
}

std::size_t plane_row_bytes(const GstVideoInfo& info, guint plane) {
    for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(&info); ++c) {
        if (GST_VIDEO_INFO_COMP_PLANE(&info, c) == plane) {
            const gint width = GST_VIDEO_INFO_COMP_WIDTH(&info, c);
            const gint step = GST_VIDEO_INFO_COMP_PSTRIDE(&info, c);
            return static_cast<std::size_t>(width) * static_cast<std::size_t>(step);
        }
    }
    return 0;
}

gst::Ref<GstAllocator> make_allocator(File kind) {
    switch (kind) {
    case File::Dmabuf: return gst::Ref(gst_dmabuf_allocator_new());
    case File::Fd: return gst::Ref(gst_fd_allocator_new());
    case File::Shm: gst_shm_allocator_init_once(); return gst::Ref(gst_shm_allocator_get());
    }
    return {};
}

} // namespace

std::string video_caps(const std::string& format, int width, int height) {
    return std::format("video/x-raw, format={}, width={}, height={}, framerate=25/1", format, width,
                       height);
}

Ref<GstBuffer> make_frame(const std::string& caps, std::uint64_t number, int stride_padding) {
    GstVideoInfo info = parse(caps);
    const guint planes = GST_VIDEO_INFO_N_PLANES(&info);
    gsize offsets[GST_VIDEO_MAX_PLANES]{};
    gint strides[GST_VIDEO_MAX_PLANES]{};
    gsize size = 0;
    for (guint p = 0; p < planes; ++p) {
        offsets[p] = size;
        strides[p] = GST_VIDEO_INFO_PLANE_STRIDE(&info, p) + stride_padding;
        size += static_cast<gsize>(strides[p]) * static_cast<gsize>(plane_rows(info, p));
    }
    Ref frame(
        gst_buffer_new_allocate(nullptr, std::max(size, GST_VIDEO_INFO_SIZE(&info)), nullptr));
    GstMapInfo map;
    EXPECT_TRUE(gst_buffer_map(frame.get(), &map, GST_MAP_WRITE));
    for (gsize i = 0; i < map.size; ++i) {
        map.data[i] = static_cast<guint8>((i * 7 + number * 13) % 200 + 16);
    }
    gst_buffer_unmap(frame.get(), &map);
    if (stride_padding > 0) {
        gst_buffer_add_video_meta_full(frame.get(), GST_VIDEO_FRAME_FLAG_NONE,
                                       GST_VIDEO_INFO_FORMAT(&info), static_cast<guint>(info.width),
                                       static_cast<guint>(info.height), planes, offsets, strides);
    }
    GST_BUFFER_PTS(frame.get()) = number * 40 * GST_MSECOND;
    GST_BUFFER_DURATION(frame.get()) = 40 * GST_MSECOND;
    return frame;
}

Ref<GstBuffer> in_file(const Ref<GstBuffer>& frame, File kind, GstVideoFormat meta_format,
                       const GstVideoInfo& info) {
    const gsize size = gst_buffer_get_size(frame.get());
    const Ref allocator = make_allocator(kind);
    GstMemory* memory = nullptr;
    if (kind == File::Shm) {
        memory = gst_allocator_alloc(allocator.get(), size, nullptr);
    } else {
        const int fd = memfd_create("frame", MFD_CLOEXEC);
        EXPECT_EQ(ftruncate(fd, static_cast<off_t>(size)), 0);
        memory = kind == File::Dmabuf
                     ? gst_dmabuf_allocator_alloc(allocator.get(), fd, size)
                     : gst_fd_allocator_alloc(allocator.get(), fd, size, GST_FD_MEMORY_FLAG_NONE);
    }
    GstMapInfo map;
    EXPECT_TRUE(gst_memory_map(memory, &map, GST_MAP_WRITE));
    gst_buffer_extract(frame.get(), 0, map.data, size);
    gst_memory_unmap(memory, &map);
    Ref out(gst_buffer_new());
    gst_buffer_append_memory(out.get(), memory);
    GST_BUFFER_PTS(out.get()) = GST_BUFFER_PTS(frame.get());
    GST_BUFFER_DURATION(out.get()) = GST_BUFFER_DURATION(frame.get());
    if (meta_format != GST_VIDEO_FORMAT_UNKNOWN) {
        gst_buffer_add_video_meta_full(
            out.get(), GST_VIDEO_FRAME_FLAG_NONE, meta_format, static_cast<guint>(info.width),
            static_cast<guint>(info.height), info.finfo->n_planes, info.offset, info.stride);
    }
    return out;
}

ino_t inode(GstBuffer* buffer) {
    struct stat status{};
    EXPECT_EQ(fstat(gst_fd_memory_get_fd(gst_buffer_peek_memory(buffer, 0)), &status), 0);
    return status.st_ino;
}

std::vector<std::uint8_t> pixels(GstBuffer* buffer, const std::string& caps) {
    const GstVideoInfo info = parse(caps);
    GstVideoFrame frame;
    std::vector<std::uint8_t> out;
    EXPECT_TRUE(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&info); ++p) {
        const auto* data = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, p));
        for (int y = 0; y < plane_rows(info, p); ++y) {
            const auto* row =
                data + static_cast<std::ptrdiff_t>(y) * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, p);
            out.insert(out.end(), row, row + plane_row_bytes(info, p));
        }
    }
    gst_video_frame_unmap(&frame);
    return out;
}

std::optional<std::filesystem::path> footage(const std::string& name) {
    return find("SLUICE_FOOTAGE_PATH", "footage", name);
}

std::optional<std::filesystem::path> model_file(const std::string& name) {
    return find("SLUICE_MODEL_PATH", "models", name);
}

Ref<GstBuffer> picture_frame(const std::filesystem::path& path, const std::string& caps) {
    const auto sample = gst::decode_picture(path, parse(caps));
    EXPECT_TRUE(sample.has_value()) << sample.error().message;
    Ref frame(gst_buffer_copy_deep(gst_sample_get_buffer(sample->get())));
    GST_BUFFER_PTS(frame.get()) = 0;
    GST_BUFFER_DURATION(frame.get()) = 40 * GST_MSECOND;
    return frame;
}

Harness::Harness(const std::string& factory, const std::function<void(GstElement*)>& configure)
    : bus_(gst_bus_new()) {
    GstElement* element = gst_element_factory_make(factory.c_str(), nullptr);
    EXPECT_NE(element, nullptr) << factory;
    if (configure) {
        configure(element);
    }
    gst_element_set_bus(element, bus_.get());
    harness_ = gst_harness_new_with_element(element, "sink", "src");
    gst_object_unref(element);
}

Harness::~Harness() {
    gst_element_set_bus(harness_->element, nullptr);
    gst_harness_teardown(harness_);
}

Ref<GstBuffer> Harness::run(Ref<GstBuffer> frame) {
    gst_harness_push(harness_, frame.release());
    return Ref(gst_harness_try_pull(harness_));
}

std::uint64_t stat_of(GstElement* element, const char* field) {
    GstStructure* stats = nullptr;
    g_object_get(element, "stats", &stats, nullptr);
    guint64 value = 0;
    EXPECT_TRUE(gst_structure_get_uint64(stats, field, &value)) << field;
    gst_structure_free(stats);
    return value;
}

std::uint64_t Harness::stat(const char* field) const {
    return stat_of(element(), field);
}

std::vector<std::string> Harness::errors() const {
    std::vector<std::string> texts;
    while (const Ref message = pop(GST_MESSAGE_ERROR)) {
        GError* error = nullptr;
        gst_message_parse_error(message.get(), &error, nullptr);
        texts.emplace_back(error->message);
        g_error_free(error);
    }
    return texts;
}

Ref<GstMessage> Harness::pop(GstMessageType type) const {
    return Ref(gst_bus_pop_filtered(bus_.get(), type));
}

std::vector<Found> faces_of(GstBuffer* frame) {
    std::vector<Found> faces;
    auto* meta = gst_buffer_get_analytics_relation_meta(frame);
    gpointer state = nullptr;
    GstAnalyticsODMtd mtd;
    while (meta != nullptr && gst_analytics_relation_meta_iterate(
                                  meta, &state, gst_analytics_od_mtd_get_mtd_type(), &mtd)) {
        Found& face = faces.emplace_back();
        gst_analytics_od_mtd_get_location(&mtd, &face.x, &face.y, &face.width, &face.height,
                                          &face.score);
    }
    return faces;
}

void expect_same(const std::vector<Found>& here, const std::vector<Found>& there) {
    ASSERT_EQ(here.size(), there.size());
    for (std::size_t i = 0; i < here.size(); ++i) {
        EXPECT_NEAR(here[i].x, there[i].x, 1);
        EXPECT_NEAR(here[i].y, there[i].y, 1);
        EXPECT_NEAR(here[i].width, there[i].width, 1);
        EXPECT_NEAR(here[i].height, there[i].height, 1);
        EXPECT_NEAR(here[i].score, there[i].score, 0.002);
    }
}

std::vector<std::uint8_t> matte_of(GstBuffer* frame) {
    auto* meta = gst_buffer_get_analytics_relation_meta(frame);
    gpointer state = nullptr;
    GstAnalyticsSegmentationMtd mtd;
    if (meta == nullptr || !gst_analytics_relation_meta_iterate(
                               meta, &state, gst_analytics_segmentation_mtd_get_mtd_type(), &mtd)) {
        return {};
    }
    gint x = 0;
    gint y = 0;
    guint width = 0;
    guint height = 0;
    const Ref mask(gst_analytics_segmentation_mtd_get_mask(&mtd, &x, &y, &width, &height));
    const GstVideoMeta* video = gst_buffer_get_video_meta(mask.get());
    return pixels(mask.get(), video_caps("GRAY8", static_cast<int>(video->width),
                                         static_cast<int>(video->height)));
}

int largest_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
    EXPECT_EQ(a.size(), b.size());
    int largest = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        largest = std::max(largest, std::abs(a[i] - b[i]));
    }
    return largest;
}

Outcome run_pipeline(const std::string& line, double timeout_seconds) {
    Outcome outcome;
    const auto begin = std::chrono::steady_clock::now();
    GError* broken = nullptr;
    GstElement* made = gst_parse_launch(line.c_str(), &broken);
    if (broken != nullptr) {
        ADD_FAILURE() << line << ": " << broken->message;
        g_error_free(broken);
        if (made != nullptr) {
            gst_object_unref(gst_object_ref_sink(made));
        }
        return outcome;
    }
    gst_object_ref_sink(made);
    const Ref pipeline(made);
    const Ref bus(gst_element_get_bus(pipeline.get()));
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    const Ref first(gst_bus_timed_pop_filtered(
        bus.get(), static_cast<GstClockTime>(timeout_seconds * static_cast<double>(GST_SECOND)),
        static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
    outcome.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    outcome.timed_out = !first;
    const auto note = [&](GstMessage* message) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
            outcome.eos = true;
            return;
        }
        GError* error = nullptr;
        gst_message_parse_error(message, &error, nullptr);
        outcome.errors.emplace_back(GST_OBJECT_NAME(GST_MESSAGE_SRC(message)), error->message);
        outcome.error_codes.emplace_back(error->domain, error->code);
        g_error_free(error);
    };
    if (first) {
        note(first.get());
    }
    // What follows an error within a moment is counted too: one cause, one error.
    while (const Ref more =
               Ref(gst_bus_timed_pop_filtered(bus.get(), 50 * GST_MSECOND, GST_MESSAGE_ERROR))) {
        note(more.get());
    }
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    return outcome;
}

} // namespace sluice::testing

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    gst_init(&argc, &argv);
    // A critical of GLib or GStreamer is a bug of ours: abort. Set only now, because other plugins'
    // are met while the registry is made.
    g_log_set_always_fatal(static_cast<GLogLevelFlags>(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK));
    const int result = RUN_ALL_TESTS();
    gst_deinit(); // so that the leaks tracer has its say
    return result;
}
