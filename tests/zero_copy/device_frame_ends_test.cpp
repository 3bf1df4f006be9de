// SPDX-License-Identifier: Apache-2.0
// Background, redaction and super-resolution on the device against the CPU's, which loops in double
// precision judge: in place in the producer's memory, without a copy.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/copy_ledger.h"
#include "core/runtime/thread_pool.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "tests/zero_copy/shared_frame.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/device_background.h"
#include "zero_copy/device_redactor.h"
#include "zero_copy/device_upscale_writer.h"
#include "zero_copy/frame_runner.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint32_t kEndsSeed = 5150;
// Both round once; what lies at a half may go either way.
constexpr int kEndsToleranceCodes = 1;

class FrameEndsOnDevice : public VulkanTest {
protected:
    void SetUp() override {
        VulkanTest::SetUp();
        if (device_) {
            runner_ = std::make_unique<FrameRunner>(device_);
        }
    }
    void TearDown() override {
        runner_.reset();
        VulkanTest::TearDown();
    }

    DeviceBuffer floats(std::span<const float> values) {
        auto buffer =
            must(DeviceBuffer::create(device_, values.size_bytes(), vulkan::Placement::Upload));
        std::memcpy(buffer.mapped().data(), values.data(), values.size_bytes());
        return buffer;
    }
    template <typename Record>
    void run(const ExternalFrame& frame, Record&& record) {
        runner_->forget_recordings();
        const auto ran = runner_->run(
            std::array{FrameRunner::Frame{.frame = &frame, .access = CpuAccess::ReadWrite}}, 0,
            ledger_, record);
        ASSERT_TRUE(ran) << ran.error().message;
        runner_->forget_recordings();
    }

    std::unique_ptr<FrameRunner> runner_;
    CopyLedger ledger_;
};

// The largest difference, and that padding is the same.
int difference(const TestFrame& a, const TestFrame& b) {
    const int largest = largest_difference(a, b);
    for (std::size_t i = 0; i < a.planes.size(); ++i) {
        const std::size_t row = row_bytes(info(a.format().pixel_format), i, a.format().width);
        for (std::size_t at = 0; at < a.planes[i].size(); ++at) {
            if (at % a.strides[i] >= row && a.planes[i][at] != b.planes[i][at]) {
                ADD_FAILURE() << "padding of plane " << i << " was written";
                return largest;
            }
        }
    }
    return largest;
}

} // namespace

TEST_F(FrameEndsOnDevice, backgrounds_equal_the_cpu_s) {
    const auto threads = runtime::ThreadPool::shared(1);
    for (const PixelFormat pixel_format : all_formats()) {
        std::mt19937 random(kEndsSeed);
        for (int i = 0; i < 2; ++i) {
            const Colorimetry color{.matrix = static_cast<ColorMatrix>(random() % 3),
                                    .range = static_cast<ColorRange>(random() % 2),
                                    .chroma_site = static_cast<ChromaSite>(i % 3)};
            const FrameFormat format{pixel_format, static_cast<std::uint32_t>(1 + (random() % 90)),
                                     static_cast<std::uint32_t>(4 + (random() % 40)), color};
            const auto mask_width = static_cast<std::uint32_t>(1 + (random() % 70));
            const auto mask_height = static_cast<std::uint32_t>(1 + (random() % 40));
            std::vector<std::uint8_t> mask(std::size_t{mask_width} * mask_height);
            std::vector<float> matte(mask.size());
            for (std::size_t at = 0; at < mask.size(); ++at) {
                mask[at] = random() % 3 == 0 ? 255 : static_cast<std::uint8_t>(random());
                matte[at] = static_cast<float>(mask[at]) / 255.0F;
            }
            TestFrame picture(format, 2);
            picture.fill_random(random);
            const FrameView picture_view = std::as_const(picture).view();
            const DeviceBuffer on_device = floats(matte);
            for (const auto effect : {BackgroundEffect::Blur, BackgroundEffect::Color,
                                      BackgroundEffect::Picture, BackgroundEffect::Key}) {
                TestFrame frame(format, (random() % 3) * 2);
                if (effect == BackgroundEffect::Key && !frame.has(3)) {
                    continue;
                }
                frame.fill_random(random);
                const BackgroundSettings settings{.effect = effect,
                                                  .blur_sigma = 0.03 + (0.1 * i),
                                                  .color = {90, 120, 140},
                                                  .picture = &picture_view};
                const SharedFrame shared(frame, SharedFrame::As::Memfd, (random() % 9) * 2);
                auto cpu = must(BackgroundBlend::create(format, settings));
                cpu.run(frame.view(), {mask.data(), mask_width, mask_width, mask_height}, *threads);
                const auto device = must(
                    DeviceBackground::create(device_, format, settings,
                                             {.width = mask_width,
                                              .height = mask_height,
                                              .region = stretch(format.width, format.height)}));
                const ExternalFrame external = shared.frame();
                run(external, [&](vulkan::Recording& recording, ImportedFrames frames) {
                    return device.record(recording, *frames[0], on_device.range());
                });
                TestFrame seen = frame;
                shared.read(seen);
                EXPECT_LE(difference(seen, frame), kEndsToleranceCodes)
                    << describe(format) << " effect " << static_cast<int>(effect) << " seed "
                    << kEndsSeed << " case " << i;
                EXPECT_TRUE(shared.surroundings_are_untouched(frame));
            }
        }
    }
    EXPECT_EQ(ledger_.total_bytes(), 0U);
}

