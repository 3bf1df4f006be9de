// SPDX-License-Identifier: Apache-2.0
// Dmabufs and other files as frames. A memfd stands in for the dmabuf: GStreamer takes any file,
// and only DMA_BUF_IOCTL_SYNC needs the real thing (tests/dmabuf-vm has it).
#include <array>
#include <string>

#include <gst/allocators/allocators.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/frame.h"
#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/witness_memory.h"
#include "zero_copy/dmabuf.h"

namespace sluice::testing {
namespace {

constexpr int kFrameWidth = 64;
constexpr int kFrameHeight = 48;

std::string dmabuf_caps(const std::string& drm_format, int width, int height) {
    // Quoted, as "R8  " has spaces.
    return "video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=(string)\"" + drm_format +
           "\", width=" + std::to_string(width) + ", height=" + std::to_string(height) +
           ", framerate=25/1";
}

GstVideoInfo frame_info(GstVideoFormat format) {
    GstVideoInfo info;
    gst_video_info_set_format(&info, format, kFrameWidth, kFrameHeight);
    return info;
}

struct Chain {
    const char* elements;
    const char* model; // a file that they need; null: none
};

// Every element that works in place.
constexpr std::array kInPlace{
    Chain{"sluicefacedetect require-zero-copy=true", "face-detection-short-range.tflite"},
    Chain{"sluicesegment require-zero-copy=true ! sluicebackground require-zero-copy=true",
          "selfie-segmentation-landscape.tflite"},
    Chain{"sluicefacedetect ! sluiceredact fail-closed=true require-zero-copy=true",
          "face-detection-short-range.tflite"},
    Chain{"sluiceinfer model=face-detection-short-range require-zero-copy=true",
          "face-detection-short-range.tflite"},
};

class ChainHarness {
public:
    explicit ChainHarness(const char* elements) {
        GstElement* bin = gst_parse_bin_from_description(elements, TRUE, nullptr);
        harness_ = gst_harness_new_with_element(bin, "sink", "src");
        gst_object_unref(bin);
    }
    ~ChainHarness() { gst_harness_teardown(harness_); }
    ChainHarness(const ChainHarness&) = delete;
    ChainHarness& operator=(const ChainHarness&) = delete;

