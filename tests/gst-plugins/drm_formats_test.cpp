// SPDX-License-Identifier: Apache-2.0
// Which tiled dmabufs go into caps, for devices that are described only, and what their frames are.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <gst/allocators/allocators.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/drm_formats.h"
#include "gst-plugins/common/external_frame.h"
#include "gst-plugins/common/frame.h"
#include "tests/gst-plugins/support.h"
#include "zero_copy/import_plan.h"

namespace sluice::testing {
namespace {

using vulkan::DeviceProfile;
using vulkan::ModifierSupport;

// vulkan_core.h's numbers.
constexpr std::uint32_t kR8 = 9;
constexpr std::uint32_t kRg8 = 16;
constexpr std::uint32_t kRgba8 = 37;
constexpr std::uint32_t kBgra8 = 44;
constexpr std::uint32_t kTwoPlane420 = 1000156003;

DeviceProfile gpu(std::vector<ModifierSupport> modifiers) {
    DeviceProfile out;
    out.type = vulkan::DeviceType::Integrated;
    out.import_fd = true;
    out.import_dma_buf = true;
    out.drm_modifiers = true;
    out.modifiers = std::move(modifiers);
    return out;
}

// Linear, Y-tiled, Y-tiled with compression for colours, and for video.
DeviceProfile intel() {
    std::vector<ModifierSupport> list;
    for (const std::uint64_t modifier : {0x0ULL, 0x0100000000000002ULL}) {
        for (const std::uint32_t format : {kR8, kRg8, kRgba8, kBgra8}) {
            list.push_back({format, modifier, 1, true, true});
        }
    }
    for (const std::uint32_t format : {kRgba8, kBgra8}) {
        list.push_back({format, 0x0100000000000004ULL, 2, true, false});
    }
    list.push_back({kTwoPlane420, 0x0100000000000007ULL, 4, true, false});
    return gpu(std::move(list));
}

using Names = std::vector<std::string>;

TEST(TiledDrmFormats, are_those_that_the_device_samples_plane_by_plane_or_as_a_whole) {
    EXPECT_EQ(
        gst::tiled_drm_formats(intel()),
        (Names{"NV12:0x0100000000000002", "NV12:0x0100000000000007", "NV21:0x0100000000000002",
               "NV21:0x0100000000000007", "YU12:0x0100000000000002", "YV12:0x0100000000000002",
               "AB24:0x0100000000000002", "AB24:0x0100000000000004", "AR24:0x0100000000000002",
               "AR24:0x0100000000000004", "XB24:0x0100000000000002", "XB24:0x0100000000000004",
               "XR24:0x0100000000000002", "XR24:0x0100000000000004", "R8  :0x0100000000000002"}));
}

TEST(TiledDrmFormats, are_none_where_the_device_has_linear_ones_only_or_cannot_import) {
    EXPECT_TRUE(gst::tiled_drm_formats(gpu({{kR8, 0, 1, true, true}})).empty());
    EXPECT_TRUE(gst::tiled_drm_formats(gpu({})).empty());
    DeviceProfile without = intel();
    without.drm_modifiers = false;
    EXPECT_TRUE(gst::tiled_drm_formats(without).empty());
    without = intel();
    without.import_dma_buf = false;
    EXPECT_TRUE(gst::tiled_drm_formats(without).empty());
    // What it writes but does not sample, or has planes without number.
    EXPECT_TRUE(gst::tiled_drm_formats(gpu({{kR8, 0x0100000000000002ULL, 1, false, true},
                                            {kRgba8, 0x0100000000000004ULL, 9, true, true}}))
                    .empty());
    // Arm's compression, of NV12 in one memory plane, and of colours.
    EXPECT_EQ(gst::tiled_drm_formats(gpu({{kTwoPlane420, 0x0800000000000041ULL, 1, true, false}})),
              (Names{"NV12:0x0800000000000041", "NV21:0x0800000000000041"}));
}

TEST(TiledDrmFormats, come_first_in_caps_and_linear_ones_stay) {
    const Names tiled = gst::tiled_drm_formats(intel());
    const Ref caps = gst::readable_caps(tiled);
    const Ref linear = gst::readable_caps();
    EXPECT_TRUE(gst_caps_is_subset(linear.get(), caps.get()));
    const GValue* list =
        gst_structure_get_value(gst_caps_get_structure(caps.get(), 0), "drm-format");
    ASSERT_EQ(gst_value_list_get_size(list), tiled.size() + zero_copy::formats().size());
    for (guint i = 0; i < tiled.size(); ++i) {
        EXPECT_EQ(g_value_get_string(gst_value_list_get_value(list, i)), tiled[i]);
    }
}

TEST(TiledDrmFormats, that_are_unknown_are_refused_with_those_that_are_known) {
    const Names tiled = gst::tiled_drm_formats(intel());
    const std::string said = gst::unknown_modifier("AR24:0x0200000000000901", "AR24", tiled);
    EXPECT_NE(said.find("AR24:0x0200000000000901"), std::string::npos) << said;
    EXPECT_NE(said.find("(AR24, AR24:0x0100000000000002, AR24:0x0100000000000004)"),
              std::string::npos)
        << said;
}

class TiledFrames : public ::testing::Test {
protected:
    TiledFrames() {
        const Ref caps(gst_caps_from_string(
            "video/x-raw(memory:DMABuf), format=DMA_DRM, "
            "drm-format=(string)NV12:0x0100000000000007, width=128, height=96, framerate=25/1"));
        auto video = gst::parse_caps(caps.get(), gst::Modifiers::Any);
        EXPECT_TRUE(video.has_value()) << video.error().message;
        video_ = *video;
    }

