// SPDX-License-Identifier: Apache-2.0
// Micro-benchmarks of the two ends between frames and tensors, on one thread.
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/runtime/thread_pool.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/frame_to_tensor.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

runtime::ThreadPool& one_thread() {
    static runtime::ThreadPool pool(1);
    return pool;
}

TestFrame random_frame(PixelFormat format, std::uint32_t width, std::uint32_t height) {
    std::mt19937 random(1);
    TestFrame frame({format, width, height, {}}, 0);
    frame.fill_random(random);
    return frame;
}

void to_tensor(benchmark::State& state, PixelFormat format, const SourceRegion& region,
               const TensorFormat& tensor) {
    const TestFrame frame = random_frame(format, 1280, 720);
    auto converter = FrameToTensor::create(frame.format(), region, tensor);
    if (!converter) {
        state.SkipWithError(converter.error().message);
        return;
    }
    std::vector<float> out(std::size_t{tensor.width} * tensor.height * 3);
    const FrameView view = frame.view();
    for (auto _ : state) {
        converter->run(view, out, one_thread());
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(out.size() * sizeof(float)));
}

void register_to_tensor() {
    const SourceRegion boxed = letterbox(1280, 720, 128, 128);
    const SourceRegion all = stretch(1280, 720);
    for (const PixelFormat format : all_formats()) {
        const std::string name(info(format).gst_name);
        const auto add = [&](const std::string& what, const SourceRegion& region,
                             const TensorFormat& tensor) {
            benchmark::RegisterBenchmark(
                "to_tensor/" + name + "/" + what,
                [=](benchmark::State& state) { to_tensor(state, format, region, tensor); })
                ->Unit(benchmark::kMicrosecond);
        };
        add("720p_to_128_bilinear", boxed, {.width = 128, .height = 128});
        add("720p_to_256x144_bilinear", all, {.width = 256, .height = 144});
        add("720p_to_256x144_area", all, {.width = 256, .height = 144, .sampling = Sampling::Area});
        add("720p_identity", all, {.width = 1280, .height = 720});
    }
}

void mask_row(std::vector<std::uint8_t>& mask, std::uint32_t width, std::uint32_t height) {
    // A person-like ellipse with a soft edge.
    for (std::uint32_t y = 0; y < height; ++y) {
        for (std::uint32_t x = 0; x < width; ++x) {
            const double u = ((x + 0.5) / width - 0.5) / 0.25;
            const double v = ((y + 0.5) / height - 0.6) / 0.5;
            const double edge = (1.0 - (u * u) - (v * v)) * 6.0 + 0.5;
            mask[(std::size_t{y} * width) + x] =
                static_cast<std::uint8_t>(edge < 0.0   ? 0.0
                                          : edge > 1.0 ? 255.0
                                                       : edge * 255.0);
        }
    }
}

void blend(benchmark::State& state, PixelFormat format, BackgroundEffect effect,
           std::uint32_t mask_width, std::uint32_t mask_height) {
    TestFrame frame = random_frame(format, 1280, 720);
    const TestFrame other = random_frame(format, 1280, 720);
    const FrameView picture = other.view();
    std::vector<std::uint8_t> mask(std::size_t{mask_width} * mask_height);
    mask_row(mask, mask_width, mask_height);
    auto blending =
        BackgroundBlend::create(frame.format(), {.effect = effect, .picture = &picture});
    if (!blending) {
        state.SkipWithError(blending.error().message);
        return;
    }
    const MutableFrameView view = frame.view();
    for (auto _ : state) {
        blending->run(view, {mask.data(), mask_width, mask_width, mask_height}, one_thread());
        benchmark::ClobberMemory();
    }
}

void register_blends() {
    for (const PixelFormat format : {PixelFormat::Nv12, PixelFormat::I420, PixelFormat::Yuy2,
                                     PixelFormat::P010, PixelFormat::Bgra}) {
        for (const auto& [effect, what] : {std::pair{BackgroundEffect::Blur, "blur"},
                                           {BackgroundEffect::Color, "color"},
                                           {BackgroundEffect::Picture, "picture"}}) {
            for (const auto& [width, height] : {std::pair{256U, 144U}, {1280U, 720U}}) {
                benchmark::RegisterBenchmark(
                    "background_720p/" + std::string(info(format).gst_name) + "/" + what +
                        "/mask_" + std::to_string(width),
                    [=](benchmark::State& state) { blend(state, format, effect, width, height); })
                    ->Unit(benchmark::kMicrosecond);
            }
        }
    }
}

void matte(benchmark::State& state) {
    std::vector<float> values(256 * 144, 0.3F);
    std::vector<std::uint8_t> out(1280 * 720);
    for (auto _ : state) {
        write_matte({values, 256, 144, stretch(1280, 720)}, 1280, 720,
                    {out.data(), 1280, 1280, 720}, one_thread());
        benchmark::ClobberMemory();
    }
}
BENCHMARK(matte)->Name("write_matte/256x144_to_720p")->Unit(benchmark::kMicrosecond);

void super_resolution(benchmark::State& state, PixelFormat format, std::uint32_t channels) {
    const TestFrame small = random_frame(format, 1280, 720);
    TestFrame large = random_frame(format, 2560, 1440);
    std::vector<float> residual(std::size_t{2560} * 1440 * channels, 0.01F);
    auto writer = SuperResolutionWriter::create(small.format(), large.format(), channels);
    if (!writer) {
        state.SkipWithError(writer.error().message);
        return;
    }
    const FrameView in = small.view();
    const MutableFrameView out = large.view();
    for (auto _ : state) {
        writer->run(in, residual, 0, 1440, out, one_thread());
        benchmark::ClobberMemory();
    }
}

void register_super_resolution() {
    for (const PixelFormat format :
         {PixelFormat::Nv12, PixelFormat::I420, PixelFormat::P010, PixelFormat::Bgra}) {
        for (const std::uint32_t channels : {1U, 3U}) {
            benchmark::RegisterBenchmark(
                "super_resolution_720p/" + std::string(info(format).gst_name) + "/channels_" +
                    std::to_string(channels),
                [=](benchmark::State& state) { super_resolution(state, format, channels); })
                ->Unit(benchmark::kMicrosecond);
        }
    }
}

void redact(benchmark::State& state, RedactEffect effect) {
    TestFrame frame = random_frame(PixelFormat::Nv12, 1280, 720);
    auto redactor = Redactor::create(frame.format(), effect);
    if (!redactor) {
        state.SkipWithError(redactor.error().message);
        return;
    }
    const std::vector<PixelBox> boxes{{.x = 501.5, .y = 203.0, .width = 200.0, .height = 260.0}};
    const MutableFrameView view = frame.view();
    for (auto _ : state) {
        redactor->run(view, boxes, one_thread());
        benchmark::ClobberMemory();
    }
}
BENCHMARK_CAPTURE(redact, blur, RedactEffect::Blur)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(redact, pixelate, RedactEffect::Pixelate)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(redact, black, RedactEffect::Black)->Unit(benchmark::kMicrosecond);

} // namespace

} // namespace sluice::testing

int main(int argc, char** argv) {
    sluice::testing::register_to_tensor();
    sluice::testing::register_blends();
    sluice::testing::register_super_resolution();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
