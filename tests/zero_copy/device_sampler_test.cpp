// SPDX-License-Identifier: Apache-2.0
// DeviceSampler against loops in double precision, with every way to import a frame.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/copy_ledger.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "tests/zero_copy/shared_frame.h"
#include "tests/zero_copy/tensor_reference.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/device_sampler.h"
#include "zero_copy/frame_runner.h"
#include "zero_copy/frame_to_tensor.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint32_t kSamplerSeed = 7120;
// The promise is one code. Floats and tables in double precision are far closer.
constexpr double kSamplerToleranceCodes = 0.02;

class SamplerOnDevice : public VulkanTest {
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

    std::vector<float> sample(const ExternalFrame& frame, const SourceRegion& region,
                              const TensorFormat& tensor) {
        const auto sampler = must(DeviceSampler::create(device_, frame.format(), region, tensor));
        const std::size_t channels = tensor.channels == ChannelOrder::Luma ? 1 : 3;
        const std::size_t values = std::size_t{tensor.width} * tensor.height * channels;
        const auto buffer = must(
            DeviceBuffer::create(device_, values * sizeof(float), vulkan::Placement::Download));
        runner_->forget_recordings();
        const auto ran =
            runner_->run(std::array{FrameRunner::Frame{.frame = &frame}}, 0, ledger_,
                         [&](vulkan::Recording& recording, ImportedFrames imported) {
                             return sampler.record(recording, *imported[0], buffer.range());
                         });
        EXPECT_TRUE(ran) << ran.error().message;
        runner_->forget_recordings();
        std::vector<float> out(values);
        std::memcpy(out.data(), buffer.mapped().data(), values * sizeof(float));
        return out;
    }

    double worst(const TestFrame& frame, const SharedFrame& shared, const SourceRegion& region,
                 const TensorFormat& tensor) {
        const std::vector<float> out = sample(shared.frame(), region, tensor);
        const TensorReference reference(frame, region, tensor);
        const std::size_t channels = tensor.channels == ChannelOrder::Luma ? 1 : 3;
        const std::size_t plane = std::size_t{tensor.width} * tensor.height;
        double largest = 0.0;
        for (std::uint32_t y = 0; y < tensor.height; ++y) {
            for (std::uint32_t x = 0; x < tensor.width; ++x) {
                const std::array<double, 3> expected = reference.values(x, y);
                const std::size_t pixel = (std::size_t{y} * tensor.width) + x;
                for (std::size_t c = 0; c < channels; ++c) {
                    const std::size_t at = tensor.layout == TensorLayout::Nhwc
                                               ? (pixel * channels) + c
                                               : (c * plane) + pixel;
                    largest = std::max(largest, std::abs(out[at] - expected[c]) /
                                                    std::abs(tensor.high - tensor.low) * 255.0);
                }
            }
        }
        return largest;
    }

    std::unique_ptr<FrameRunner> runner_;
    CopyLedger ledger_;
};

} // namespace

TEST_F(SamplerOnDevice, is_exact_for_every_format_and_region_without_a_copy) {
    for (const PixelFormat format : all_formats()) {
        std::mt19937 random(kSamplerSeed);
        for (int i = 0; i < 9; ++i) {
            const auto width = static_cast<std::uint32_t>(1 + (random() % 90));
            const auto height = static_cast<std::uint32_t>(1 + (random() % 60));
            std::uniform_real_distribution<double> unit(0.0, 1.0);
            const SourceRegion region{.x = (unit(random) - 0.4) * width,
                                      .y = (unit(random) - 0.4) * height,
                                      .width = (0.05 + (1.5 * unit(random))) * width,
                                      .height = (0.05 + (1.5 * unit(random))) * height,
                                      .rotation_radians =
                                          i % 3 == 0 ? (unit(random) - 0.5) * 7.0 : 0.0};
            const TensorFormat tensor{.width = static_cast<std::uint32_t>(1 + (random() % 40)),
                                      .height = static_cast<std::uint32_t>(1 + (random() % 40)),
                                      .channels = static_cast<ChannelOrder>(random() % 3),
                                      .layout = static_cast<TensorLayout>(random() % 2),
                                      .low = random() % 2 == 0 ? 0.0F : 255.0F,
                                      .high = random() % 2 == 0 ? 1.0F : -3.0F,
                                      .sampling =
                                          static_cast<Sampling>(i % 3 == 0 ? random() % 3 : i % 3),
                                      .fill = 0.5F};
            const Colorimetry color{.matrix = static_cast<ColorMatrix>(random() % 3),
                                    .range = static_cast<ColorRange>(random() % 2),
                                    .chroma_site = static_cast<ChromaSite>(random() % 3)};
            TestFrame frame({format, width, height, color}, (random() % 3) * 2);
            frame.fill_random(random);
            const SharedFrame shared(frame, SharedFrame::As::Memfd, (random() % 40) * 2);
            EXPECT_LT(worst(frame, shared, region, tensor), kSamplerToleranceCodes)
                << describe(frame.format()) << " seed " << kSamplerSeed << " case " << i
                << " region " << region.x << "," << region.y << " " << region.width << "x"
                << region.height << " turned " << region.rotation_radians << " -> " << tensor.width
                << "x" << tensor.height << " sampling " << static_cast<int>(tensor.sampling);
        }
    }
    EXPECT_EQ(ledger_.total_bytes(), 0U);
    EXPECT_EQ(runner_->last_method(), ImportMethod::LinearBuffer);
}

