// SPDX-License-Identifier: Apache-2.0
// Speed of the convolution kernels on the shapes of the networks, as a share of the machine's peak.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <format>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <hwy/aligned_allocator.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include "core/cpu/backend.h"
#include "core/cpu/gemm_kernel.h"
#include "core/graph/graph.h"
#include "core/runtime/thread_pool.h"
#include "tests/support/must.h"

namespace sluice::bench {
namespace {

using testing::must;

// Nanoseconds; of this thread's own processor time, so that other work on the machine does not
// show.
double thread_time() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}
double wall_time() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::nano>(now).count();
}

struct Layer {
    const char* name;
    std::uint32_t height, width, in, out, kernel, stride;
    bool depthwise = false;
};

// Of face detection (short and full range), the selfie networks, Anime4K.
constexpr Layer kLayers[] = {
    {"stem 5x5", 128, 128, 3, 24, 5, 2},
    {"stem 3x3", 144, 256, 3, 16, 3, 2},
    {"1x1", 64, 64, 24, 24, 1, 1},
    {"1x1", 64, 64, 24, 28, 1, 1},
    {"1x1", 32, 32, 36, 42, 1, 1},
    {"1x1", 16, 16, 80, 88, 1, 1},
    {"1x1", 8, 8, 96, 96, 1, 1},
    {"1x1", 72, 128, 16, 16, 1, 1},
    {"1x1", 96, 96, 32, 8, 1, 1},
    {"1x1", 96, 96, 8, 32, 1, 1},
    {"1x1", 9, 16, 32, 128, 1, 1},
    {"1x1", 56, 56, 128, 128, 1, 1},
    {"1x1", 64, 64, 128, 768, 1, 1},
    {"1x1", 64, 64, 768, 128, 1, 1},
    {"1x1", 16, 16, 192, 192, 1, 1},
    {"3x3", 112, 112, 32, 64, 3, 1},
    {"3x3", 32, 32, 256, 128, 3, 1},
    {"3x3", 16, 16, 384, 192, 3, 1},
    {"3x3", 180, 320, 32, 32, 3, 1},
    {"depthwise", 64, 64, 24, 24, 3, 1, true},
    {"depthwise", 64, 64, 28, 28, 3, 2, true},
    {"depthwise", 16, 16, 88, 88, 3, 1, true},
    {"depthwise", 8, 8, 96, 96, 3, 1, true},
    {"depthwise", 96, 96, 32, 32, 3, 1, true},
    {"depthwise", 112, 112, 96, 96, 3, 1, true},
    {"depthwise", 9, 16, 128, 128, 5, 1, true},
    {"depthwise", 18, 32, 96, 96, 5, 2, true},
    {"depthwise", 64, 64, 768, 768, 3, 1, true},
    {"anime4k", 180, 320, 3, 4, 3, 1},
    {"anime4k", 180, 320, 8, 4, 3, 1},
    {"anime4k", 720, 1280, 8, 4, 3, 1},
    {"anime4k", 180, 320, 8, 8, 3, 1},
    {"anime4k", 180, 320, 16, 8, 3, 1},
    {"anime4k", 180, 320, 56, 12, 1, 1},
};

// Multiply-adds on registers alone: what the machine can do, in GFLOP/s. The kernel's own inner
// loop on data that fits the L1 cache comes within a few percent of it.
double peak_gflops() {
    static const double peak = [] {
        const cpu::GemmPanels& kernels = cpu::gemm_kernels().panels(cpu::PanelKind::Full);
        constexpr std::size_t kDepth = 256;
        const std::size_t vectors = kernels.max_vectors;
        const std::size_t pixels = kernels.max_pixels[vectors - 1];
        const std::size_t width = vectors * kernels.columns;
        const auto a = hwy::AllocateAligned<float>(pixels * 8);
        const auto b = hwy::AllocateAligned<float>((kDepth + 1) * width);
        const auto c = hwy::AllocateAligned<float>(pixels * width);
        std::fill_n(a.get(), pixels * 8, 0.5F);
        std::fill_n(b.get(), (kDepth + 1) * width, 0.5F);
        const std::vector<std::ptrdiff_t> offsets(kDepth / 8, 0);
        cpu::GemmTile tile{};
        tile.input = a.get();
        tile.offsets = offsets.data();
        tile.segment_count = offsets.size();
        tile.segment_length = 8;
        tile.pixel_stride = 8;
        tile.weights = b.get();
        tile.bias = b.get();
        tile.output = c.get();
        tile.output_stride = tile.channels = width;
        std::vector<double> rates;
        for (int run = 0; run < 200; ++run) {
            const double start = thread_time();
            for (int i = 0; i < 100; ++i) {
                kernels.tiles[vectors - 1][pixels - 1](tile);
            }
            const double time = thread_time() - start;
            rates.push_back(200.0 * static_cast<double>(kDepth * pixels * width) / time);
        }
        std::ranges::nth_element(rates, rates.begin() + 100);
        return rates[100];
    }();
    return peak;
}