    [[nodiscard]] GstHarness* get() const { return harness_; }
    void set_caps(const std::string& caps) const {
        gst_harness_set_src_caps_str(harness_, caps.c_str());
    }
    [[nodiscard]] Ref<GstBuffer> run(Ref<GstBuffer> frame) const {
        EXPECT_EQ(gst_harness_push(harness_, frame.release()), GST_FLOW_OK);
        return Ref(gst_harness_try_pull(harness_));
    }

private:
    GstHarness* harness_ = nullptr;
};

TEST(DmabufCaps, of_templates_leave_the_modifier_open) {
    const Ref caps = gst::video_caps();
    const GstStructure* first = gst_caps_get_structure(caps.get(), 0);
    EXPECT_STREQ(gst_structure_get_string(first, "format"), "DMA_DRM");
    EXPECT_FALSE(gst_structure_has_field(first, "drm-format"));
    EXPECT_TRUE(gst_caps_features_contains(gst_caps_get_features(caps.get(), 0),
                                           GST_CAPS_FEATURE_MEMORY_DMABUF));
}

TEST(DmabufCaps, of_the_cpu_are_linear_and_name_every_format_of_the_table) {
    const Ref caps = gst::readable_caps();
    const GValue* list =
        gst_structure_get_value(gst_caps_get_structure(caps.get(), 0), "drm-format");
    ASSERT_EQ(gst_value_list_get_size(list), zero_copy::formats().size());
    for (guint i = 0; i < gst_value_list_get_size(list); ++i) {
        const zero_copy::FormatInfo& format = zero_copy::formats()[i];
        const std::string name = g_value_get_string(gst_value_list_get_value(list, i));
        std::string padded = name;
        padded.resize(4, ' ');
        EXPECT_EQ(padded, format.drm_fourcc);
        const Ref fixed(gst_caps_from_string(dmabuf_caps(name, 34, 18).c_str()));
        const auto video = gst::parse_caps(fixed.get());
        ASSERT_TRUE(video.has_value()) << name << ": " << video.error().message;
        EXPECT_TRUE(video->in_dmabufs);
        EXPECT_EQ(video->format.pixel_format, format.format);
        EXPECT_EQ(video->format.width, 34U);
        EXPECT_EQ(video->format.height, 18U);
    }
}

TEST(DmabufCaps, with_a_tiled_modifier_are_refused_with_it_and_a_remedy) {
    for (const char* drm_format : {"NV12:0x0100000000000002", "AR24:0x0200000000000901"}) {
        const Ref caps(gst_caps_from_string(dmabuf_caps(drm_format, 64, 48).c_str()));
        const auto video = gst::parse_caps(caps.get());
        ASSERT_FALSE(video.has_value()) << drm_format;
        EXPECT_EQ(video.error().code, ErrorCode::Unsupported);
        EXPECT_NE(video.error().message.find(drm_format), std::string::npos);
        EXPECT_NE(video.error().message.find(std::string("drm-format=") +
                                             std::string(drm_format).substr(0, 4)),
                  std::string::npos)
            << video.error().message;
    }
}

TEST(DmabufCaps, translate_to_system_memory_and_back) {
    const Ref dmabufs(gst_caps_from_string(
        "video/x-raw(memory:DMABuf), format=DMA_DRM, "
        "drm-format={ (string)NV12, (string)YU12, (string)NV12:0x0100000000000002, (string)XXXX }, "
        "width=64"));
    const Ref system = gst::in_system_memory(dmabufs.get());
    const Ref wanted(gst_caps_from_string("video/x-raw, format={ NV12, I420 }, width=64"));
    EXPECT_TRUE(gst_caps_is_equal(system.get(), wanted.get()));
    const Ref back = gst::in_dmabufs(system.get());
    const Ref linear(gst_caps_from_string("video/x-raw(memory:DMABuf), format=DMA_DRM, "
                                          "drm-format={ (string)NV12, (string)YU12 }, width=64"));
    EXPECT_TRUE(gst_caps_is_equal(back.get(), linear.get()));
}

TEST(DmabufFrame, is_mapped_once_however_many_planes_it_has) {
    const std::string text = video_caps("I420", kFrameWidth, kFrameHeight);
    const WitnessMemory memory(make_frame(text).get());
    const Ref frame = memory.make_buffer();
    const Ref caps(gst_caps_from_string(text.c_str()));
    CopyLedger copies;
    const auto video = gst::parse_caps(caps.get());
    ASSERT_TRUE(video.has_value());
    {
        const auto mapped = gst::MappedFrame::read(frame.get(), *video, copies);
        ASSERT_TRUE(mapped.has_value());
        EXPECT_EQ(mapped->view().row(2, 0) - mapped->view().row(0, 0),
                  kFrameWidth * kFrameHeight * 5 / 4);
    }
    EXPECT_EQ(memory.reads(), 1U);
    EXPECT_EQ(copies.total_bytes(), 0U);
}

TEST(DmabufElements, work_in_place_on_dmabufs_and_keep_the_caps_feature) {
    const std::string plain = video_caps("NV12", kFrameWidth, kFrameHeight);
    const GstVideoInfo info = frame_info(GST_VIDEO_FORMAT_NV12);
    for (const Chain& chain : kInPlace) {
        SCOPED_TRACE(chain.elements);
        if (!model_file(chain.model)) {
            GTEST_SKIP() << "not in the cache: " << chain.model;
        }
        const ChainHarness harness(chain.elements);
        const std::string caps = dmabuf_caps("NV12", kFrameWidth, kFrameHeight);
        harness.set_caps(caps);
        std::uint64_t number = 0;
        for (const GstVideoFormat meta :
             {GST_VIDEO_FORMAT_UNKNOWN, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_DMA_DRM}) {
            Ref frame = in_file(make_frame(plain, number++), File::Dmabuf, meta, info);
            const ino_t before = inode(frame.get());
            const Ref out = harness.run(std::move(frame));
            ASSERT_TRUE(out);
            EXPECT_EQ(inode(out.get()), before);
            EXPECT_TRUE(gst_is_dmabuf_memory(gst_buffer_peek_memory(out.get(), 0)));
        }
        const Ref current(gst_pad_get_current_caps(harness.get()->sinkpad));
        const Ref wanted(gst_caps_from_string(caps.c_str()));
        EXPECT_TRUE(gst_caps_is_equal(current.get(), wanted.get()));
    }
}

TEST(DmabufElements, work_in_place_on_files_that_arrive_as_plain_video) {
    const std::string plain = video_caps("NV12", kFrameWidth, kFrameHeight);
    const GstVideoInfo info = frame_info(GST_VIDEO_FORMAT_NV12);
    for (const Chain& chain : kInPlace) {
        SCOPED_TRACE(chain.elements);
        if (!model_file(chain.model)) {
            GTEST_SKIP() << "not in the cache: " << chain.model;
        }
        const ChainHarness harness(chain.elements);
        harness.set_caps(plain);
        std::uint64_t number = 0;
        for (const File kind : {File::Dmabuf, File::Fd, File::Shm}) {
            for (const GstVideoFormat meta : {GST_VIDEO_FORMAT_UNKNOWN, GST_VIDEO_FORMAT_NV12}) {
                Ref frame = in_file(make_frame(plain, number++), kind, meta, info);
                const ino_t before = inode(frame.get());
                const Ref out = harness.run(std::move(frame));
                ASSERT_TRUE(out);
                EXPECT_EQ(inode(out.get()), before);
            }
        }
    }
}

TEST(DmabufElements, write_the_same_pixels_as_on_plain_memory) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string plain = video_caps("NV12", kFrameWidth, kFrameHeight);
    // Without a detector, fail-closed blackens every frame.
    const ChainHarness on_files("sluiceredact fail-closed=true");
    on_files.set_caps(dmabuf_caps("NV12", kFrameWidth, kFrameHeight));
    const Ref black = on_files.run(in_file(make_frame(plain), File::Dmabuf, GST_VIDEO_FORMAT_NV12,
                                           frame_info(GST_VIDEO_FORMAT_NV12)));
    const auto written = pixels(black.get(), plain);
    ASSERT_EQ(written.size(), static_cast<std::size_t>(kFrameWidth * kFrameHeight * 3 / 2));
    for (std::size_t i = 0; i < written.size(); ++i) {
        ASSERT_EQ(written[i], i < kFrameWidth * kFrameHeight ? 16 : 128) << i;
    }
}

TEST(DmabufElements, refuse_tiled_modifiers) {
    for (const char* name : {"sluicefacedetect", "sluicesegment", "sluicebackground",
                             "sluiceredact", "sluicesuperres", "sluiceinfer"}) {
        if (!model_file("face-detection-short-range.tflite") ||
            !model_file("selfie-segmentation-landscape.tflite") ||
            !model_file("anime4k-x2-s-rl.json")) {
            GTEST_SKIP() << "not in the cache: the default models";
        }
        const Harness harness(name, [&](GstElement* element) {
            if (std::string(name) == "sluiceinfer") { // has no default
                g_object_set(element, "model", "face-detection-short-range", nullptr);
            }
        });
        GstPad* pad = harness.get()->srcpad;
        const Ref linear(gst_caps_from_string(dmabuf_caps("NV12", 64, 48).c_str()));
        const Ref tiled(
            gst_caps_from_string(dmabuf_caps("NV12:0x0100000000000002", 64, 48).c_str()));
        EXPECT_TRUE(gst_pad_peer_query_accept_caps(pad, linear.get())) << name;
        EXPECT_FALSE(gst_pad_peer_query_accept_caps(pad, tiled.get())) << name;
        const Ref offered(gst_pad_peer_query_caps(pad, nullptr));
        EXPECT_TRUE(gst_caps_can_intersect(offered.get(), linear.get())) << name;
        EXPECT_FALSE(gst_caps_can_intersect(offered.get(), tiled.get())) << name;
    }
}

TEST(DmabufElements, key_only_dmabufs_with_alpha) {
    const Harness harness("sluicebackground", [](GstElement* element) {
        gst_util_set_object_arg(G_OBJECT(element), "effect", "key");
    });
    GstPad* pad = harness.get()->srcpad;
    const Ref alpha(gst_caps_from_string(dmabuf_caps("AB24", 64, 48).c_str()));
    const Ref opaque(gst_caps_from_string(dmabuf_caps("NV12", 64, 48).c_str()));
    EXPECT_TRUE(gst_pad_peer_query_accept_caps(pad, alpha.get()));
    EXPECT_FALSE(gst_pad_peer_query_accept_caps(pad, opaque.get()));
}

TEST(DmabufElements, enlarge_dmabufs_into_plain_memory) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    const std::string plain = video_caps("NV12", kFrameWidth, kFrameHeight);
    Harness on_memory("sluicesuperres");
    on_memory.set_caps(plain);
    const Ref wanted = on_memory.run(make_frame(plain));
    ASSERT_TRUE(wanted);

