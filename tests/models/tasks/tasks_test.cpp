// SPDX-License-Identifier: Apache-2.0
// The tasks on synthetic frames with the zoo's networks; what the pictures show is judged on real
// footage by tests/quality.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

#include <gtest/gtest.h>

#include "models/store/store.h"
#include "models/tasks/face_detection.h"
#include "models/tasks/segmentation.h"
#include "models/tasks/super_resolution.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/must.h"

namespace sluice::tasks {
namespace {

using sluice::testing::must;
using zero_copy::FrameFormat;
using zero_copy::FrameView;
using zero_copy::MutableFrameView;
using zero_copy::MutablePlane;
using zero_copy::PixelFormat;

// A frame with memory of its own and a smooth pattern in it.
struct OwnedFrame {
    explicit OwnedFrame(const FrameFormat& frame_format) : format(frame_format) {
        const auto& description = zero_copy::info(format.pixel_format);
        for (std::size_t p = 0; p < description.planes; ++p) {
            const std::size_t stride = zero_copy::row_bytes(description, p, format.width);
            memory.emplace_back(stride * zero_copy::plane_rows(description, p, format.height));
            for (std::size_t i = 0; i < memory[p].size(); ++i) {
                const auto x = static_cast<double>(i % stride);
                const auto y = static_cast<double>(i / stride);
                memory[p][i] = std::byte(static_cast<unsigned char>(
                    128.0 + 60.0 * std::sin(x / 9.0) * std::cos(y / 7.0)));
            }
            planes.push_back(
                {.data = memory[p].data(), .stride_bytes = stride, .size_bytes = memory[p].size()});
        }
    }
    [[nodiscard]] MutableFrameView view() const {
        return must(MutableFrameView::create(format, planes));
    }