graph::Graph layer_graph(const Layer& layer) {
    const std::uint32_t in = layer.depthwise ? 1 : layer.in;
    const std::uint32_t pad = layer.kernel / 2;
    ops::Conv2d op{.padding = {pad, pad, pad, pad},
                   .strides = {layer.stride, layer.stride},
                   .groups = layer.depthwise ? layer.in : 1,
                   .input_layout = ops::InputLayout::Nhwc,
                   .filter_layout = ops::Conv2dFilterLayout::Ohwi,
                   .has_bias = true,
                   .activation = {.kind = ops::UnaryKind::Relu}};
    graph::GraphParts parts;
    const auto add = [&](std::initializer_list<std::uint32_t> dims, bool constant) {
        const auto desc =
            must(graph::TensorDesc::create(graph::DataType::Float32, graph::Shape(dims)));
        const std::vector<float> values(constant ? desc.element_count() : 0, 0.01F);
        return parts.add(
            {.desc = desc,
             .kind = constant ? graph::OperandKind::Constant : graph::OperandKind::Input,
             .name = constant ? "" : "x",
             .data = constant ? graph::ConstantData::copy(std::span<const float>(values))
                              : graph::ConstantData{}});
    };
    graph::Node node{.attributes = op, .inputs = {}, .outputs = {}, .label = layer.name};
    node.inputs = {add({1, layer.height, layer.width, layer.in}, false),
                   add({layer.out, layer.kernel, layer.kernel, in}, true), add({layer.out}, true)};
    std::vector<graph::TensorDesc> descs;
    for (const graph::OperandId id : node.inputs) {
        descs.push_back(parts.operand(id).desc);
    }
    const auto out = must(ops::infer(node.attributes, descs));
    node.outputs = {
        parts.add({.desc = out[0], .kind = graph::OperandKind::Result, .name = "y", .data = {}})};
    parts.inputs = {{"x", node.inputs[0]}};
    parts.outputs = {{"y", node.outputs[0]}};
    parts.nodes.push_back(std::move(node));
    return must(graph::Graph::create(std::move(parts)));
}

void run_layer(benchmark::State& state, const Layer& layer, unsigned threads) {
    const graph::Graph graph = layer_graph(layer);
    const graph::Node& node = graph.nodes()[0];
    const auto kernel = must(cpu::backend().lower(graph, node));
    const std::size_t in_count = graph.desc(node.inputs[0]).element_count();
    const std::size_t out_count = graph.desc(node.outputs[0]).element_count();
    const auto x = hwy::AllocateAligned<float>(in_count);
    const auto y = hwy::AllocateAligned<float>(out_count);
    const auto scratch = hwy::AllocateAligned<std::byte>(kernel->scratch_bytes(threads) + 64);
    std::fill_n(x.get(), in_count, 0.5F);
    std::fill_n(y.get(), out_count, 0.0F);
    const std::byte* const inputs[] = {reinterpret_cast<const std::byte*>(x.get()), nullptr,
                                       nullptr};
    std::byte* const outputs[] = {reinterpret_cast<std::byte*>(y.get())};
    runtime::ThreadPool pool(threads);
    // The median counts: on a shared machine, single times are too long, or even too short.
    std::vector<double> times;
    for (auto _ : state) {
        const double start = threads == 1 ? thread_time() : wall_time();
        kernel->run(
            {.inputs = inputs, .outputs = outputs, .scratch = scratch.get(), .threads = pool});
        times.push_back((threads == 1 ? thread_time() : wall_time()) - start);
        benchmark::ClobberMemory();
    }
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::ranges::nth_element(times, middle);
    const double flops = 2.0 * static_cast<double>(out_count) * layer.kernel * layer.kernel *
                         (layer.depthwise ? 1 : layer.in);
    state.counters["median_us"] = *middle / 1e3;
    state.counters["GFLOP/s"] = flops / *middle;
    state.counters["of_peak"] = flops / *middle / (peak_gflops() * threads);
}

} // namespace
} // namespace sluice::bench

int main(int argc, char** argv) {
    namespace bench = sluice::bench;
    // SLUICE_BENCH_AVX2=1: as on a processor without AVX-512.
    if (const char* avx2 = std::getenv("SLUICE_BENCH_AVX2"); avx2 != nullptr && *avx2 == '1') {
        hwy::SetSupportedTargetsForTest(HWY_AVX2);
    }
    for (const unsigned threads : {1U, 2U}) {
        for (const bench::Layer& layer : bench::kLayers) {
            const std::string name =
                std::format("{}/{}x{}x{}->{}/k{}s{}/threads:{}", layer.name, layer.height,
                            layer.width, layer.in, layer.out, layer.kernel, layer.stride, threads);
            benchmark::RegisterBenchmark(name, [&layer, threads](benchmark::State& state) {
                bench::run_layer(state, layer, threads);
            })->UseRealTime();
        }
    }
    benchmark::AddCustomContext("instruction_set", sluice::cpu::instruction_set());
    benchmark::AddCustomContext("peak_gflops_1_thread", std::to_string(bench::peak_gflops()));
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
