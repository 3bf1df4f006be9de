// SPDX-License-Identifier: Apache-2.0
// The table of formats, and what a frame view refuses.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/zero_copy/test_frame.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/sample_group.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

TEST(PixelFormat, table_is_indexed_by_the_enumeration_and_found_by_name) {
    ASSERT_EQ(formats().size(), all_formats().size());
    for (std::size_t i = 0; i < formats().size(); ++i) {
        const FormatInfo& row = formats()[i];
        EXPECT_EQ(static_cast<std::size_t>(row.format), i);
        EXPECT_EQ(&info(row.format), &row);
        EXPECT_EQ(format_from_gst_name(row.gst_name), row.format);
        EXPECT_EQ(row.drm_fourcc.size(), 4U);
        EXPECT_EQ(format_from_fourcc(fourcc_code(row)), row.format);
    }
    // The numbers of drm_fourcc.h: fourcc_code('N', 'V', '1', '2') and fourcc_code('R', '8', ' ', '
    // ').
    EXPECT_EQ(fourcc_code(info(PixelFormat::Nv12)), 0x3231564EU);
    EXPECT_EQ(fourcc_code(info(PixelFormat::Gray8)), 0x20203852U);
    EXPECT_EQ(format_from_fourcc(0), std::nullopt);
    EXPECT_EQ(format_from_gst_name("NV13"), std::nullopt);
    EXPECT_EQ(format_from_gst_name(""), std::nullopt);
}

TEST(PixelFormat, planes_have_the_sizes_that_the_formats_define) {
    for (const PixelFormat format : all_formats()) {
        for (const std::uint32_t width : {1U, 2U, 3U, 8U, 641U}) {
            for (const std::uint32_t height : {1U, 2U, 7U}) {
                const TestFrame frame({format, width, height, {}}, 0);
                ASSERT_EQ(frame.planes.size(), info(format).planes);
                for (std::size_t plane = 0; plane < frame.planes.size(); ++plane) {
                    EXPECT_EQ(row_bytes(info(format), plane, width), frame.strides[plane])
                        << describe(frame.format());
                    EXPECT_EQ(plane_rows(info(format), plane, height) * frame.strides[plane],
                              frame.planes[plane].size())
                        << describe(frame.format());
                }
            }
        }
    }
    const std::uint32_t largest = 1U << 28U;
    EXPECT_EQ(row_bytes(info(PixelFormat::Bgra), 0, largest), std::size_t{1} << 30U);
    EXPECT_EQ(plane_rows(info(PixelFormat::Nv12), 1, std::numeric_limits<std::uint32_t>::max()),
              1U << 31U);
}

TEST(FrameView, accepts_a_tight_last_row_and_refuses_a_byte_less) {
    for (const PixelFormat format : all_formats()) {
        for (const std::size_t padding : {0U, 6U}) {
            TestFrame frame({format, 13, 7, {}}, padding);
            EXPECT_EQ(frame.view().width(), 13U);
            for (std::size_t plane = 0; plane < frame.planes.size(); ++plane) {
                std::vector<Plane> memory;
                for (std::size_t i = 0; i < frame.planes.size(); ++i) {
                    memory.push_back({frame.planes[i].data(), frame.strides[i],
                                      frame.planes[i].size() - (i == plane ? 1 : 0)});
                }
                const auto result = FrameView::create(frame.format(), memory);
                ASSERT_FALSE(result);
                EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
                EXPECT_NE(result.error().message.find("plane " + std::to_string(plane)),
                          std::string::npos)
                    << result.error().message;
            }
        }
    }
}

TEST(FrameView, refuses_what_no_frame_can_have) {
    std::vector<std::byte> memory(4096);
    const Plane plane{memory.data(), 64, memory.size()};
    const auto refused = [](const FrameFormat& format, const std::vector<Plane>& planes) {
        const auto result = FrameView::create(format, planes);
        return !result && result.error().code == ErrorCode::InvalidArgument;
    };
    const FrameFormat good{PixelFormat::Nv12, 16, 16, {}};
    EXPECT_FALSE(refused(good, {plane, plane}));
    EXPECT_TRUE(refused(good, {plane}));
    EXPECT_TRUE(refused(good, {plane, plane, plane}));
    EXPECT_TRUE(refused(good, {plane, {nullptr, 64, 4096}}));
    EXPECT_TRUE(refused(good, {plane, {memory.data(), 15, 4096}}));
    EXPECT_TRUE(refused({PixelFormat::Nv12, 0, 16, {}}, {plane, plane}));
    EXPECT_TRUE(refused({PixelFormat::Nv12, 16, 0, {}}, {plane, plane}));
    EXPECT_TRUE(refused({PixelFormat::Nv12, 1U << 31U, 1, {}}, {plane, plane}));
    EXPECT_TRUE(refused({static_cast<PixelFormat>(14), 16, 16, {}}, {plane, plane}));
    // A stride whose product with the rows does not fit a size_t.
    const std::size_t huge = std::numeric_limits<std::size_t>::max() / 8;
    EXPECT_TRUE(refused({PixelFormat::Gray8, 16, 16, {}}, {{memory.data(), huge, huge}}));
    // Samples of two bytes at odd addresses.
    const FrameFormat ten{PixelFormat::P010, 8, 8, {}};
    EXPECT_FALSE(refused(ten, {plane, plane}));
    EXPECT_TRUE(refused(ten, {{memory.data() + 1, 64, 4000}, plane}));
    EXPECT_TRUE(refused(ten, {plane, {memory.data(), 33, 4000}}));
}

TEST(SampleGroup, groups_cover_every_component_once) {
    for (const FormatInfo& format : formats()) {
        int components = 0;
        for (const SampleGroup& group : sample_groups(format.format)) {
            for (std::size_t lane = 0; lane < group.lanes; ++lane) {
                const int component = group.component_of_lane[lane];
                if (component < 0) {
                    continue;
                }
                ++components;
                const Component& place = format.components[static_cast<std::size_t>(component)];
                EXPECT_EQ(place.plane, group.plane);
                EXPECT_EQ(place.step_bytes, group.step_bytes());
                EXPECT_EQ(place.offset_bytes, lane * group.sample_bytes());
            }
        }
        int present = 0;
        for (const Component& component : format.components) {
            present += component.present ? 1 : 0;
        }
        EXPECT_EQ(components, present) << format.gst_name;
    }
}

} // namespace sluice::testing
