// SPDX-License-Identifier: Apache-2.0
// Finding and running bottlenecks.
#include "core/cpu/bottleneck.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/checked_math.h"
#include "core/cpu/cache_size.h"
#include "core/cpu/conv_planar.h"
#include "core/cpu/conv_shape.h"
#include "core/cpu/depthwise.h"
#include "core/cpu/packed_weights.h"
#include "core/cpu/partition.h"
#include "core/ops/attributes.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

// Of the pixels that a panel of weights is applied to before the next panel: most of a usual L1.
constexpr std::size_t kBottleneckBlockBytes = std::size_t{24} << 10U;
constexpr std::size_t kBottleneckBlockPixels = 24; // a multiple of the largest tiles
// The projection takes so many pixels at a time: rows of small pictures would leave it tiles of a
// few pixels each.
constexpr std::size_t kMinProjected = 96;
constexpr std::size_t kMinExpandedBytes = std::size_t{512} << 10U;
// Rows of a strip with an expansion, below which what neighbours compute twice is not worth having
// more strips than threads.
constexpr std::size_t kMinSpareRows = 32;

// The 1x1 product of a row of pixels.
struct PointRow {
    const float* input;
    std::size_t in_channels;
    std::size_t pixels;
    const float* residual; // null: none
    std::size_t residual_channels;
    float* output;
    std::size_t out_channels;
    Activation activation;
};

void multiply(const GemmKernels& kernels, const PackedWeights& weights, const PointRow& row) {
    constexpr std::ptrdiff_t kStart = 0;
    const std::size_t fitting = kBottleneckBlockBytes / (row.in_channels * sizeof(float));
    const std::size_t block =
        std::max<std::size_t>(fitting / kBottleneckBlockPixels, 1) * kBottleneckBlockPixels;
    GemmTile tile{};
    tile.input = row.input;
    tile.offsets = &kStart;
    tile.segment_count = 1;
    tile.segment_length = row.in_channels;
    tile.pixel_stride = row.in_channels;
    tile.residual_stride = row.residual_channels;
    tile.residual_channels = row.residual_channels;
    tile.output_stride = row.out_channels;
    tile.activation = row.activation;
    for (std::size_t x = 0; x < row.pixels; x += block) {
        tile.base = static_cast<std::ptrdiff_t>(x * row.in_channels);
        tile.residual =
            row.residual == nullptr ? nullptr : row.residual + x * row.residual_channels;
        tile.output = row.output + x * row.out_channels;
        for (const PackedWeights::Panel& panel : weights.panels()) {
            run_panel(kernels, panel, 0, std::min(block, row.pixels - x), tile);
        }
    }
}

// Some of the expanded channels: the pass that makes them and adds what they give to the result.
struct Pass {
    std::size_t channels;
    PackedWeights expand; // unused without an expansion
    DepthwiseRows depthwise;
    PackedWeights project;
};

struct Shapes {
    ConvShape expand{}; // all zero: there is none
    ConvShape depthwise{};
    ConvShape project{};
    [[nodiscard]] bool expands() const { return expand.out_channels > 0; }
};

// Inputs of the kernel: the picture, and the residual where there is one.
class BottleneckKernel final : public runtime::Kernel {
public:
    struct Inputs {
        std::size_t picture, residual;
    };
    BottleneckKernel(const Shapes& shapes, std::vector<Pass> passes, const Inputs& inputs)
        : shapes_(shapes), passes_(std::move(passes)), inputs_(inputs), kernels_(gemm_kernels()) {
        const ConvShape& d = shapes_.depthwise;
        for (const Pass& pass : passes_) {
            if (shapes_.expands()) {
                ring_floats_ = std::max(ring_floats_, d.kernel_height * d.in_width * pass.channels);
            }
            row_floats_ = std::max(row_floats_, d.out_width * pass.channels);
        }
        rows_ = std::min(div_ceil(kMinProjected, d.out_width), d.out_height);
        row_floats_ *= rows_;
        ring_floats_ = align_up(ring_floats_, kAlignedFloats);
        row_floats_ = align_up(row_floats_, kAlignedFloats);
    }

    void run(const runtime::KernelIo& io) const override {
        const Partition work = divide(io.threads.threads());
        auto* const scratch = reinterpret_cast<float*>(io.scratch);
        io.threads.parallel_for(
            shapes_.depthwise.out_height, work.grain, [&](std::size_t begin, std::size_t end) {
                float* const ring = scratch + begin / work.grain * (ring_floats_ + row_floats_);
                for (const Pass& pass : passes_) {
                    run_pass(io, pass, ring, begin, end);
                }
            });
    }
    [[nodiscard]] std::size_t scratch_bytes(unsigned threads) const override {
        return (ring_floats_ + row_floats_) * sizeof(float) * divide(threads).chunks;
    }

private:
    static constexpr std::size_t kAlignedFloats = runtime::kTensorAlignment / sizeof(float);

