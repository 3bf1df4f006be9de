// SPDX-License-Identifier: Apache-2.0
// memory:VulkanImage: elements that write, in place, with what the device copies for it counted.
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/vulkan_elements.h"
#include "tests/gst-plugins/vulkan_frames.h"

namespace sluice::testing {
namespace {

using VulkanImageWriters = VulkanImages;

constexpr int kImageWidth = 160;
constexpr int kImageHeight = 90;

std::uint64_t frame_bytes(const std::string& format) {
    return std::uint64_t{kImageWidth} * kImageHeight * (format == "NV12" ? 3 : 8) / 2;
}

// What plain memory gets on the CPU.
Ref<GstBuffer> on_cpu(const std::string& line, const std::string& caps, Ref<GstBuffer> frame) {
    ImageLine cpu(line + " name=it device=cpu", caps);
    return cpu.run(frame);
}

TEST_F(VulkanImageWriters, redact_as_the_cpu_does) {
    for (const std::string format : {"RGBA", "BGRA", "RGBx", "BGRx", "NV12"}) {
        const std::string caps = video_caps(format, kImageWidth, kImageHeight);
        for (const std::string effect : {"blur", "pixelate", "black"}) {
            SCOPED_TRACE(format + " " + effect);
            const std::string line = "sluiceredact effect=" + effect;
            ImageLine device("vulkanupload ! " + written_as(line) + " ! vulkandownload", caps);
            device.mark(add_faces);
            for (std::uint64_t i = 0; i < 3; ++i) {
                const Ref before = make_frame(caps, i);
                const Ref wanted = on_cpu(line, caps, with_faces(make_frame(caps, i)));
                const Ref out = device.run(before);
                ASSERT_TRUE(wanted);
                ASSERT_TRUE(out);
                EXPECT_LE(largest_difference(pixels(out.get(), caps), pixels(wanted.get(), caps)),
                          1);
                EXPECT_GT(largest_difference(pixels(out.get(), caps), pixels(before.get(), caps)),
                          10)
                    << "nothing was redacted";
            }
            EXPECT_EQ(device.stat("redacted-boxes"), 6U);
            // To the buffer and back, each frame, by the device; nothing by the host.
            EXPECT_EQ(device.stat("copied-bytes-on-device"), 3 * 2 * frame_bytes(format));
            EXPECT_EQ(device.stat("copied-bytes"), device.stat("copied-bytes-on-device"));
        }
    }
}

TEST_F(VulkanImageWriters, black_out_what_no_detector_looked_at) {
    for (const std::string format : {"RGBA", "NV12"}) {
        SCOPED_TRACE(format);
        const std::string caps = video_caps(format, kImageWidth, kImageHeight);
        const std::string line = "sluiceredact fail-closed=true";
        const Ref wanted = on_cpu(line, caps, make_frame(caps));
        ASSERT_TRUE(wanted);
        ImageLine device("vulkanupload ! " + written_as(line) + " ! vulkandownload", caps);
        for (int i = 0; i < 2; ++i) {
            const Ref out = device.run(make_frame(caps));
            ASSERT_TRUE(out);
            EXPECT_EQ(pixels(out.get(), caps), pixels(wanted.get(), caps));
        }
        EXPECT_EQ(device.stat("blacked-out-frames"), 2U);
    }
}

TEST_F(VulkanImageWriters, leave_images_without_faces_alone) {
    const std::string caps = video_caps("RGBA", kImageWidth, kImageHeight);
    ImageLine device("vulkanupload ! " + on_device_as("sluiceredact") + " ! vulkandownload", caps);
    const Ref frame = make_frame(caps);
    const Ref out = device.run(frame);
    ASSERT_TRUE(out);
    EXPECT_EQ(pixels(out.get(), caps), pixels(frame.get(), caps));
    EXPECT_EQ(device.stat("copied-bytes"), 0U);
}

TEST_F(VulkanImageWriters, blend_backgrounds_as_the_cpu_does) {
    SLUICE_NEED(picture, footage("coffee.png"));
    for (const std::string format : {"RGBA", "BGRx", "NV12"}) {
        const std::string caps = video_caps(format, kImageWidth, kImageHeight);
        for (const std::string effect : {"blur", "color", "picture"}) {
            SCOPED_TRACE(format + " " + effect);
            const std::string line =
                "sluicebackground blur-strength=0.05 color=0xff20c85a effect=" + effect +
                " picture=" + picture->string();
            ImageLine device("vulkanupload ! " + written_as(line) + " ! vulkandownload", caps);
            device.mark([](GstBuffer* frame) { add_mask(frame, kImageWidth, kImageHeight); });
            for (std::uint64_t i = 0; i < 3; ++i) {
                const Ref wanted =
                    on_cpu(line, caps, with_mask(make_frame(caps, i), kImageWidth, kImageHeight));
                const Ref out = device.run(make_frame(caps, i));
                ASSERT_TRUE(wanted);
                ASSERT_TRUE(out);
                EXPECT_LE(largest_difference(pixels(out.get(), caps), pixels(wanted.get(), caps)),
                          1);
                EXPECT_GT(largest_difference(pixels(out.get(), caps),
                                             pixels(make_frame(caps, i).get(), caps)),
                          10)
                    << "nothing was blended";
            }
            EXPECT_EQ(device.stat("copied-bytes-on-device"), 3 * 2 * frame_bytes(format));
            EXPECT_EQ(device.stat("copied-bytes"), device.stat("copied-bytes-on-device"));
        }
    }
}

TEST_F(VulkanImageWriters, blend_by_the_matte_that_lies_on_the_device) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    const std::string caps = video_caps("RGBA", 512, 512);
    const Ref still = picture_frame(*picture, caps);
    const std::string rest = " ! sluicebackground effect=color color=0xff00b140 name=it device=";
    ImageLine cpu("sluicesegment device=cpu" + rest + "cpu", caps);
    const Ref wanted = cpu.run(still);
    ASSERT_TRUE(wanted);
    const std::string device = "vulkan:" + vulkan_selector();
    ImageLine line("vulkanupload ! sluicesegment device=" + device + rest + device +
                       " ! vulkandownload",
                   caps);
    for (int i = 0; i < 2; ++i) {
        const Ref out = line.run(still);
        ASSERT_TRUE(out);
        // A matte that is a code apart moves a channel by as much.
        EXPECT_LE(largest_difference(pixels(out.get(), caps), pixels(wanted.get(), caps)), 3);
    }
    EXPECT_EQ(line.stat("mask-bytes-upload"), 0U) << "the matte crossed the host";
}

// All bytes but each pixel's last, which is the alpha of both formats.
void expect_same_colors(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
    ASSERT_EQ(a.size(), b.size());
    std::size_t changed = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        changed += i % 4 != 3 && a[i] != b[i] ? 1 : 0;
    }
    EXPECT_EQ(changed, 0U);
}

