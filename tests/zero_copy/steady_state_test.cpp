// SPDX-License-Identifier: Apache-2.0
// After the first frame nothing allocates; every instruction set says the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "core/runtime/thread_pool.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/must.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/frame_to_tensor.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint32_t kWidth = 331;
constexpr std::uint32_t kHeight = 93;

// Everything that a pipeline runs for one frame, made once.
class Pipeline {
public:
    explicit Pipeline(PixelFormat format)
        : frame({format, kWidth, kHeight, {}}, 2), large({format, 2 * kWidth, 2 * kHeight, {}}, 0) {
        std::mt19937 random(5);
        frame.fill_random(random);
        std::ranges::generate(mask, [&] { return static_cast<std::uint8_t>(random()); });
        std::ranges::generate(values, [&] { return static_cast<float>(random() % 100) / 99.0F; });
        for (const Sampling sampling : {Sampling::Nearest, Sampling::Bilinear, Sampling::Area}) {
            for (const std::uint32_t side : {16U, 100U, 331U}) {
                for (const double angle : {0.0, 0.3}) {
                    SourceRegion region = letterbox(kWidth, kHeight, side, 40);
                    region.rotation_radians = angle;
                    converters.push_back(must(FrameToTensor::create(
                        frame.format(), region,
                        {.width = side, .height = 40, .sampling = sampling})));
                    tensors.emplace_back(std::size_t{side} * 40 * 3);
                }
            }
        }
        for (const BackgroundEffect effect : {BackgroundEffect::Blur, BackgroundEffect::Color}) {
            blends.push_back(must(BackgroundBlend::create(frame.format(), {.effect = effect})));
        }
        for (const RedactEffect effect :
             {RedactEffect::Blur, RedactEffect::Pixelate, RedactEffect::Black}) {
            redactors.push_back(must(Redactor::create(frame.format(), effect)));
        }
        writers.push_back(must(SuperResolutionWriter::create(frame.format(), large.format(), 1)));
        writers.push_back(must(SuperResolutionWriter::create(frame.format(), large.format(), 3)));
    }

    void run(const MutableFrameView& view, const MutableFrameView& output,
             runtime::ThreadPool& threads) {
        for (std::size_t i = 0; i < converters.size(); ++i) {
            converters[i].run(view, tensors[i], threads);
        }
        for (SuperResolutionWriter& writer : writers) {
            writer.run(view, residual, 0, 2 * kHeight, output, threads);
        }
        write_matte({values, 20, 15, stretch(kWidth, kHeight)}, kWidth, kHeight,
                    {matte.data(), kWidth, kWidth, kHeight}, threads);
        for (BackgroundBlend& blend : blends) {
            blend.run(view, {mask.data(), 50, 50, 30}, threads);
        }
        const PixelBox boxes[]{{.x = 3.0, .y = 5.0, .width = 60.0, .height = 50.0},
                               {.x = 100.0, .y = 5.0, .width = 300.0, .height = 99.0}};
        for (Redactor& redactor : redactors) {
            redactor.run(view, std::span(boxes).first(1), threads);
        }
        redactors[0].run(view, boxes, threads);
    }

    TestFrame frame;
    TestFrame large;
    std::vector<FrameToTensor> converters;
    std::vector<std::vector<float>> tensors;
    std::vector<BackgroundBlend> blends;
    std::vector<Redactor> redactors;
    std::vector<SuperResolutionWriter> writers;
    std::vector<std::uint8_t> mask = std::vector<std::uint8_t>(50 * 30);
    std::vector<float> values = std::vector<float>(20 * 15);
    std::vector<std::uint8_t> matte = std::vector<std::uint8_t>(kWidth * kHeight);
    std::vector<float> residual = std::vector<float>(std::size_t{4} * kWidth * kHeight * 3, 0.05F);
};

} // namespace

TEST(Frames, allocate_nothing_after_the_first) {
    if (!can_count_allocations()) {
        GTEST_SKIP() << "a sanitizer's allocator cannot be counted";
    }
    const auto threads = runtime::ThreadPool::shared(2);
    for (const PixelFormat format : all_formats()) {
        Pipeline pipeline(format);
        const MutableFrameView view = pipeline.frame.view();
        const MutableFrameView output = pipeline.large.view();
        pipeline.run(view, output, *threads);
        const std::uint64_t before = allocation_count();
        pipeline.run(view, output, *threads);
        EXPECT_EQ(allocation_count(), before) << describe(pipeline.frame.format());
    }
}

TEST(Frames, are_the_same_with_every_instruction_set) {
    const auto threads = runtime::ThreadPool::shared(1);
    const std::int64_t all = hwy::SupportedTargets();
    for (const PixelFormat format : all_formats()) {
        Pipeline best(format);
        best.run(best.frame.view(), best.large.view(), *threads);
        for (std::int64_t rest = all; rest != 0; rest &= rest - 1) {
            hwy::SetSupportedTargetsForTest(rest & -rest);
            Pipeline other(format);
            other.run(other.frame.view(), other.large.view(), *threads);
            hwy::SetSupportedTargetsForTest(0);
            // Fused and separate multiplications may round a code differently, and the effects
            // follow each other.
            EXPECT_LE(largest_difference(best.frame, other.frame), 4)
                << describe(best.frame.format());
            EXPECT_LE(largest_difference(best.large, other.large), 1)
                << describe(best.large.format());
            for (std::size_t i = 0; i < best.tensors.size(); ++i) {
                for (std::size_t k = 0; k < best.tensors[i].size(); ++k) {
                    ASSERT_NEAR(best.tensors[i][k], other.tensors[i][k], 1e-4F)
                        << describe(best.frame.format()) << " converter " << i << " value " << k;
                }
            }
        }
    }
}

} // namespace sluice::testing