    FrameFormat format;
    std::vector<std::vector<std::byte>> memory;
    std::vector<MutablePlane> planes;
};

bool have(std::string_view model) {
    return models::resolve(model).has_value();
}

#define SLUICE_NEEDS_MODEL(name)                                                                   \
    if (!have(name)) {                                                                             \
        GTEST_SKIP() << "weights are not in the store: " << (name);                                \
    }

TEST(FaceDetector, finds_nothing_in_a_flat_frame_and_follows_format_changes) {
    SLUICE_NEEDS_MODEL("face-detection-short-range");
    auto detector = must(FaceDetector::create({}));
    for (const auto format : {PixelFormat::Nv12, PixelFormat::Rgb, PixelFormat::P010}) {
        for (const std::uint32_t size : {1U, 37U, 320U}) {
            OwnedFrame frame({.pixel_format = format, .width = size, .height = size + 2});
            for (auto& plane : frame.memory) {
                std::ranges::fill(plane, std::byte{0x80});
            }
            EXPECT_TRUE(must(detector.detect(frame.view())).empty());
        }
    }
}

TEST(FaceDetector, reports_a_model_that_is_no_face_detector) {
    SLUICE_NEEDS_MODEL("selfie-segmentation");
    const auto detector = FaceDetector::create({.model = "selfie-segmentation"});
    ASSERT_FALSE(detector);
    EXPECT_EQ(detector.error().code, ErrorCode::Unsupported);
    EXPECT_NE(detector.error().message.find("896 anchors"), std::string::npos)
        << detector.error().message;
}

TEST(Segmenter, matte_is_a_probability_on_every_network) {
    for (const char* model :
         {"selfie-segmentation-landscape", "selfie-segmentation", "selfie-multiclass"}) {
        SLUICE_NEEDS_MODEL(model);
        auto segmenter = must(Segmenter::create({.model = model}));
        const OwnedFrame frame({.pixel_format = PixelFormat::I420, .width = 99, .height = 55});
        const auto result = must(segmenter.segment(frame.view()));
        ASSERT_EQ(result.matte.values.size(),
                  std::size_t{result.matte.width} * result.matte.height);
        for (const float value : result.matte.values) {
            ASSERT_TRUE(value >= 0.0F && value <= 1.0F) << value;
        }
        EXPECT_EQ(result.classes.size(),
                  segmenter.labels().size() > 1 ? result.matte.values.size() : 0U);
    }
}

// The strips' promise: a picture that needs many gives what one strip over all of it would.
TEST(Upscaler, strips_leave_no_seam) {
    SLUICE_NEEDS_MODEL("anime4k-x2-s");
    for (const char* model : {"anime4k-x2-s", "anime4k-x2-m"}) {
        auto upscaler = must(Upscaler::create({.model = model}));
        // Wide enough for several strips; the narrow copy of its first columns fits into one.
        const OwnedFrame wide({.pixel_format = PixelFormat::Gray8, .width = 1024, .height = 150});
        OwnedFrame narrow({.pixel_format = PixelFormat::Gray8, .width = 64, .height = 150});
        for (std::size_t y = 0; y < 150; ++y) {
            std::ranges::copy_n(wide.memory[0].begin() + static_cast<std::ptrdiff_t>(y * 1024), 64,
                                narrow.memory[0].begin() + static_cast<std::ptrdiff_t>(y * 64));
        }
        OwnedFrame wide_out({.pixel_format = PixelFormat::Gray8, .width = 2048, .height = 300});
        OwnedFrame narrow_out({.pixel_format = PixelFormat::Gray8, .width = 128, .height = 300});
        must(upscaler.upscale(wide.view(), wide_out.view()));
        must(upscaler.upscale(narrow.view(), narrow_out.view()));
        // The last columns differ by the padding at the narrow picture's right edge.
        for (std::size_t y = 0; y < 300; ++y) {
            for (std::size_t x = 0; x < 128 - 2 * 10; ++x) {
                const int a = std::to_integer<int>(wide_out.memory[0][y * 2048 + x]);
                const int b = std::to_integer<int>(narrow_out.memory[0][y * 128 + x]);
                ASSERT_LE(std::abs(a - b), 1) << model << " at " << x << "," << y;
            }
        }
    }
}

// Streams whose pictures change between a few sizes: none of them is prepared twice.
TEST(Upscaler, keeps_the_networks_of_sizes_that_alternate) {
    if (!testing::can_count_allocations()) {
        GTEST_SKIP() << "sanitizers bring their own allocator";
    }
    SLUICE_NEEDS_MODEL("anime4k-x2-s");
    auto upscaler = must(Upscaler::create({}));
    const OwnedFrame a({.pixel_format = PixelFormat::Gray8, .width = 64, .height = 48});
    const OwnedFrame b({.pixel_format = PixelFormat::Gray8, .width = 96, .height = 32});
    const OwnedFrame a_out({.pixel_format = PixelFormat::Gray8, .width = 128, .height = 96});
    const OwnedFrame b_out({.pixel_format = PixelFormat::Gray8, .width = 192, .height = 64});
    const auto views = std::array{a.view(), b.view()};
    const auto targets = std::array{a_out.view(), b_out.view()};
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        before = i == 2 ? testing::allocation_count() : before;
        ASSERT_TRUE(upscaler.upscale(views[i % 2], targets[i % 2]));
    }
    EXPECT_EQ(testing::allocation_count(), before);
}

TEST(Upscaler, refuses_an_output_of_another_size) {
    SLUICE_NEEDS_MODEL("anime4k-x2-s");
    auto upscaler = must(Upscaler::create({}));
    const OwnedFrame in({.pixel_format = PixelFormat::Nv12, .width = 32, .height = 32});
    const OwnedFrame out({.pixel_format = PixelFormat::Nv12, .width = 64, .height = 62});
    const auto status = upscaler.upscale(in.view(), out.view());
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message,
              "the output of a 32x32 frame must be 64x64 in the same format, not 64x62");
}

TEST(Tasks, second_frame_allocates_nothing) {
    if (!testing::can_count_allocations()) {
        GTEST_SKIP() << "sanitizers bring their own allocator";
    }
    SLUICE_NEEDS_MODEL("face-detection-short-range");
    SLUICE_NEEDS_MODEL("selfie-segmentation-landscape");
    SLUICE_NEEDS_MODEL("anime4k-x2-s");
    auto detector = must(FaceDetector::create({.tile_size = 128}));
    auto segmenter = must(Segmenter::create({}));
    auto upscaler = must(Upscaler::create({}));
    const OwnedFrame in({.pixel_format = PixelFormat::Nv12, .width = 320, .height = 180});
    const OwnedFrame out({.pixel_format = PixelFormat::Nv12, .width = 640, .height = 360});
    const auto frame = in.view();
    const auto target = out.view();
    std::uint64_t before = 0;
    for (int round = 0; round < 3; ++round) {
        if (round == 1) {
            before = testing::allocation_count();
        }
        ASSERT_TRUE(detector.detect(frame));
        ASSERT_TRUE(segmenter.segment(frame));
        ASSERT_TRUE(upscaler.upscale(frame, target));
    }
    EXPECT_EQ(testing::allocation_count(), before);
}

} // namespace
} // namespace sluice::tasks