TEST_F(VulkanImageWriters, write_the_key_and_keep_the_colours) {
    for (const std::string format : {"RGBA", "BGRA"}) {
        SCOPED_TRACE(format);
        const std::string caps = video_caps(format, kImageWidth, kImageHeight);
        const std::string line = "sluicebackground effect=key";
        ImageLine device("vulkanupload ! " + written_as(line) + " ! vulkandownload", caps);
        device.mark([](GstBuffer* frame) { add_mask(frame, kImageWidth, kImageHeight); });
        for (std::uint64_t i = 0; i < 3; ++i) {
            const auto before = pixels(make_frame(caps, i).get(), caps);
            const Ref wanted =
                on_cpu(line, caps, with_mask(make_frame(caps, i), kImageWidth, kImageHeight));
            const Ref out = device.run(make_frame(caps, i));
            ASSERT_TRUE(wanted);
            ASSERT_TRUE(out);
            const auto keyed = pixels(out.get(), caps);
            EXPECT_LE(largest_difference(keyed, pixels(wanted.get(), caps)), 1);
            expect_same_colors(keyed, before);
            // The mask grows from left to right.
            EXPECT_LT(keyed[3], 10);
            EXPECT_GT(keyed[(4 * kImageWidth) - 1], 245);
        }
        EXPECT_EQ(device.stat("copied-bytes-on-device"), 3 * 2 * frame_bytes(format));
        EXPECT_EQ(device.stat("copied-bytes"), device.stat("copied-bytes-on-device"));
    }
}

