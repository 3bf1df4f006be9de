// SPDX-License-Identifier: Apache-2.0
// Elements that write frames, on a Vulkan device: the CPU's pixels, in the memory that was given.
#include <algorithm>
#include <cstdlib>

#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/vulkan_elements.h"
#include "tests/gst-plugins/vulkan_frames.h"

namespace sluice::testing {
namespace {

using VulkanWriters = VulkanElements;

TEST_F(VulkanWriters, redact_as_the_cpu_does) {
    SLUICE_NEED_MEMFDS();
    if (!takes_plain_memory()) {
        GTEST_SKIP() << "the device imports no plain memory";
    }
    const std::string caps = video_caps("NV12", 160, 90);
    for (const char* effect : {"blur", "pixelate", "black"}) {
        SCOPED_TRACE(effect);
        const auto setup = [&](const std::string& device) {
            return [=](GstElement* element) {
                on(device)(element);
                gst_util_set_object_arg(G_OBJECT(element), "effect", effect);
            };
        };
        Harness cpu("sluiceredact", setup("cpu"));
        cpu.set_caps(caps);
        Harness harness("sluiceredact", setup("vulkan:" + vulkan_selector()));
        harness.set_caps(caps);
        for (std::uint64_t i = 0; i < 3; ++i) {
            const Ref wanted = cpu.run(with_faces(make_frame(caps, i)));
            ASSERT_TRUE(wanted);
            Ref frame = with_faces(
                in_file(make_frame(caps, i), File::Fd, GST_VIDEO_FORMAT_NV12, info_of(caps)));
            const ino_t before = inode(frame.get());
            const Ref out = harness.run(std::move(frame));
            ASSERT_TRUE(out);
            EXPECT_EQ(inode(out.get()), before);
            EXPECT_LE(largest_difference(pixels(out.get(), caps), pixels(wanted.get(), caps)), 1);
            EXPECT_GT(largest_difference(pixels(out.get(), caps),
                                         pixels(make_frame(caps, i).get(), caps)),
                      10)
                << "nothing was redacted";
            const Ref plain = harness.run(with_faces(make_frame(caps, i)));
            ASSERT_TRUE(plain);
            EXPECT_EQ(pixels(plain.get(), caps), pixels(out.get(), caps));
        }
        EXPECT_EQ(harness.stat("copied-bytes"), 0U);
        EXPECT_EQ(harness.stat("redacted-boxes"), 12U);
    }
}

TEST_F(VulkanWriters, blend_backgrounds_as_the_cpu_does) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(picture, footage("coffee.png"));
    const std::string caps = video_caps("RGBA", 160, 90);
    for (const char* effect : {"color", "blur", "picture", "key"}) {
        SCOPED_TRACE(effect);
        const auto setup = [&](const std::string& device) {
            return [=, path = picture->string()](GstElement* element) {
                on(device)(element);
                gst_util_set_object_arg(G_OBJECT(element), "effect", effect);
                g_object_set(element, "picture", path.c_str(), "blur-strength", 0.05, nullptr);
            };
        };
        Harness cpu("sluicebackground", setup("cpu"));
        cpu.set_caps(caps);
        Harness harness("sluicebackground", setup("vulkan:" + vulkan_selector()));
        harness.set_caps(caps);
        for (std::uint64_t i = 0; i < 3; ++i) {
            if (i == 2) { // another look while playing
                for (const Harness* one : {&cpu, &harness}) {
                    g_object_set(one->element(), "color", 0xff20c85aU, "blur-strength", 0.02,
                                 nullptr);
                }
            }
            const Ref wanted = cpu.run(with_mask(make_frame(caps, i), 160, 90));
            ASSERT_TRUE(wanted);
            Ref frame = with_mask(
                in_file(make_frame(caps, i), File::Fd, GST_VIDEO_FORMAT_RGBA, info_of(caps)), 160,
                90);
            const ino_t before = inode(frame.get());
            const Ref out = harness.run(std::move(frame));
            ASSERT_TRUE(out);
            EXPECT_EQ(inode(out.get()), before);
            EXPECT_LE(largest_difference(pixels(out.get(), caps), pixels(wanted.get(), caps)), 1);
            EXPECT_GT(largest_difference(pixels(out.get(), caps),
                                         pixels(make_frame(caps, i).get(), caps)),
                      10)
                << "nothing was blended";
        }
        EXPECT_EQ(harness.stat("copied-bytes"), 0U);
    }
}

// Written where it lies, a shared frame would change for its other owner.
TEST_F(VulkanWriters, duplicate_memory_that_somebody_else_holds_and_count_it) {
    const std::string caps = video_caps("NV12", 160, 90);
    Harness harness("sluiceredact", [](GstElement* element) {
        on_device()(element);
        g_object_set(element, "require-zero-copy", FALSE, nullptr);
    });
    harness.set_caps(caps);
    const Ref kept = make_frame(caps);
    const auto before = pixels(kept.get(), caps);
    const Ref out = harness.run(with_faces(Ref(gst_buffer_copy(kept.get()))));
    ASSERT_TRUE(out);
    EXPECT_EQ(pixels(kept.get(), caps), before);
    EXPECT_NE(pixels(out.get(), caps), before);
    EXPECT_EQ(harness.stat("copied-bytes-not-writable"), 160U * 90U * 3U / 2U);
}

TEST_F(VulkanWriters, enlarge_as_the_cpu_does) {
    SLUICE_NEED_MEMFDS();
    if (!takes_plain_memory()) {
        GTEST_SKIP() << "the device cannot write plain memory, which the element's output is";
    }
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    const std::string caps = video_caps("NV12", 96, 64);
    const std::string twice = video_caps("NV12", 192, 128);
    Harness cpu("sluicesuperres", on("cpu"));
    cpu.set_caps(caps);
    Harness harness("sluicesuperres", on_device());
    harness.set_caps(caps);
    for (std::uint64_t i = 0; i < 3; ++i) {
        const Ref wanted = cpu.run(make_frame(caps, i));
        ASSERT_TRUE(wanted);
        const Ref out = harness.run(
            in_file(make_frame(caps, i), File::Fd, GST_VIDEO_FORMAT_NV12, info_of(caps)));
        ASSERT_TRUE(out);
        EXPECT_LE(largest_difference(pixels(out.get(), twice), pixels(wanted.get(), twice)), 1);
    }
    EXPECT_EQ(harness.stat("inferences"), 3U);
    EXPECT_EQ(harness.stat("copied-bytes"), 0U);
}

} // namespace
} // namespace sluice::testing
