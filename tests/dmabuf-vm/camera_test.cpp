// SPDX-License-Identifier: Apache-2.0
// From a camera's own dmabufs through every element: nobody copies a frame.
#include <cstdlib>
#include <format>
#include <mutex>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <gst/allocators/allocators.h>
#include <gst/app/gstappsink.h>
#include <gtest/gtest.h>

#include "tests/dmabuf-vm/witness.h"
#include "tests/gst-plugins/support.h"

namespace sluice::testing {
namespace {

constexpr int kFrames = 12;
// The kernel's name for memory that vivid allocates.
constexpr const char* kCameraMemory = "videobuf2_vmalloc";

struct Source {
    const char* name;
    const char* device;
    const char* caps;
    std::size_t memories; // of a frame
};
constexpr Source kSources[]{
    {"dmabuf_caps", "/dev/video0", "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12", 1},
    {"plain_caps", "/dev/video0", "video/x-raw,format=NV12", 1},
    {"planes_in_dmabufs_of_their_own", "/dev/video1", "video/x-raw,format=NV12", 2},
    {"planes_in_dmabufs_of_their_own_by_dmabuf_caps", "/dev/video1",
     "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12", 2},
    {"packed", "/dev/video0", "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=YUYV", 1},
};

void PrintTo(const Source& source, std::ostream* out) {
    *out << source.name;
}

bool is_dmabuf_caps(const Source& source) {
    return std::string_view(source.caps).contains("DMA_DRM");
}

// A running pipeline "camera ! ELEMENTS ! appsink" that remembers which memories the camera gave.
class CameraLine {
public:
    CameraLine(const Source& source, const std::string& elements, int width = 320, int height = 180,
               int frames = kFrames) {
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
        Ref sample(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), 60 * GST_SECOND));
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

// Elements ask which Vulkan devices there are, and lavapipe keeps a dmabuf of its own for as long
// as it is loaded. These tests count all that exist, so none of its drivers is found.
class WithoutVulkan : public ::testing::Environment {
    void SetUp() override { ::setenv("VK_DRIVER_FILES", "/dev/null", 1); }
};
[[maybe_unused]] const auto* const kWithoutVulkan =
    ::testing::AddGlobalTestEnvironment(new WithoutVulkan); // NOLINT: GoogleTest deletes it

class Camera : public ::testing::TestWithParam<Source> {
protected:
    void SetUp() override {
        if (!in_the_machine()) {
            GTEST_SKIP() << "needs the virtual machine: ./dev test --dmabuf";
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Sources, Camera, ::testing::ValuesIn(kSources),
                         [](const auto& row) { return std::string(row.param.name); });

// Every frame that leaves the line lies in the camera's memories, and nobody made another dmabuf
// or, once all have their pools, any memory at all.
void expect_no_copy(const Source& source, const std::string& elements,
                    const std::vector<const char*>& names) {
    MemoryCounter memories;
    ASSERT_TRUE(memories) << "GST_TRACERS=leaks is not set";
    CameraLine line(source, elements);
    std::set<ino_t> seen;
    for (int i = 0; i < kFrames; ++i) {
        if (i == kFrames / 2) {
            (void)memories.made();
        }
        const Ref sample = line.pull();
        ASSERT_TRUE(sample) << "frame " << i;
        const auto at_sink = inodes(gst_sample_get_buffer(sample.get()));
        ASSERT_EQ(at_sink.size(), source.memories);
        EXPECT_EQ(at_sink, line.given(static_cast<std::size_t>(i))) << "frame " << i;
        const auto exists = existing_dmabufs();
        for (const ino_t inode : at_sink) {
            ASSERT_NE(inode, 0U) << "frame " << i << " is no dmabuf";
            const auto found = exists.find(inode);
            ASSERT_NE(found, exists.end()) << "the kernel knows no dmabuf " << inode;
            EXPECT_EQ(found->second, kCameraMemory);
            seen.insert(inode);
        }
        for (const auto& [inode, exporter] : exists) {
            ASSERT_EQ(exporter, kCameraMemory) << inode;
        }
    }
    // A copy needs a memory for each frame; pools may still grow by one or the other.
    EXPECT_LT(memories.made(), static_cast<std::size_t>(kFrames / 2));
    EXPECT_GE(seen.size(), 2U * source.memories);
    for (const char* name : names) {
        EXPECT_EQ(line.stat(name, "copied-bytes"), 0U) << name;
        EXPECT_EQ(line.stat(name, "frames"), static_cast<std::uint64_t>(kFrames)) << name;
    }
}

// The CPU by name: looking for a GPU opens lavapipe, which keeps a dmabuf of its own.
TEST_P(Camera, faces_and_redaction_copy_nothing) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    expect_no_copy(GetParam(),
                   "sluicefacedetect device=cpu name=faces qos=false require-zero-copy=true ! "
                   "sluiceredact name=redact fail-closed=true require-zero-copy=true",
                   {"faces", "redact"});
}

TEST_P(Camera, segmentation_and_background_copy_nothing) {
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    expect_no_copy(GetParam(),
                   "sluicesegment device=cpu name=people qos=false require-zero-copy=true ! "
                   "sluicebackground name=background require-zero-copy=true",
                   {"people", "background"});
}

TEST_P(Camera, redaction_writes_into_the_cameras_memory) {
    // No detector before it, so every frame becomes black.
    CameraLine line(GetParam(), "sluiceredact fail-closed=true require-zero-copy=true");
    const Ref sample = line.pull();
    ASSERT_TRUE(sample);
    GstBuffer* frame = gst_sample_get_buffer(sample.get());
    const MappedFile first(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(frame, 0)));
    const bool packed = std::string(GetParam().name) == "packed";
    const std::size_t luma = 320 * 180 * (packed ? 2 : 1);
    ASSERT_GE(first.size(), luma);
    for (std::size_t i = 0; i < luma; ++i) {
        ASSERT_EQ(first.data()[i], packed && i % 2 == 1 ? 128 : 16) << i;
    }
}

TEST_P(Camera, every_access_is_bracketed_by_the_kernels_synchronisation) {
    const SyncCounter synchronised;
    CameraLine line(GetParam(), "sluiceredact name=redact fail-closed=true");
    for (int i = 0; i < kFrames; ++i) {
        ASSERT_TRUE(line.pull());
    }
    EXPECT_EQ(line.stat("redact", "blacked-out-frames"), static_cast<std::uint64_t>(kFrames));
    line.stop();
    const std::size_t expected = static_cast<std::size_t>(kFrames) * GetParam().memories;
    EXPECT_EQ(synchronised.begins(), expected);
    EXPECT_EQ(synchronised.calls(), 2 * expected) << "begins and ends";
}

TEST_P(Camera, a_frame_outlives_the_pipeline_and_leaves_nothing) {
    for (const auto& [inode, exporter] : existing_dmabufs()) {
        FAIL() << "left by an earlier test: " << inode << " of " << exporter;
    }
    {
        CameraLine line(GetParam(), "sluiceredact fail-closed=true", 320, 180, -1);
        const Ref held = line.pull();
        ASSERT_TRUE(held);
        ASSERT_TRUE(line.pull());
        line.stop();
        GstBuffer* frame = gst_sample_get_buffer(held.get());
        const auto exists = existing_dmabufs();
        for (const ino_t inode : inodes(frame)) {
            EXPECT_TRUE(exists.contains(inode));
        }
        GstMapInfo map;
        ASSERT_TRUE(gst_buffer_map_range(frame, 0, 1, &map, GST_MAP_READ));
        EXPECT_EQ(map.data[0], 16);
        gst_buffer_unmap(frame, &map);
    }
    EXPECT_TRUE(existing_dmabufs().empty()) << existing_dmabufs().size() << " dmabufs are left";
}

TEST_P(Camera, super_resolution_reads_in_place_and_writes_dmabufs_of_its_own) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    CameraLine line(GetParam(),
                    "sluicesuperres device=cpu name=larger qos=false require-zero-copy=true ! "
                    "video/x-raw(memory:DMABuf)",
                    320, 180, 4);
    for (int i = 0; i < 4; ++i) {
        const Ref sample = line.pull();
        ASSERT_TRUE(sample);
        const auto exists = existing_dmabufs();
        for (const ino_t inode : inodes(gst_sample_get_buffer(sample.get()))) {
            ASSERT_TRUE(exists.contains(inode));
            EXPECT_EQ(exists.at(inode), "udmabuf");
        }
    }
    EXPECT_EQ(line.stat("larger", "copied-bytes"), 0U);
}

} // namespace
} // namespace sluice::testing