TEST_F(VulkanImageWriters, write_the_key_from_the_matte_that_lies_on_the_device) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    const std::string caps = video_caps("BGRA", 512, 512);
    const Ref still = picture_frame(*picture, caps);
    const std::string rest = " ! sluicebackground effect=key name=it device=";
    const std::string device = "vulkan:" + vulkan_selector();
    // The same network, so that the mattes differ by the 8 bits of the host's only.
    ImageLine cpu("sluicesegment device=" + device + rest + "cpu", caps);
    const Ref wanted = cpu.run(still);
    ASSERT_TRUE(wanted);
    ImageLine line("vulkanupload ! sluicesegment device=" + device + rest + device +
                       " ! vulkandownload",
                   caps);
    for (int i = 0; i < 2; ++i) {
        const Ref out = line.run(still);
        ASSERT_TRUE(out);
        EXPECT_LE(largest_difference(pixels(out.get(), caps), pixels(wanted.get(), caps)), 1);
        EXPECT_GT(largest_difference(pixels(out.get(), caps), pixels(still.get(), caps)), 200)
            << "nothing was keyed";
        expect_same_colors(pixels(out.get(), caps), pixels(still.get(), caps));
    }
    EXPECT_EQ(line.stat("mask-bytes-upload"), 0U) << "the matte crossed the host";
}

TEST_F(VulkanImageWriters, take_images_with_alpha_only_for_a_key) {
    const ImageLine line("vulkanupload ! " + written_as("sluicebackground effect=key") +
                             " ! vulkandownload",
                         video_caps("RGBA", kImageWidth, kImageHeight));
    const Ref pad(gst_element_get_static_pad(line.it(), "sink"));
    const auto refused = [&](const std::string& format) {
        const Ref asked(
            gst_caps_from_string(video_caps(format, kImageWidth, kImageHeight).c_str()));
        gst_caps_set_features(asked.get(), 0, gst_caps_features_new("memory:VulkanImage", nullptr));
        return gst_pad_query_accept_caps(pad.get(), asked.get()) == FALSE;
    };
    EXPECT_FALSE(refused("RGBA"));
    EXPECT_FALSE(refused("BGRA"));
    EXPECT_TRUE(refused("RGBx"));
    EXPECT_TRUE(refused("NV12"));
}

TEST_F(VulkanImageWriters, enlarge_into_images_as_the_cpu_does) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    for (const std::string format : {"RGBA", "NV12"}) {
        SCOPED_TRACE(format);
        const std::string caps = video_caps(format, 96, 64);
        const std::string twice = video_caps(format, 192, 128);
        ImageLine device("vulkanupload ! " + written_as("sluicesuperres") + " ! vulkandownload",
                         caps);
        for (std::uint64_t i = 0; i < 3; ++i) {
            const Ref wanted = on_cpu("sluicesuperres", caps, make_frame(caps, i));
            const Ref out = device.run(make_frame(caps, i));
            ASSERT_TRUE(wanted);
            ASSERT_TRUE(out);
            EXPECT_LE(largest_difference(pixels(out.get(), twice), pixels(wanted.get(), twice)), 1);
        }
        EXPECT_EQ(device.stat("inferences"), 3U);
        // Sampled where it lies; the result goes from a buffer to its image.
        const std::uint64_t bytes = std::uint64_t{192} * 128 * (format == "NV12" ? 3 : 8) / 2;
        EXPECT_EQ(device.stat("copied-bytes-on-device"), 3 * bytes);
        EXPECT_EQ(device.stat("copied-bytes"), 3 * bytes);
    }
}

TEST_F(VulkanImageWriters, say_that_the_device_copies_where_no_copy_is_allowed) {
    const std::string caps = video_caps("RGBA", kImageWidth, kImageHeight);
    ImageLine line("vulkanupload ! " + on_device_as("sluiceredact") + " ! vulkandownload", caps);
    line.mark(add_faces);
    const std::string text = line.error_with(make_frame(caps));
    EXPECT_NE(text.find("on-device"), std::string::npos) << text;
    EXPECT_NE(text.find("by way of a buffer"), std::string::npos) << text;
}

// Written in place, an image would change for its other owner.
TEST_F(VulkanImageWriters, refuse_images_that_somebody_else_holds) {
    const std::string caps = video_caps("RGBA", kImageWidth, kImageHeight);
    ImageLine line("vulkanupload ! tee name=t ! queue ! fakesink async=false sync=false t. ! " +
                       written_as("sluiceredact") + " ! vulkandownload",
                   caps);
    line.mark(add_faces);
    const std::string text = line.error_with(make_frame(caps));
    EXPECT_NE(text.find("omebody else holds"), std::string::npos) << text;
    EXPECT_NE(text.find("vulkandownload"), std::string::npos) << text;
}

} // namespace
} // namespace sluice::testing
