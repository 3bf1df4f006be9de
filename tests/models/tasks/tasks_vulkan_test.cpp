// SPDX-License-Identifier: Apache-2.0
// The tasks on a Vulkan device, on frames that a producer shares: as on the CPU, in the producer's
// memory, and without a copy.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/copy_ledger.h"
#include "models/store/store.h"
#include "models/tasks/background.h"
#include "models/tasks/face_detection.h"
#include "models/tasks/redaction.h"
#include "models/tasks/segmentation.h"
#include "models/tasks/super_resolution.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "tests/zero_copy/shared_frame.h"
#include "tests/zero_copy/test_frame.h"

namespace sluice::tasks {
namespace {

using sluice::testing::must;
using sluice::testing::SharedFrame;
using sluice::testing::TestFrame;
using zero_copy::ExternalFrame;
using zero_copy::FrameFormat;
using zero_copy::PixelFormat;

class TasksOnDevice : public sluice::testing::VulkanTest {
protected:
    static EngineOptions on_device() {
        EngineOptions options;
        options.device = {DeviceKind::Vulkan, sluice::testing::vulkan_selector()};
        return options;
    }
    static EngineOptions on_cpu() {
        EngineOptions options;
        options.device = DeviceKind::Cpu;
        return options;
    }
    CopyLedger ledger_;
};

#define SLUICE_NEEDS_MODEL(name)                                                                   \
    if (!models::resolve(name)) {                                                                  \
        GTEST_SKIP() << "weights are not in the store: " << (name);                                \
    }

// Smooth, with something of everything in it, and different for each `seed`.
void fill_pattern(TestFrame& frame, int seed) {
    for (int c = 0; c < 3 && frame.has(c); ++c) {
        for (int y = 0; y < frame.rows(c); ++y) {
            for (int x = 0; x < frame.columns(c); ++x) {
                frame.set_code(c, x, y,
                               static_cast<int>(128.0 + (60.0 * std::sin((x + (9 * seed)) / 9.0) *
                                                         std::cos((y + (c * 5)) / 7.0))));
            }
        }
    }
}

} // namespace

TEST_F(TasksOnDevice, upscaler_writes_into_the_producer_s_memory) {
    SLUICE_NEEDS_MODEL("anime4k-x2-s");
    auto device = must(Upscaler::create({.engine = on_device()}));
    auto cpu = must(Upscaler::create({.engine = on_cpu()}));
    const FrameFormat format{PixelFormat::Nv12, 96, 64, {}};
    TestFrame input(format, 0);
    TestFrame output({PixelFormat::Nv12, 192, 128, {}}, 0);
    SharedFrame from(input);
    const SharedFrame to(output);
    const ExternalFrame in = from.frame();
    const ExternalFrame out = to.frame();
    for (int i = 0; i < 3; ++i) {
        fill_pattern(input, i);
        from.write(input); // after the import, from the second time on
        const auto done = device.upscale(in, out, ledger_);
        ASSERT_TRUE(done) << done.error().message;
        ASSERT_TRUE(cpu.upscale(input.view(), output.view()));
        TestFrame seen = output;
        to.read(seen);
        EXPECT_LE(largest_difference(seen, output), 1) << "frame " << i;
    }
    EXPECT_EQ(ledger_.total_bytes(), 0U);
}

TEST_F(TasksOnDevice, faces_are_those_of_the_cpu) {
    SLUICE_NEEDS_MODEL("face-detection-short-range");
    // So low that the pattern has some.
    auto device = must(FaceDetector::create({.engine = on_device(), .score_threshold = 0.02F}));
    auto cpu = must(FaceDetector::create({.engine = on_cpu(), .score_threshold = 0.02F}));
    EXPECT_TRUE(device.runs_on_device());
    EXPECT_FALSE(cpu.runs_on_device());
    TestFrame frame({PixelFormat::I420, 320, 180, {}}, 0);
    SharedFrame shared(frame);
    const ExternalFrame external = shared.frame();
    std::size_t found = 0;
    for (int i = 0; i < 3; ++i) {
        fill_pattern(frame, i);
        shared.write(frame);
        const auto here = device.detect(external, ledger_);
        ASSERT_TRUE(here) << here.error().message;
        const auto there = must(cpu.detect(frame.view()));
        ASSERT_EQ(here->size(), there.size());
        for (std::size_t k = 0; k < there.size(); ++k) {
            EXPECT_NEAR((*here)[k].score, there[k].score, 0.002);
            EXPECT_NEAR((*here)[k].x, there[k].x, 0.2);
            EXPECT_NEAR((*here)[k].width, there[k].width, 0.2);
            ++found;
        }
    }
    EXPECT_GT(found, 0U);
    EXPECT_EQ(ledger_.total_bytes(), 0U);
}

TEST_F(TasksOnDevice, backgrounds_are_blended_where_the_frame_lies) {
    constexpr std::string_view kModel = "selfie-segmentation-landscape";
    SLUICE_NEEDS_MODEL(kModel);
    auto device = must(Segmenter::create({.model = std::string(kModel), .engine = on_device()}));
    auto cpu = must(Segmenter::create({.model = std::string(kModel), .engine = on_cpu()}));
    EXPECT_TRUE(device.runs_on_device());
    EXPECT_FALSE(cpu.runs_on_device());
    TestFrame frame({PixelFormat::Nv12, 160, 90, {}}, 0);
    SharedFrame here(frame);
    SharedFrame there(frame);
    const ExternalFrame on_device_frame = here.frame();
    const ExternalFrame on_cpu_frame = there.frame();
    for (const auto effect :
         {zero_copy::BackgroundEffect::Color, zero_copy::BackgroundEffect::Blur}) {
        device.set_background({.effect = effect, .blur_sigma = 0.05, .color = {20, 200, 90}});
        cpu.set_background({.effect = effect, .blur_sigma = 0.05, .color = {20, 200, 90}});
        for (int i = 0; i < 2; ++i) {
            fill_pattern(frame, i);
            here.write(frame);
            there.write(frame);
            const auto blended = device.blend_background(on_device_frame, ledger_);
            ASSERT_TRUE(blended) << blended.error().message;
            ASSERT_TRUE(cpu.blend_background(on_cpu_frame, ledger_));
            TestFrame a = frame;
            TestFrame b = frame;
            here.read(a);
            there.read(b);
            EXPECT_GT(largest_difference(a, frame), 10) << "nothing was blended";
            // The CPU's matte is rounded to 8 bits: half a 255th of the contrast, and a rounding.
            EXPECT_LE(largest_difference(a, b), 2);
        }
    }
    EXPECT_EQ(ledger_.total_bytes(), 0U);
}

TEST_F(TasksOnDevice, a_matte_that_stays_there_blends_as_one_by_way_of_the_host) {
    constexpr std::string_view kModel = "selfie-segmentation-landscape";
    SLUICE_NEEDS_MODEL(kModel);
    auto segmenter = must(Segmenter::create({.model = std::string(kModel), .engine = on_device()}));
    ASSERT_TRUE(segmenter.runs_on_device());
    const auto matte = must(zero_copy::DeviceMatte::create(
        segmenter.device(), segmenter.matte_width(), segmenter.matte_height()));
    auto by_device = must(FrameBackground::create(sluice::testing::vulkan_selector()));
    auto by_host = must(FrameBackground::create(sluice::testing::vulkan_selector()));
    const zero_copy::BackgroundSettings green{.effect = zero_copy::BackgroundEffect::Color,
                                              .color = {20, 200, 90}};
    by_device.set_background(green);
    by_host.set_background(green);
    TestFrame frame({PixelFormat::Nv12, 160, 90, {}}, 0);
    SharedFrame here(frame);
    SharedFrame there(frame);
    std::vector<std::uint8_t> mask(std::size_t{matte->width()} * matte->height());
    for (int i = 0; i < 3; ++i) {
        fill_pattern(frame, i);
        here.write(frame);
        there.write(frame);
        must(segmenter.segment(here.frame(), ledger_, *matte));
        must(by_device.run(here.frame(), *matte, ledger_));

        const auto seen = must(segmenter.segment(there.frame(), ledger_));
        const auto kept = must(matte->read());
        ASSERT_TRUE(std::ranges::equal(kept, seen.matte.values));
        std::ranges::transform(kept, mask.begin(), [](float value) {
            return static_cast<std::uint8_t>(std::lround(255.0F * value));
        });
        must(by_host.run(there.frame(),
                         {.data = mask.data(),
                          .stride_bytes = matte->width(),
                          .width = matte->width(),
                          .height = matte->height()},
                         ledger_));
        TestFrame a = frame;
        TestFrame b = frame;
        here.read(a);
        there.read(b);
        EXPECT_GT(largest_difference(a, frame), 10) << "nothing was blended";
        // The host's mask has 8 bits: half a 255th of the contrast, and a rounding.
        EXPECT_LE(largest_difference(a, b), 2);
    }
    EXPECT_EQ(ledger_.total_bytes(), 0U);
    const auto wrong = must(zero_copy::DeviceMatte::create(segmenter.device(), 3, 5));
    const auto refused = segmenter.segment(here.frame(), ledger_, *wrong);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
}

TEST_F(TasksOnDevice, masks_of_a_multi_class_network_stay_there_and_are_the_host_s) {
    constexpr std::string_view kModel = "selfie-multiclass";
    SLUICE_NEEDS_MODEL(kModel);
    auto segmenter = must(Segmenter::create({.model = std::string(kModel), .engine = on_device()}));
    auto cpu = must(Segmenter::create({.model = std::string(kModel), .engine = on_cpu()}));
    ASSERT_TRUE(segmenter.runs_on_device());
    const std::uint32_t width = segmenter.matte_width();
    const std::uint32_t height = segmenter.matte_height();
    const auto matte = must(zero_copy::DeviceMatte::create(segmenter.device(), width, height));
    const auto alone = must(zero_copy::DeviceMatte::create(segmenter.device(), width, height));
    const auto map = must(zero_copy::DeviceClasses::create(segmenter.device(), width, height));
    TestFrame frame({PixelFormat::Nv12, 160, 90, {}}, 0);
    SharedFrame shared(frame);
    for (int i = 0; i < 2; ++i) {
        fill_pattern(frame, i);
        shared.write(frame);
        must(segmenter.segment(shared.frame(), ledger_, *matte, map.get()));
        must(segmenter.segment(shared.frame(), ledger_, *alone));
        const auto shares = must(matte->read());
        const auto best = must(map->read());
        EXPECT_TRUE(std::ranges::equal(must(alone->read()), shares));
        // Of the same logits: only the matte rounds.
        const auto by_host = must(segmenter.segment(shared.frame(), ledger_));
        ASSERT_EQ(by_host.classes.size(), best.size());
        EXPECT_TRUE(std::ranges::equal(best, by_host.classes));
        for (std::size_t k = 0; k < shares.size(); ++k) {
            ASSERT_NEAR(shares[k], by_host.matte.values[k], 1e-5) << "pixel " << k;
        }
        // The CPU's logits differ by roundings, so that near ones may change places.
        const auto there = must(cpu.segment(frame.view()));
        std::size_t others = 0;
        for (std::size_t k = 0; k < best.size(); ++k) {
            others += best[k] != there.classes[k] ? 1 : 0;
            ASSERT_NEAR(shares[k], there.matte.values[k], 0.005) << "pixel " << k;
        }
        EXPECT_LE(others, best.size() / 1000);
    }
    EXPECT_EQ(ledger_.total_bytes(), 0U);
}

TEST_F(TasksOnDevice, masks_that_the_network_does_not_fill_are_refused) {
    constexpr std::string_view kModel = "selfie-segmentation-landscape";
    SLUICE_NEEDS_MODEL(kModel);
    auto segmenter = must(Segmenter::create({.model = std::string(kModel), .engine = on_device()}));
    auto cpu = must(Segmenter::create({.model = std::string(kModel), .engine = on_cpu()}));
    const auto matte = must(zero_copy::DeviceMatte::create(
        segmenter.device(), segmenter.matte_width(), segmenter.matte_height()));
    const auto map = must(zero_copy::DeviceClasses::create(
        segmenter.device(), segmenter.matte_width(), segmenter.matte_height()));
    const TestFrame frame({PixelFormat::Nv12, 160, 90, {}}, 0);
    const SharedFrame shared(frame);
    const auto classless = segmenter.segment(shared.frame(), ledger_, *matte, map.get());
    ASSERT_FALSE(classless);
    EXPECT_EQ(classless.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(classless.error().message.find("1 classes"), std::string::npos)
        << classless.error().message;
    const auto elsewhere = cpu.segment(shared.frame(), ledger_, *matte);
    ASSERT_FALSE(elsewhere);
    EXPECT_EQ(elsewhere.error().code, ErrorCode::InvalidArgument);
}

TEST_F(TasksOnDevice, redaction_happens_in_place) {
    TestFrame frame({PixelFormat::P010, 160, 90, {}}, 0);
    fill_pattern(frame, 2);
    const SharedFrame here(frame);
    const SharedFrame there(frame);
    const std::vector<zero_copy::PixelBox> boxes{
        {.x = 10.0, .y = 8.0, .width = 40.0, .height = 50.0},
        {.x = 90.0, .y = 20.0, .width = 33.0, .height = 41.0}};
    auto device = must(FrameRedactor::create({.engine = on_device()}));
    auto cpu = must(FrameRedactor::create({.engine = on_cpu()}));
    ASSERT_TRUE(device.run(here.frame(), boxes, ledger_));
    ASSERT_TRUE(cpu.run(there.frame(), boxes, ledger_));
    TestFrame a = frame;
    TestFrame b = frame;
    here.read(a);
    there.read(b);
    EXPECT_GT(largest_difference(a, frame), 10) << "nothing was redacted";
    EXPECT_LE(largest_difference(a, b), 1);
    EXPECT_EQ(ledger_.total_bytes(), 0U);
}

TEST_F(TasksOnDevice, what_cannot_be_imported_is_copied_and_counted) {
    SLUICE_NEEDS_MODEL("anime4k-x2-s");
    auto device = must(Upscaler::create({.engine = on_device()}));
    auto cpu = must(Upscaler::create({.engine = on_cpu()}));
    TestFrame input({PixelFormat::Bgrx, 40, 24, {}}, 0);
    TestFrame output({PixelFormat::Bgrx, 80, 48, {}}, 0);
    fill_pattern(input, 1);
    const SharedFrame from(input, SharedFrame::As::UnknownHost, 4);
    const SharedFrame to(output, SharedFrame::As::UnknownHost, 4);
    ASSERT_TRUE(device.upscale(from.frame(), to.frame(), ledger_));
    ASSERT_TRUE(cpu.upscale(input.view(), output.view()));
    TestFrame seen = output;
    to.read(seen);
    EXPECT_LE(largest_difference(seen, output), 1);
    EXPECT_EQ(ledger_.bytes(CopyReason::Upload), 40U * 24U * 4U);
    EXPECT_EQ(ledger_.bytes(CopyReason::Download), 80U * 48U * 4U);
}

} // namespace sluice::tasks
