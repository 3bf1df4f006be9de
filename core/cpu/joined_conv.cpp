// SPDX-License-Identifier: Apache-2.0
// Concat and 1x1 convolution: pixels are joined in a block that the matrix product then reads.
#include "core/cpu/joined_conv.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/checked_math.h"
#include "core/cpu/cache_size.h"
#include "core/cpu/conv_planar.h"
#include "core/cpu/conv_shape.h"
#include "core/cpu/packed_weights.h"
#include "core/cpu/partition.h"
#include "core/ops/attributes.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

using graph::OperandId;

// Of joined pixels: they and a panel of weights share the first-level cache where they can.
constexpr std::size_t kJoinedBlockBytes = std::size_t{24} << 10U;
constexpr std::size_t kJoinedBlockPixels = 24; // a multiple of every tile size

bool is_read_elsewhere(const graph::Graph& graph, OperandId id, const graph::Node& reader) {
    return std::ranges::contains(graph.outputs(), id, &graph::NamedOperand::id) ||
           std::ranges::any_of(graph.nodes(), [&](const graph::Node& node) {
               return &node != &reader && std::ranges::contains(node.inputs, id);
           });
}

class JoinedConv final : public runtime::Kernel {
public:
    struct Piece {
        std::size_t input; // of the kernel
        std::size_t channels;
    };

    JoinedConv(const ConvShape& shape, PackedWeights weights, std::vector<Piece> pieces,
               std::size_t residual)
        : shape_(shape), kernels_(gemm_kernels()), weights_(std::move(weights)),
          pieces_(std::move(pieces)), residual_(residual),
          pixels_(shape.batch * shape.out_height * shape.out_width) {
        const std::size_t fitting = kJoinedBlockBytes / (shape.in_channels * sizeof(float));
        block_ = std::max(fitting / kJoinedBlockPixels, std::size_t{1}) * kJoinedBlockPixels;
        block_floats_ = align_up(block_ * shape.in_channels, 16);
    }

    void run(const runtime::KernelIo& io) const override {
        const Partition work = divide(io.threads.threads());
        auto* const scratch = reinterpret_cast<float*>(io.scratch);
        io.threads.parallel_for(
            div_ceil(pixels_, block_), work.grain, [&](std::size_t begin, std::size_t end) {
                float* const mine = scratch + begin / work.grain * block_floats_;
                for (std::size_t i = begin; i < end; ++i) {
                    run_block(io, i * block_, std::min((i + 1) * block_, pixels_), mine);
                }
            });
    }
    [[nodiscard]] std::size_t scratch_bytes(unsigned threads) const override {
        return divide(threads).chunks * block_floats_ * sizeof(float);
    }

private:
    [[nodiscard]] Partition divide(unsigned threads) const {
        const double flops = shape_.flops_per_pixel() * static_cast<double>(block_);
        return partition(div_ceil(pixels_, block_), flops, threads);
    }
    void run_block(const runtime::KernelIo& io, std::size_t begin, std::size_t end,
                   float* joined) const;

    ConvShape shape_;
    const GemmKernels& kernels_;
    PackedWeights weights_;
    std::vector<Piece> pieces_; // in the order in which they are joined
    std::size_t residual_;      // which of the kernel's inputs, where there is one
    std::size_t pixels_;
    std::size_t block_ = 0; // pixels
    std::size_t block_floats_ = 0;
};

void JoinedConv::run_block(const runtime::KernelIo& io, std::size_t begin, std::size_t end,
                           float* joined) const {
    const ConvShape& s = shape_;
    float* to = joined;
    for (const Piece& piece : pieces_) {
        const float* from = io.input<float>(piece.input) + begin * piece.channels;
        for (std::size_t i = 0; i < end - begin; ++i) {
            std::memcpy(to + i * s.in_channels, from + i * piece.channels,
                        piece.channels * sizeof(float));
        }
        to += piece.channels;
    }
    static constexpr std::ptrdiff_t kNoOffset = 0;
    GemmTile tile{};
    tile.input = joined;
    tile.offsets = &kNoOffset;
    tile.segment_count = 1;
    tile.segment_length = tile.pixel_stride = s.in_channels;
    if (s.residual_channels > 0) {
        tile.residual = io.input<float>(residual_) + begin * s.residual_channels;
        tile.residual_stride = tile.residual_channels = s.residual_channels;
    }
    tile.output = io.output<float>(0) + begin * s.out_channels;
    tile.output_stride = s.out_channels;
    tile.activation = s.activation;
    for (const PackedWeights::Panel& panel : weights_.panels()) {
        run_panel(kernels_, panel, 0, end - begin, tile);
    }
}

std::size_t place_of(const runtime::Segment& segment, OperandId id) {
    return static_cast<std::size_t>(std::ranges::find(segment.inputs, id) - segment.inputs.begin());
}

} // namespace

bool is_joined_conv(const graph::Graph& graph, std::size_t first) {
    if (first + 1 >= graph.nodes().size()) {
        return false;
    }
    const graph::Node& join = graph.nodes()[first];
    const graph::Node& reader = graph.nodes()[first + 1];
    const auto* concat = std::get_if<ops::Concat>(&join.attributes);
    const auto* conv = std::get_if<ops::Conv2d>(&reader.attributes);
    if (concat == nullptr || conv == nullptr || concat->axis != 3) {
        return false;
    }
    const OperandId joined = join.outputs[0];
    const bool is_constant = std::ranges::any_of(join.inputs, [&](OperandId id) {
        return graph.operand(id).kind == graph::OperandKind::Constant;
    });
    if (is_constant || reader.inputs[0] != joined ||
        std::ranges::count(reader.inputs, joined) != 1 ||
        is_read_elsewhere(graph, joined, reader) || !require_conv(graph, reader, *conv)) {
        return false;
    }
    const ConvShape s = conv_shape(graph, reader, *conv);
    const bool is_residual_constant =
        s.residual_channels > 0 &&
        graph.operand(reader.inputs.back()).kind == graph::OperandKind::Constant;
    const std::size_t pixels = s.batch * s.in_height * s.in_width;
    return s.groups == 1 && s.taps() == 1 && s.stride_x == 1 && s.stride_y == 1 &&
           s.out_height == s.in_height && s.out_width == s.in_width && s.pad_top == 0 &&
           s.pad_left == 0 && !suits_planes(s) && !is_residual_constant &&
           pixels * s.in_channels * sizeof(float) > l2_cache_bytes();
}

Result<std::unique_ptr<runtime::Kernel>> make_joined_conv(const graph::Graph& graph,
                                                          const runtime::Segment& segment) {
    const graph::Node& join = *segment.nodes[0];
    const graph::Node& reader = *segment.nodes[1];
    const auto& op = std::get<ops::Conv2d>(reader.attributes);
    const ConvShape shape = conv_shape(graph, reader, op);
    const ConvConstants data = conv_constants(graph, reader, op);
    SLUICE_TRY_ASSIGN(
        PackedWeights weights,
        PackedWeights::pack({shape.in_channels, shape.out_channels}, data.bias,
                            [&](std::size_t k, std::size_t n) { return data.at(n, 0, 0, k); }));
    std::vector<JoinedConv::Piece> pieces;
    pieces.reserve(join.inputs.size());
    for (const OperandId id : join.inputs) {
        pieces.push_back({.input = place_of(segment, id), .channels = graph.desc(id).shape()[3]});
    }
    return std::make_unique<JoinedConv>(shape, std::move(weights), std::move(pieces),
                                        place_of(segment, reader.inputs.back()));
}

} // namespace sluice::cpu