    // A memfd stands in for the dmabuf. NV12, and compression data of both planes.
    static Ref<GstBuffer> make(std::span<const gsize> offsets) {
        constexpr gsize kBytes = 1U << 18U;
        const Ref allocator(gst_dmabuf_allocator_new());
        const int fd = memfd_create("tiled", MFD_CLOEXEC);
        EXPECT_EQ(ftruncate(fd, kBytes), 0);
        Ref out(gst_buffer_new());
        gst_buffer_append_memory(out.get(),
                                 gst_dmabuf_allocator_alloc(allocator.get(), fd, kBytes));
        if (!offsets.empty()) {
            std::array<gsize, 4> places{};
            std::ranges::copy(offsets, places.begin());
            std::array<gint, 4> strides{512, 512, 64, 64};
            gst_buffer_add_video_meta_full(
                out.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_DMA_DRM, 128, 96,
                static_cast<guint>(offsets.size()), places.data(), strides.data());
        }
        return out;
    }
    [[nodiscard]] Result<gst::BufferFrame> look(GstBuffer* buffer) {
        return gst::BufferFrame::create(buffer, video_, zero_copy::CpuAccess::Read,
                                        gst::HostSees::PlainMemory, serials_, copies_);
    }

    gst::Video video_;
    gst::MemorySerials serials_;
    CopyLedger copies_;
};

constexpr std::array<gsize, 4> kOffsets{0, 65536, 131072, 196608};

TEST_F(TiledFrames, have_the_picture_s_format_and_the_modifier_s_planes) {
    EXPECT_EQ(video_.format.pixel_format, zero_copy::PixelFormat::Nv12);
    EXPECT_EQ(video_.modifier, 0x0100000000000007ULL);
    const Ref buffer = make(kOffsets);
    const auto described = look(buffer.get());
    ASSERT_TRUE(described.has_value()) << described.error().message;
    const auto& frame = described->frame();
    EXPECT_EQ(frame.modifier(), 0x0100000000000007ULL);
    ASSERT_EQ(frame.planes().size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(frame.planes()[i].offset_bytes, kOffsets[i]);
        EXPECT_EQ(frame.planes()[i].stride_bytes, i < 2 ? 512U : 64U);
    }
    const DeviceProfile profile = intel();
    const auto plan = zero_copy::import_plan(frame, {.profile = &profile});
    ASSERT_TRUE(plan.has_value()) << plan.error().message;
    EXPECT_EQ(plan->method, zero_copy::ImportMethod::ModifierImage);
}

TEST_F(TiledFrames, must_say_where_their_planes_lie) {
    const Ref silent = make({});
    const auto refused = look(silent.get());
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("GstVideoMeta"), std::string::npos);
    constexpr std::array<gsize, 2> kBeyond{0, 1U << 20U};
    const Ref beyond = make(kBeyond);
    EXPECT_FALSE(look(beyond.get()).has_value());
}

TEST_F(TiledFrames, are_not_read_by_the_cpu) {
    const Ref buffer = make(kOffsets);
    const auto mapped = gst::MappedFrame::read(buffer.get(), video_, copies_);
    ASSERT_FALSE(mapped.has_value());
    EXPECT_EQ(mapped.error().code, ErrorCode::Unsupported);
    EXPECT_NE(mapped.error().message.find("0x0100000000000007"), std::string::npos);
}

} // namespace
} // namespace sluice::testing