    [[nodiscard]] Partition divide(unsigned threads) const;
    void run_pass(const runtime::KernelIo& io, const Pass& pass, float* ring, std::size_t begin,
                  std::size_t end) const;
    // Row `padded` of the expanded picture, counted from the first of the padding above.
    void expand_row(const runtime::KernelIo& io, const Pass& pass, float* ring,
                    std::size_t padded) const;
    // Row y of the depthwise result.
    void filter_row(const runtime::KernelIo& io, const Pass& pass, const float* ring, std::size_t y,
                    float* to) const;
    void project_rows(const runtime::KernelIo& io, const Pass& pass, const float* from,
                      std::size_t y, std::size_t rows) const;

    Shapes shapes_;
    std::vector<Pass> passes_;
    Inputs inputs_;
    const GemmKernels& kernels_;
    std::size_t ring_floats_ = 0; // kernel_height rows of the expanded picture
    std::size_t rows_ = 1;        // of the depthwise result that are projected at a time
    std::size_t row_floats_ = 0;  // all of them
};

Partition BottleneckKernel::divide(unsigned threads) const {
    const ConvShape& d = shapes_.depthwise;
    double flops = kDepthwiseLoadFactor * d.flops_per_pixel() + shapes_.project.flops_per_pixel();
    if (shapes_.expands()) {
        flops += shapes_.expand.flops_per_pixel() * static_cast<double>(d.stride_y * d.stride_x);
    }
    flops *= static_cast<double>(d.out_width);
    Partition work = partition(d.out_height, flops, threads);
    if (shapes_.expands() && work.chunks > threads && work.grain < kMinSpareRows) {
        work.grain = div_ceil(d.out_height, std::size_t{threads});
        work.chunks = div_ceil(d.out_height, work.grain);
    }
    return work;
}

void BottleneckKernel::run_pass(const runtime::KernelIo& io, const Pass& pass, float* ring,
                                std::size_t begin, std::size_t end) const {
    const ConvShape& d = shapes_.depthwise;
    float* const between = ring + ring_floats_;
    std::size_t made = begin * d.stride_y; // rows up to here, counted with the padding
    for (std::size_t y = begin; y < end; y += rows_) {
        const std::size_t rows = std::min(rows_, end - y);
        for (std::size_t i = 0; i < rows; ++i) {
            const std::size_t needed = (y + i) * d.stride_y + d.kernel_height;
            for (; shapes_.expands() && made < needed; ++made) {
                expand_row(io, pass, ring, made);
            }
            filter_row(io, pass, ring, y + i, between + i * d.out_width * pass.channels);
        }
        project_rows(io, pass, between, y, rows);
    }
}

void BottleneckKernel::filter_row(const runtime::KernelIo& io, const Pass& pass, const float* ring,
                                  std::size_t y, float* to) const {
    const ConvShape& d = shapes_.depthwise;
    DepthwiseRows::Row row{};
    if (shapes_.expands()) {
        row.input = ring;
        row.row_stride = d.in_width * pass.channels;
        // Slot i of the ring holds the row i - first of the window, modulo its height.
        const std::size_t first = y * d.stride_y % d.kernel_height;
        row.first_tap = (d.kernel_height - first) % d.kernel_height;
        row.rows = d.kernel_height;
    } else {
        row = depthwise_row(d, y);
        row.input = io.input<float>(inputs_.picture);
    }
    row.output = to;
    pass.depthwise.run(row);
}

void BottleneckKernel::expand_row(const runtime::KernelIo& io, const Pass& pass, float* ring,
                                  std::size_t padded) const {
    const ConvShape& d = shapes_.depthwise;
    const ConvShape& e = shapes_.expand;
    const std::size_t floats = d.in_width * pass.channels;
    float* const to = ring + padded % d.kernel_height * floats;
    if (padded < d.pad_top || padded >= d.pad_top + d.in_height) {
        std::fill_n(to, floats, 0.0F);
        return;
    }
    const std::size_t row = (padded - d.pad_top) * e.in_width * e.in_channels;
    multiply(kernels_, pass.expand,
             {.input = io.input<float>(inputs_.picture) + row,
              .in_channels = e.in_channels,
              .pixels = e.in_width,
              .residual = nullptr,
              .residual_channels = 0,
              .output = to,
              .out_channels = pass.channels,
              .activation = e.activation});
}