    Harness harness("sluicesuperres", [](GstElement* element) {
        g_object_set(element, "require-zero-copy", TRUE, nullptr);
    });
    gst_harness_set_sink_caps_str(harness.get(), "video/x-raw");
    harness.set_caps(dmabuf_caps("NV12", kFrameWidth, kFrameHeight));
    const Ref out = harness.run(in_file(make_frame(plain), File::Dmabuf, GST_VIDEO_FORMAT_DMA_DRM,
                                        frame_info(GST_VIDEO_FORMAT_NV12)));
    ASSERT_TRUE(out);
    const std::string twice = video_caps("NV12", 2 * kFrameWidth, 2 * kFrameHeight);
    EXPECT_EQ(pixels(out.get(), twice), pixels(wanted.get(), twice));
    EXPECT_EQ(harness.stat("copied-bytes"), 0U);
}

TEST(DmabufElements, enlarge_into_dmabufs_where_the_kernel_makes_them) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    const std::string plain = video_caps("NV12", kFrameWidth, kFrameHeight);
    Harness harness("sluicesuperres", [](GstElement* element) {
        g_object_set(element, "require-zero-copy", TRUE, nullptr);
    });
    gst_harness_set_sink_caps_str(harness.get(),
                                  "video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=NV12");
    if (!zero_copy::can_make_dmabufs()) {
        const Ref caps(gst_pad_peer_query_caps(harness.get()->srcpad, nullptr));
        EXPECT_TRUE(gst_caps_is_empty(caps.get()));
        GTEST_SKIP() << "this kernel makes no dmabufs: neither /dev/udmabuf nor /dev/dma_heap";
    }
    harness.set_caps(plain);
    const Ref out = harness.run(make_frame(plain));
    ASSERT_TRUE(out);
    EXPECT_TRUE(gst_is_dmabuf_memory(gst_buffer_peek_memory(out.get(), 0)));
    const GstVideoMeta* meta = gst_buffer_get_video_meta(out.get());
    ASSERT_NE(meta, nullptr);
    EXPECT_EQ(meta->stride[0] % 256, 0);
    Harness on_memory("sluicesuperres");
    on_memory.set_caps(plain);
    const Ref wanted = on_memory.run(make_frame(plain));
    const std::string twice = video_caps("NV12", 2 * kFrameWidth, 2 * kFrameHeight);
    EXPECT_EQ(pixels(out.get(), twice), pixels(wanted.get(), twice));
}

} // namespace
} // namespace sluice::testing