TEST_F(FrameEndsOnDevice, mattes_of_several_classes_and_of_a_part_of_the_frame_are_read) {
    const FrameFormat format{PixelFormat::Gray8, 32, 16, {.range = ColorRange::Full}};
    TestFrame frame(format, 0);
    std::ranges::fill(frame.planes[0], std::byte{200});
    const SharedFrame shared(frame);
    // Logits of three classes: the left half is certainly class 0, the right half is not.
    std::vector<float> logits;
    for (int at = 0; at < 8 * 4; ++at) {
        const bool left = at % 8 < 4;
        logits.insert(logits.end(), {left ? 30.0F : -30.0F, 1.0F, 2.0F});
    }
    const DeviceBuffer matte = floats(logits);
    const auto blend = must(
        DeviceBackground::create(device_, format, {.effect = BackgroundEffect::Color, .color = {}},
                                 {.width = 8,
                                  .height = 4,
                                  .classes = 3,
                                  .region = {.x = 8.0, .y = 4.0, .width = 16.0, .height = 8.0}}));
    const ExternalFrame external = shared.frame();
    run(external, [&](vulkan::Recording& recording, ImportedFrames frames) {
        return blend.record(recording, *frames[0], matte.range());
    });
    shared.read(frame);
    EXPECT_EQ(frame.code(0, 10, 6), 0);   // background by its class
    EXPECT_EQ(frame.code(0, 22, 6), 200); // person
    EXPECT_EQ(frame.code(0, 28, 6), 0);   // outside the matte
    EXPECT_EQ(frame.code(0, 22, 14), 0);
}

TEST_F(FrameEndsOnDevice, redactions_equal_the_cpu_s) {
    const std::vector<PixelBox> boxes{
        {.x = 10.0, .y = 6.0, .width = 32.0, .height = 40.0},
        {.x = 11.3, .y = 7.9, .width = 50.1, .height = 21.7},
        {.x = -20.5, .y = -9.0, .width = 60.0, .height = 70.0},
        {.x = 70.0, .y = 50.0, .width = 500.0, .height = 500.0},
        {.x = 33.0, .y = 5.0, .width = 3.0, .height = 60.0},
        {.x = 5.2, .y = 5.2, .width = 0.4, .height = 0.4},
        {.x = -1e9, .y = -1e9, .width = 2e9, .height = 2e9},
    };
    const auto threads = runtime::ThreadPool::shared(1);
    std::mt19937 random(kEndsSeed);
    for (const PixelFormat pixel_format : all_formats()) {
        for (const auto effect :
             {RedactEffect::Blur, RedactEffect::Pixelate, RedactEffect::Black}) {
            const FrameFormat format{pixel_format, 101, 67, {}};
            auto device = must(DeviceRedactor::create(device_, format, effect, 5));
            for (const PixelBox& box : boxes) {
                TestFrame frame(format, 4);
                frame.fill_random(random);
                const SharedFrame shared(frame, SharedFrame::As::Memfd, (random() % 9) * 2);
                auto cpu = must(Redactor::create(format, effect, 5));
                cpu.run(frame.view(), std::span(&box, 1), *threads);
                EXPECT_EQ(device.set_boxes(std::span(&box, 1)), 1U);
                const ExternalFrame external = shared.frame();
                run(external, [&](vulkan::Recording& recording, ImportedFrames frames) {
                    return device.record(recording, *frames[0]);
                });
                TestFrame seen = frame;
                shared.read(seen);
                EXPECT_LE(difference(seen, frame), kEndsToleranceCodes)
                    << describe(format) << " effect " << static_cast<int>(effect) << " box "
                    << box.x << "," << box.y << " " << box.width << "x" << box.height;
                EXPECT_TRUE(shared.surroundings_are_untouched(frame));
            }
        }
    }
    EXPECT_EQ(ledger_.total_bytes(), 0U);
}