void BottleneckKernel::project_rows(const runtime::KernelIo& io, const Pass& pass,
                                    const float* from, std::size_t y, std::size_t rows) const {
    const ConvShape& p = shapes_.project;
    const std::size_t first = y * p.out_width;
    float* const to = io.output<float>(0) + first * p.out_channels;
    PointRow row{.input = from,
                 .in_channels = pass.channels,
                 .pixels = rows * p.out_width,
                 .residual = nullptr,
                 .residual_channels = 0,
                 .output = to,
                 .out_channels = p.out_channels,
                 .activation = {}};
    if (&pass != &passes_.front()) { // adds to what the passes before it left
        row.residual = to;
        row.residual_channels = p.out_channels;
    } else if (p.residual_channels > 0) {
        row.residual = io.input<float>(inputs_.residual) + first * p.residual_channels;
        row.residual_channels = p.residual_channels;
    }
    if (&pass == &passes_.back()) {
        row.activation = p.activation;
    }
    multiply(kernels_, pass.project, row);
}

// The convolution of a node that the CPU's kernels can run on one picture.
const ops::Conv2d* conv_of(const graph::Graph& graph, std::size_t at) {
    if (at >= graph.nodes().size()) {
        return nullptr;
    }
    const graph::Node& node = graph.nodes()[at];
    const auto* op = std::get_if<ops::Conv2d>(&node.attributes);
    if (op == nullptr || !require_conv(graph, node, *op)) {
        return nullptr;
    }
    const auto is_constant = [&](graph::OperandId id) {
        return graph.operand(id).kind == graph::OperandKind::Constant;
    };
    const bool varies =
        !is_constant(node.inputs[0]) && !(op->has_residual && is_constant(node.inputs.back()));
    return varies && graph.desc(node.inputs[0]).shape()[0] == 1 ? op : nullptr;
}

bool is_point(const graph::Graph& graph, std::size_t at) {
    const ops::Conv2d* const op = conv_of(graph, at);
    if (op == nullptr) {
        return false;
    }
    const ConvShape s = conv_shape(graph, graph.nodes()[at], *op);
    return s.taps() == 1 && s.groups == 1 && s.stride_x == 1 && s.stride_y == 1 && s.pad_top == 0 &&
           s.pad_left == 0 && s.in_width == s.out_width && s.in_height == s.out_height &&
           !suits_planes(s);
}

bool is_depthwise(const graph::Graph& graph, std::size_t at, bool expanded) {
    const ops::Conv2d* const op = conv_of(graph, at);
    if (op == nullptr || op->has_residual) {
        return false;
    }
    const ConvShape s = conv_shape(graph, graph.nodes()[at], *op);
    // Of a ring of kernel_height rows, none may be skipped.
    const bool rings = s.dilation_y == 1 && s.stride_y <= s.kernel_height;
    return s.groups == s.in_channels && s.out_channels == s.in_channels && s.groups > 1 &&
           (rings || !expanded);
}

// Smaller expanded pictures stay in the cache as they are, and whole pictures are faster to
// multiply than rows.
bool is_large(const graph::Graph& graph, std::size_t at) {
    return graph.desc(graph.nodes()[at].outputs[0]).element_count() * sizeof(float) >
           kMinExpandedBytes;
}

// Whether node `at + 1` reads the result of node `at` as its picture, and nobody else does.
bool is_joined(const graph::Graph& graph, std::size_t at) {
    const graph::OperandId id = graph.nodes()[at].outputs[0];
    std::size_t readers = 0;
    for (const graph::Node& node : graph.nodes()) {
        readers += static_cast<std::size_t>(std::ranges::count(node.inputs, id));
    }
    return graph.nodes()[at + 1].inputs[0] == id && readers == 1 &&
           !std::ranges::contains(graph.outputs(), id, &graph::NamedOperand::id);
}

// Columns [first, first + count) of the matrix of a 1x1 convolution: of its output channels.
Result<PackedWeights> pack_outputs(const ConvShape& s, const ConvConstants& data, std::size_t first,
                                   std::size_t count) {
    const std::span<const float> bias =
        data.bias.empty() ? std::span<const float>() : std::span(data.bias).subspan(first, count);
    return PackedWeights::pack({s.in_channels, count}, bias, [&](std::size_t k, std::size_t n) {
        return data.at(first + n, 0, 0, k);
    });
}