TEST_F(SamplerOnDevice, gives_the_same_whatever_the_import) {
    std::mt19937 random(kSamplerSeed + 1);
    const TensorFormat tensor{.width = 19, .height = 11};
    for (const PixelFormat format : all_formats()) {
        TestFrame frame({format, 37, 21, {}}, 2);
        frame.fill_random(random);
        const SourceRegion region = letterbox(37, 21, 19, 11);
        for (const auto as : {SharedFrame::As::Memfd, SharedFrame::As::DmaBuf,
                              SharedFrame::As::Host, SharedFrame::As::UnknownHost}) {
            const SharedFrame shared(frame, as, 6);
            const std::uint64_t before = ledger_.total_bytes();
            EXPECT_LT(worst(frame, shared, region, tensor), kSamplerToleranceCodes)
                << describe(frame.format()) << " as " << static_cast<int>(as);
            std::size_t bytes = 0;
            for (std::size_t i = 0; i < info(format).planes; ++i) {
                bytes += row_bytes(info(format), i, 37) * plane_rows(info(format), i, 21);
            }
            const bool copied = as == SharedFrame::As::UnknownHost;
            EXPECT_EQ(ledger_.total_bytes() - before, copied ? bytes : 0);
            EXPECT_EQ(ledger_.total_bytes(), ledger_.bytes(CopyReason::Upload));
            if (as == SharedFrame::As::DmaBuf && device_->profile().drm_modifiers &&
                format == PixelFormat::Nv12) {
                EXPECT_EQ(runner_->last_method(), ImportMethod::ModifierImage);
            }
            if (as == SharedFrame::As::Host) {
                EXPECT_EQ(runner_->last_method(), ImportMethod::HostPointer);
            }
        }
    }
}

TEST_F(SamplerOnDevice, sees_what_the_producer_writes_after_the_import) {
    std::mt19937 random(kSamplerSeed + 2);
    const FrameFormat format{PixelFormat::Nv12, 64, 48, {}};
    TestFrame frame(format, 0);
    SharedFrame shared(frame);
    const ExternalFrame external = shared.frame();
    const TensorFormat tensor{.width = 16, .height = 12};
    const SourceRegion region = stretch(64, 48);
    const auto sampler = must(DeviceSampler::create(device_, format, region, tensor));
    const auto buffer =
        must(DeviceBuffer::create(device_, 16 * 12 * 3 * 4, vulkan::Placement::Download));
    for (int i = 0; i < 5; ++i) {
        frame.fill_random(random);
        shared.write(frame);
        if (i == 2) {
            shared.close(); // the import lives on
        }
        const auto ran =
            runner_->run(std::array{FrameRunner::Frame{.frame = &external}}, 0, ledger_,
                         [&](vulkan::Recording& recording, ImportedFrames imported) {
                             return sampler.record(recording, *imported[0], buffer.range());
                         });
        ASSERT_TRUE(ran) << ran.error().message;
        const auto* const values = reinterpret_cast<const float*>(buffer.mapped().data());
        const TensorReference reference(frame, region, tensor);
        for (std::uint32_t at = 0; at < 16 * 12; ++at) {
            const auto expected = reference.values(at % 16, at / 16);
            for (std::size_t c = 0; c < 3; ++c) {
                ASSERT_NEAR(values[(at * 3) + c], expected[c], kSamplerToleranceCodes / 255.0);
            }
        }
    }
    EXPECT_EQ(runner_->recordings(), 1U);
    EXPECT_EQ(runner_->imports().imports(), 1U);
    EXPECT_EQ(ledger_.total_bytes(), 0U);
    runner_->forget_recordings();
}

TEST_F(SamplerOnDevice, refuses_other_formats_and_short_tensors) {
    const TestFrame frame({PixelFormat::Nv12, 64, 48, {}}, 0);
    const SharedFrame shared(frame);
    const ExternalFrame external = shared.frame();
    const auto sampler = must(DeviceSampler::create(device_, {PixelFormat::Nv21, 64, 48, {}},
                                                    stretch(64, 48), {.width = 8, .height = 8}));
    const auto buffer = must(DeviceBuffer::create(device_, 1024, vulkan::Placement::Download));
    const auto ran =
        runner_->run(std::array{FrameRunner::Frame{.frame = &external}}, 0, ledger_,
                     [&](vulkan::Recording& recording, ImportedFrames imported) {
                         return sampler.record(recording, *imported[0], buffer.range());
                     });
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().message,
              "device sampler: made for NV21 of 64x48 and 768 bytes, given NV12 of 64x48 and 1024");
}

} // namespace sluice::testing
