// SPDX-License-Identifier: Apache-2.0
// A photo with faces in a dmabuf: what the elements find and write is what they do on plain memory.
#include <cstring>
#include <string>
#include <vector>

#include <gst/allocators/allocators.h>
#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "tests/dmabuf-vm/witness.h"
#include "tests/gst-plugins/support.h"
#include "zero_copy/dmabuf.h"

namespace sluice::testing {
namespace {

constexpr int kSide = 512;
constexpr gsize kBytes = gsize{kSide} * kSide * 3 / 2;

Ref<GstBuffer> run(const std::string& elements, const std::string& caps, Ref<GstBuffer> frame,
                   const char* wanted_caps = nullptr) {
    GstElement* bin = gst_parse_bin_from_description(elements.c_str(), TRUE, nullptr);
    GstHarness* harness = gst_harness_new_with_element(bin, "sink", "src");
    gst_object_unref(bin);
    if (wanted_caps != nullptr) {
        gst_harness_set_sink_caps_str(harness, wanted_caps);
    }
    gst_harness_set_src_caps_str(harness, caps.c_str());
    EXPECT_EQ(gst_harness_push(harness, frame.release()), GST_FLOW_OK);
    Ref out(gst_harness_try_pull(harness));
    gst_harness_teardown(harness);
    return out;
}

std::size_t faces(GstBuffer* buffer) {
    GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
    gpointer state = nullptr;
    GstAnalyticsMtd found;
    std::size_t count = 0;
    while (meta != nullptr &&
           gst_analytics_relation_meta_iterate(meta, &state, gst_analytics_od_mtd_get_mtd_type(),
                                               &found) != FALSE) {
        ++count;
    }
    return count;
}

class Still : public ::testing::Test {
protected:
    void SetUp() override {
        if (!in_the_machine()) {
            GTEST_SKIP() << "needs the virtual machine: ./dev test --dmabuf";
        }
    }
};

TEST_F(Still, faces_in_a_dmabuf_are_redacted_in_it) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    SLUICE_NEED(photo, footage("astronaut.png"));
    const std::string plain = video_caps("NV12", kSide, kSide);
    const std::string elements = "sluicefacedetect device=cpu require-zero-copy=true ! "
                                 "sluiceredact effect=black require-zero-copy=true";
    const Ref picture = picture_frame(*photo, plain);
    std::vector<guint8> original(kBytes);
    gst_buffer_extract(picture.get(), 0, original.data(), kBytes);

    auto dmabuf = zero_copy::make_dmabuf(kBytes);
    ASSERT_TRUE(dmabuf.has_value()) << dmabuf.error().message;
    const Ref allocator(gst_dmabuf_allocator_new());
    Ref frame(gst_buffer_new());
    gst_buffer_append_memory(
        frame.get(), gst_dmabuf_allocator_alloc(allocator.get(), dmabuf->release(), kBytes));
    gst_buffer_fill(frame.get(), 0, original.data(), kBytes);
    GST_BUFFER_PTS(frame.get()) = 0;
    const auto before = inodes(frame.get());
    const Ref out = run(elements,
                        "video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=NV12, width=512, "
                        "height=512, framerate=25/1",
                        std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_EQ(inodes(out.get()), before);
    EXPECT_GE(faces(out.get()), 1U);

    const Ref wanted = run(elements, plain, Ref(gst_buffer_copy_deep(picture.get())));
    ASSERT_TRUE(wanted);
    std::vector<guint8> expected(kBytes);
    gst_buffer_extract(wanted.get(), 0, expected.data(), kBytes);
    ASSERT_NE(expected, original);
    const MappedFile pixels(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(out.get(), 0)));
    ASSERT_GE(pixels.size(), kBytes);
    EXPECT_EQ(std::memcmp(pixels.data(), expected.data(), kBytes), 0);
}

TEST_F(Still, is_enlarged_into_a_dmabuf_as_into_plain_memory) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    constexpr int kOddWidth = 100; // 200 bytes a row, which dmabufs pad to 256
    constexpr int kOddHeight = 60;
    const std::string plain = video_caps("NV12", kOddWidth, kOddHeight);
    const std::string twice = video_caps("NV12", 2 * kOddWidth, 2 * kOddHeight);
    const Ref wanted = run("sluicesuperres device=cpu", plain, make_frame(plain));
    ASSERT_TRUE(wanted);
    const Ref out =
        run("sluicesuperres device=cpu require-zero-copy=true", plain, make_frame(plain),
            "video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=NV12");
    ASSERT_TRUE(out);
    EXPECT_TRUE(existing_dmabufs().contains(inodes(out.get()).front()));
    const GstVideoMeta* meta = gst_buffer_get_video_meta(out.get());
    ASSERT_NE(meta, nullptr);
    EXPECT_EQ(meta->stride[0], 256);
    EXPECT_EQ(pixels(out.get(), twice), pixels(wanted.get(), twice));
}

} // namespace
} // namespace sluice::testing