// Its rows [first, first + count): of its input channels. The bias goes with the first of them.
Result<PackedWeights> pack_inputs(const ConvShape& s, const ConvConstants& data, std::size_t first,
                                  std::size_t count) {
    const std::span<const float> bias =
        first > 0 ? std::span<const float>() : std::span<const float>(data.bias);
    return PackedWeights::pack({count, s.out_channels}, bias, [&](std::size_t k, std::size_t n) {
        return data.at(n, 0, 0, first + k);
    });
}

// How many channels a pass takes, so that all it touches for a row fits in the cache.
std::size_t pass_channels(const Shapes& shapes) {
    const ConvShape& d = shapes.depthwise;
    if (!shapes.expands()) {
        return d.in_channels;
    }
    const std::size_t bytes =
        sizeof(float) * (d.kernel_height * d.in_width + d.out_width + shapes.expand.in_channels +
                         shapes.project.out_channels);
    const std::size_t fitting = std::max<std::size_t>(l2_cache_bytes() * 3 / 4 / bytes, 1);
    const GemmPanels& full = gemm_kernels().panels(PanelKind::Full);
    const std::size_t panel = full.columns * full.max_vectors;
    return std::min(align_up(div_ceil(d.in_channels, div_ceil(d.in_channels, fitting)), panel),
                    d.in_channels);
}

} // namespace

std::optional<Bottleneck> find_bottleneck(const graph::Graph& graph, std::size_t first) {
    const bool expands = is_point(graph, first) && is_large(graph, first);
    const std::size_t depthwise = expands ? first + 1 : first;
    if (!is_depthwise(graph, depthwise, expands) || !is_point(graph, depthwise + 1) ||
        !is_joined(graph, depthwise)) {
        return std::nullopt;
    }
    const graph::Node* const nodes = graph.nodes().data();
    if (!expands) {
        return Bottleneck{.expand = nullptr,
                          .depthwise = nodes + first,
                          .project = nodes + first + 1,
                          .node_count = 2};
    }
    if (!is_joined(graph, first) || std::get<ops::Conv2d>(nodes[first].attributes).has_residual) {
        return std::nullopt;
    }
    return Bottleneck{.expand = nodes + first,
                      .depthwise = nodes + first + 1,
                      .project = nodes + first + 2,
                      .node_count = 3};
}

Result<std::unique_ptr<runtime::Kernel>> make_bottleneck(const graph::Graph& graph,
                                                         const Bottleneck& bottleneck,
                                                         const runtime::Segment& segment) {
    const auto shape_of = [&](const graph::Node* node) {
        return conv_shape(graph, *node, std::get<ops::Conv2d>(node->attributes));
    };
    const auto constants_of = [&](const graph::Node* node) {
        return conv_constants(graph, *node, std::get<ops::Conv2d>(node->attributes));
    };
    Shapes shapes;
    ConvConstants expand{};
    if (bottleneck.expand != nullptr) {
        shapes.expand = shape_of(bottleneck.expand);
        expand = constants_of(bottleneck.expand);
    }
    shapes.depthwise = shape_of(bottleneck.depthwise);
    shapes.project = shape_of(bottleneck.project);
    const ConvConstants depthwise = constants_of(bottleneck.depthwise);
    const ConvConstants project = constants_of(bottleneck.project);

    const std::size_t channels = shapes.depthwise.in_channels;
    const std::size_t most = pass_channels(shapes);
    std::vector<Pass> passes;
    for (std::size_t first = 0; first < channels; first += most) {
        const std::size_t count = std::min(most, channels - first);
        PackedWeights expanding;
        if (shapes.expands()) {
            SLUICE_TRY_ASSIGN(expanding, pack_outputs(shapes.expand, expand, first, count));
        }
        SLUICE_TRY_ASSIGN(DepthwiseRows rows,
                          DepthwiseRows::create(shapes.depthwise, depthwise, first, count));
        SLUICE_TRY_ASSIGN(PackedWeights projecting,
                          pack_inputs(shapes.project, project, first, count));
        passes.push_back({.channels = count,
                          .expand = std::move(expanding),
                          .depthwise = std::move(rows),
                          .project = std::move(projecting)});
    }
    const graph::Node& start =
        bottleneck.expand != nullptr ? *bottleneck.expand : *bottleneck.depthwise;
    const auto index = [&](graph::OperandId id) {
        return static_cast<std::size_t>(std::ranges::find(segment.inputs, id) -
                                        segment.inputs.begin());
    };
    return std::make_unique<BottleneckKernel>(
        shapes, std::move(passes),
        BottleneckKernel::Inputs{.picture = index(start.inputs[0]),
                                 .residual = index(bottleneck.project->inputs.back())});
}

} // namespace sluice::cpu