TEST_F(FrameEndsOnDevice, one_recording_serves_any_boxes) {
    const FrameFormat format{PixelFormat::Nv12, 320, 200, {}};
    TestFrame frame(format, 0);
    std::mt19937 random(kEndsSeed);
    frame.fill_random(random);
    const SharedFrame shared(frame);
    const ExternalFrame external = shared.frame();
    auto device = must(DeviceRedactor::create(device_, format, RedactEffect::Pixelate, 8));
    auto cpu = must(Redactor::create(format, RedactEffect::Pixelate, 8));
    const auto threads = runtime::ThreadPool::shared(1);
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{150}}) {
        // Side by side, so that their order does not matter.
        std::vector<PixelBox> boxes;
        for (std::size_t i = 0; i < count; ++i) {
            boxes.push_back({.x = static_cast<double>(i % 16) * 20.0,
                             .y = static_cast<double>(i / 16) * 20.0,
                             .width = 18.0,
                             .height = 16.0});
        }
        cpu.run(frame.view(), boxes, *threads);
        std::span<const PixelBox> rest = boxes;
        do {
            rest = rest.subspan(device.set_boxes(rest));
            const auto ran = runner_->run(
                std::array{FrameRunner::Frame{.frame = &external, .access = CpuAccess::ReadWrite}},
                0, ledger_, [&](vulkan::Recording& recording, ImportedFrames frames) {
                    return device.record(recording, *frames[0]);
                });
            ASSERT_TRUE(ran) << ran.error().message;
        } while (!rest.empty());
        TestFrame seen = frame;
        shared.read(seen);
        // Mosaics of mosaics: a code at each turn.
        EXPECT_LE(difference(seen, frame), 2) << count << " boxes";
        frame = seen;
    }
    EXPECT_EQ(runner_->recordings(), 1U);
    EXPECT_EQ(ledger_.total_bytes(), 0U);
    runner_->forget_recordings();
}

TEST_F(FrameEndsOnDevice, upscaling_equals_the_cpu_s) {
    const auto threads = runtime::ThreadPool::shared(1);
    std::uniform_real_distribution<float> delta(-0.3F, 0.3F);
    for (const PixelFormat pixel_format : all_formats()) {
        std::mt19937 random(kEndsSeed);
        int turn = 0;
        for (const std::uint32_t width : {1U, 2U, 5U, 33U}) {
            for (const std::uint32_t channels : {1U, 3U}) {
                const Colorimetry color{.matrix = static_cast<ColorMatrix>(random() % 3),
                                        .range = static_cast<ColorRange>(random() % 2),
                                        .chroma_site = static_cast<ChromaSite>(turn++ % 3)};
                const auto height = static_cast<std::uint32_t>(1 + (random() % 9));
                TestFrame input({pixel_format, width, height, color}, (random() % 3) * 2);
                TestFrame output({pixel_format, 2 * width, 2 * height, color}, (random() % 3) * 2);
                input.fill_random(random);
                std::vector<float> residual(std::size_t{4} * width * height * channels);
                std::ranges::generate(residual, [&] { return delta(random); });
                const SharedFrame from(input, SharedFrame::As::DmaBuf, 2);
                const SharedFrame to(output, SharedFrame::As::Memfd, 6);
                auto cpu =
                    must(SuperResolutionWriter::create(input.format(), output.format(), channels));
                cpu.run(input.view(), residual, 0, 2 * height, output.view(), *threads);
                const auto device =
                    must(DeviceUpscaleWriter::create(input.format(), output.format(), channels));
                const DeviceBuffer on_device = floats(residual);
                const ExternalFrame in = from.frame();
                const ExternalFrame out = to.frame();
                runner_->forget_recordings();
                const auto ran = runner_->run(
                    std::array{FrameRunner::Frame{.frame = &in},
                               FrameRunner::Frame{.frame = &out, .access = CpuAccess::Write}},
                    0, ledger_, [&](vulkan::Recording& recording, ImportedFrames frames) -> Status {
                        // In two strips, where there are rows for them.
                        const std::uint32_t first = height > 1 ? 2 * (height / 2) : 0;
                        if (first > 0) {
                            SLUICE_TRY(device.record(recording, *frames[0], *frames[1],
                                                     on_device.range(), {.rows = first}));
                        }
                        return device.record(
                            recording, *frames[0], *frames[1], on_device.range(),
                            {.first_value = std::size_t{2} * width * channels * first,
                             .first_row = first,
                             .rows = (2 * height) - first});
                    });
                ASSERT_TRUE(ran) << ran.error().message;
                TestFrame seen = output;
                to.read(seen);
                // 4:2:0 blocks of a strip are its own, as on the CPU; with strips of other rows
                // nothing differs.
                EXPECT_LE(difference(seen, output), kEndsToleranceCodes)
                    << describe(output.format()) << " channels " << channels;
                EXPECT_TRUE(to.surroundings_are_untouched(output));
                runner_->forget_recordings();
            }
        }
    }
    EXPECT_EQ(ledger_.total_bytes(), 0U);
}

} // namespace sluice::testing
