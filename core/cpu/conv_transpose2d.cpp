// SPDX-License-Identifier: Apache-2.0
// conv_transpose2d on the CPU: one matrix product per tap of the kernel, straight into the output.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/checked_math.h"
#include "core/cpu/conv_shape.h"
#include "core/cpu/lowerings.h"
#include "core/cpu/packed_weights.h"
#include "core/cpu/partition.h"
#include "core/ops/attributes.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

struct TransposeShape {
    std::size_t batch, in_height, in_width, in_channels;
    std::size_t out_height, out_width, out_channels;
    std::size_t kernel_height, kernel_width;
    std::size_t stride_y, stride_x, dilation_y, dilation_x;
    std::size_t pad_top, pad_left;
    std::size_t groups;
    Activation activation;

    [[nodiscard]] std::size_t group_in() const { return in_channels / groups; }
    [[nodiscard]] std::size_t group_out() const { return out_channels / groups; }
    [[nodiscard]] std::size_t taps() const { return kernel_height * kernel_width; }
    [[nodiscard]] double flops_per_input_row() const {
        return 2.0 * static_cast<double>(in_width * taps() * in_channels * group_out());
    }
};

// Output channel o of a group, input channel i of all.
struct Filter {
    std::vector<float> values;
    std::size_t stride_o, stride_y, stride_x, stride_i;

    [[nodiscard]] float at(std::size_t o, std::size_t y, std::size_t x, std::size_t i) const {
        return values[o * stride_o + y * stride_y + x * stride_x + i * stride_i];
    }
};

constexpr std::ptrdiff_t kNoOffset = 0;

// The kernel fits its stride exactly, so that each output pixel comes from one tap: one product per
// kernel row, whose columns are the taps of the row.
class TiledTranspose final : public runtime::Kernel {
public:
    TiledTranspose(const TransposeShape& shape, std::vector<PackedWeights> rows)
        : shape_(shape), kernels_(gemm_kernels()), rows_(std::move(rows)) {}

    void run(const runtime::KernelIo& io) const override {
        const TransposeShape& s = shape_;
        const std::size_t count = s.batch * s.in_height;
        const Partition work = partition(count, s.flops_per_input_row(), io.threads.threads());
        io.threads.parallel_for(count, work.grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) {
                run_row(io, row);
            }
        });
    }

private:
    void run_row(const runtime::KernelIo& io, std::size_t row) const {
        const TransposeShape& s = shape_;
        GemmTile tile{};
        tile.input = io.input<float>(0) + row * s.in_width * s.in_channels;
        tile.offsets = &kNoOffset;
        tile.segment_count = 1;
        tile.segment_length = tile.pixel_stride = s.in_channels;
        tile.output_stride = s.stride_x * s.out_channels;
        tile.activation = s.activation;
        for (std::size_t y = 0; y < s.kernel_height; ++y) {
            tile.output =
                io.output<float>(0) + (row * s.stride_y + y) * s.out_width * s.out_channels;
            for (const PackedWeights::Panel& panel : rows_[y].panels()) {
                run_panel(kernels_, panel, 0, s.in_width, tile);
            }
        }
    }

    TransposeShape shape_;
    const GemmKernels& kernels_;
    std::vector<PackedWeights> rows_;
};

// The same with so few columns that the taps of all rows fit one vector: one product into a buffer,
// from where the pixels go to their rows.
class ScatteredTranspose final : public runtime::Kernel {
public:
    // Columns are [kernel row][kernel column][output channel].
    ScatteredTranspose(const TransposeShape& shape, PackedWeights taps)
        : shape_(shape), kernels_(gemm_kernels()), taps_(std::move(taps)) {}

    void run(const runtime::KernelIo& io) const override {
        const Partition work = divide(io.threads.threads());
        auto* const scratch = reinterpret_cast<float*>(io.scratch);
        io.threads.parallel_for(row_count(), work.grain, [&](std::size_t begin, std::size_t end) {
            float* const buffer = scratch + begin / work.grain * buffer_floats();
            for (std::size_t row = begin; row < end; ++row) {
                run_row(io, row, buffer);
            }
        });
    }
    [[nodiscard]] std::size_t scratch_bytes(unsigned threads) const override {
        return divide(threads).chunks * buffer_floats() * sizeof(float);
    }

private:
    [[nodiscard]] std::size_t row_count() const { return shape_.batch * shape_.in_height; }
    [[nodiscard]] std::size_t columns() const { return shape_.taps() * shape_.out_channels; }
    [[nodiscard]] std::size_t buffer_floats() const {
        return align_up(shape_.in_width * columns(), 16);
    }
    [[nodiscard]] Partition divide(unsigned threads) const {
        return partition(row_count(), shape_.flops_per_input_row(), threads);
    }
    void run_row(const runtime::KernelIo& io, std::size_t row, float* buffer) const {
        const TransposeShape& s = shape_;
        GemmTile tile{};
        tile.input = io.input<float>(0) + row * s.in_width * s.in_channels;
        tile.offsets = &kNoOffset;
        tile.segment_count = 1;
        tile.segment_length = tile.pixel_stride = s.in_channels;
        tile.output = buffer;
        tile.output_stride = columns();
        for (const PackedWeights::Panel& panel : taps_.panels()) {
            run_panel(kernels_, panel, 0, s.in_width, tile);
        }
        const std::size_t width = s.kernel_width * s.out_channels;
        for (std::size_t y = 0; y < s.kernel_height; ++y) {
            float* const to =
                io.output<float>(0) + (row * s.stride_y + y) * s.out_width * s.out_channels;
            const float* const from = buffer + y * width;
            for (std::size_t x = 0; x < s.in_width; ++x) {
                for (std::size_t i = 0; i < width; ++i) {
                    to[x * width + i] = from[x * columns() + i];
                }
            }
            if (s.activation.kind != ops::UnaryKind::Identity) {
                kernels_.activate(to, s.in_width * width, s.activation);
            }
        }
    }

    TransposeShape shape_;
    const GemmKernels& kernels_;
    PackedWeights taps_;
};

// Everything else: each output row starts as the bias, every tap that reaches it adds its product,
// and the activation comes last.
class GeneralTranspose final : public runtime::Kernel {
public:
    // One matrix per group and tap; one without rows per group, for the bias.
    GeneralTranspose(const TransposeShape& shape, std::vector<PackedWeights> taps,
                     std::vector<PackedWeights> biases)
        : shape_(shape), kernels_(gemm_kernels()), taps_(std::move(taps)),
          biases_(std::move(biases)) {}

    void run(const runtime::KernelIo& io) const override {
        const TransposeShape& s = shape_;
        const std::size_t count = s.batch * s.out_height;
        const Partition work =
            partition(count,
                      s.flops_per_input_row() * static_cast<double>(s.in_height) /
                          static_cast<double>(s.out_height),
                      io.threads.threads());
        io.threads.parallel_for(count, work.grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) {
                for (std::size_t group = 0; group < s.groups; ++group) {
                    run_row(io, row / s.out_height, row % s.out_height, group);
                }
            }
        });
    }

private:
    void run_row(const runtime::KernelIo& io, std::size_t image, std::size_t y,
                 std::size_t group) const {
        const TransposeShape& s = shape_;
        float* const output = io.output<float>(0) +
                              (image * s.out_height + y) * s.out_width * s.out_channels +
                              group * s.group_out();
        // Every pixel of the row, without a product.
        GemmTile whole{};
        whole.input = io.input<float>(0);
        whole.offsets = &kNoOffset;
        whole.output = output;
        whole.output_stride = s.out_channels;
        run_panels(biases_[group], s.out_width, whole);
        for (std::size_t ky = 0; ky < s.kernel_height; ++ky) {
            const std::size_t from = y + s.pad_top;
            const std::size_t tap = ky * s.dilation_y;
            if (from < tap || (from - tap) % s.stride_y != 0 ||
                (from - tap) / s.stride_y >= s.in_height) {
                continue;
            }
            const std::size_t row = image * s.in_height + (from - tap) / s.stride_y;
            for (std::size_t kx = 0; kx < s.kernel_width; ++kx) {
                add_tap(io, row, group, ky * s.kernel_width + kx, kx * s.dilation_x, output);
            }
        }
        if (s.activation.kind != ops::UnaryKind::Identity) {
            whole.residual = output;
            whole.residual_stride = s.out_channels;
            whole.residual_channels = s.group_out();
            whole.activation = s.activation;
            run_panels(taps_[group * s.taps()], s.out_width, whole);
        }
    }

    // Adds the product of an input row with one tap; input column x lands on output column x *
    // stride + shift - pad.
    void add_tap(const runtime::KernelIo& io, std::size_t row, std::size_t group, std::size_t tap,
                 std::size_t shift, float* output) const {
        const TransposeShape& s = shape_;
        const std::size_t begin =
            s.pad_left > shift ? div_ceil(s.pad_left - shift, s.stride_x) : std::size_t{0};
        const std::size_t limit = s.out_width + s.pad_left;
        const std::size_t end =
            limit > shift ? std::min(div_ceil(limit - shift, s.stride_x), s.in_width) : 0;
        if (begin >= end) {
            return;
        }
        GemmTile tile{};
        tile.input =
            io.input<float>(0) + (row * s.in_width + begin) * s.in_channels + group * s.group_in();
        tile.offsets = &kNoOffset;
        tile.segment_count = 1;
        tile.segment_length = s.group_in();
        tile.pixel_stride = s.in_channels;
        tile.output = output + (begin * s.stride_x + shift - s.pad_left) * s.out_channels;
        tile.output_stride = s.stride_x * s.out_channels;
        tile.residual = tile.output;
        tile.residual_stride = tile.output_stride;
        tile.residual_channels = s.group_out();
        run_panels(taps_[group * s.taps() + tap], end - begin, tile);
    }

    void run_panels(const PackedWeights& weights, std::size_t pixels, const GemmTile& tile) const {
        for (const PackedWeights::Panel& panel : weights.panels()) {
            run_panel(kernels_, panel, 0, pixels, tile);
        }
    }

    TransposeShape shape_;
    const GemmKernels& kernels_;
    std::vector<PackedWeights> taps_;
    std::vector<PackedWeights> biases_;
};

TransposeShape transpose_shape(const graph::Graph& graph, const graph::Node& node,
                               const ops::ConvTranspose2d& op) {
    const graph::Shape& x = graph.desc(node.inputs[0]).shape();
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    const ops::FilterDims filter =
        ops::filter_dims(graph.desc(node.inputs[1]).shape(), op.filter_layout);
    return {
        .batch = x[0],
        .in_height = x[1],
        .in_width = x[2],
        .in_channels = x[3],
        .out_height = y[1],
        .out_width = y[2],
        .out_channels = y[3],
        .kernel_height = filter.height,
        .kernel_width = filter.width,
        .stride_y = op.strides[0],
        .stride_x = op.strides[1],
        .dilation_y = op.dilations[0],
        .dilation_x = op.dilations[1],
        .pad_top = op.padding[0],
        .pad_left = op.padding[2],
        .groups = op.groups,
        .activation = to_cpu(op.activation),
    };
}

Filter transpose_filter(const graph::Graph& graph, const graph::Node& node,
                        const ops::ConvTranspose2d& op) {
    const auto strides = graph::strides_of(graph.desc(node.inputs[1]).shape());
    std::vector<float> values = constant_floats(graph, node.inputs[1]);
    switch (op.filter_layout) {
    case ops::ConvTranspose2dFilterLayout::Iohw:
        return {std::move(values), strides[1], strides[2], strides[3], strides[0]};
    case ops::ConvTranspose2dFilterLayout::Hwoi:
        return {std::move(values), strides[2], strides[0], strides[1], strides[3]};
    case ops::ConvTranspose2dFilterLayout::Ohwi: break;
    }
    return {std::move(values), strides[0], strides[1], strides[2], strides[3]};
}

Result<std::unique_ptr<runtime::Kernel>> make_tiled(const TransposeShape& s, const Filter& filter,
                                                    const std::vector<float>& bias) {
    std::vector<float> repeated;
    for (std::size_t x = 0; x < s.kernel_width; ++x) {
        repeated.insert(repeated.end(), bias.begin(), bias.end());
    }
    if (s.taps() * s.out_channels <= gemm_kernels().lanes) {
        std::vector<float> all;
        for (std::size_t y = 0; y < s.kernel_height; ++y) {
            all.insert(all.end(), repeated.begin(), repeated.end());
        }
        SLUICE_TRY_ASSIGN(PackedWeights packed,
                          PackedWeights::pack(s.in_channels, s.taps() * s.out_channels, all,
                                              [&](std::size_t k, std::size_t n) {
                                                  const std::size_t tap = n / s.out_channels;
                                                  return filter.at(n % s.out_channels,
                                                                   tap / s.kernel_width,
                                                                   tap % s.kernel_width, k);
                                              }));
        return std::make_unique<ScatteredTranspose>(s, std::move(packed));
    }
    std::vector<PackedWeights> rows;
    for (std::size_t y = 0; y < s.kernel_height; ++y) {
        SLUICE_TRY_ASSIGN(PackedWeights packed,
                          PackedWeights::pack(s.in_channels, s.kernel_width * s.out_channels,
                                              repeated, [&](std::size_t k, std::size_t n) {
                                                  return filter.at(n % s.out_channels, y,
                                                                   n / s.out_channels, k);
                                              }));
        rows.push_back(std::move(packed));
    }
    return std::make_unique<TiledTranspose>(s, std::move(rows));
}

Result<std::unique_ptr<runtime::Kernel>> make_general(const TransposeShape& s, const Filter& filter,
                                                      const std::vector<float>& bias) {
    std::vector<PackedWeights> taps;
    std::vector<PackedWeights> biases;
    for (std::size_t g = 0; g < s.groups; ++g) {
        for (std::size_t tap = 0; tap < s.taps(); ++tap) {
            SLUICE_TRY_ASSIGN(PackedWeights packed,
                              PackedWeights::pack(s.group_in(), s.group_out(), {},
                                                  [&](std::size_t k, std::size_t n) {
                                                      return filter.at(n, tap / s.kernel_width,
                                                                       tap % s.kernel_width,
                                                                       g * s.group_in() + k);
                                                  }));
            taps.push_back(std::move(packed));
        }
        const std::span<const float> own =
            bias.empty() ? std::span<const float>()
                         : std::span(bias).subspan(g * s.group_out(), s.group_out());
        SLUICE_TRY_ASSIGN(PackedWeights packed,
                          PackedWeights::pack(0, s.group_out(), own,
                                              [](std::size_t, std::size_t) { return 0.0F; }));
        biases.push_back(std::move(packed));
    }
    return std::make_unique<GeneralTranspose>(s, std::move(taps), std::move(biases));
}

} // namespace

Status supports_conv_transpose2d(const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::ConvTranspose2d>(node.attributes);
    SLUICE_TRY(require_float32(graph, node));
    if (op.input_layout != ops::InputLayout::Nhwc) {
        return fail(ErrorCode::Unsupported, "input layout is not NHWC");
    }
    if (!has_kernel(op.activation.kind)) {
        return fail(ErrorCode::Unsupported, "no fused {}", ops::name(op.activation.kind));
    }
    SLUICE_TRY(require_constant(graph, node.inputs[1], "filter"));
    if (op.has_bias) {
        SLUICE_TRY(require_constant(graph, node.inputs[2], "bias"));
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_conv_transpose2d(const graph::Graph& graph,
                                                                const graph::Node& node) {
    const auto& op = std::get<ops::ConvTranspose2d>(node.attributes);
    const TransposeShape s = transpose_shape(graph, node, op);
    const Filter filter = transpose_filter(graph, node, op);
    const std::vector<float> bias =
        op.has_bias ? constant_floats(graph, node.inputs[2]) : std::vector<float>{};
    const bool tiled =
        s.groups == 1 && s.kernel_height == s.stride_y && s.kernel_width == s.stride_x &&
        s.dilation_y == 1 && s.dilation_x == 1 && s.pad_top == 0 && s.pad_left == 0 &&
        s.out_height == s.in_height * s.stride_y && s.out_width == s.in_width * s.stride_x;
    return tiled ? make_tiled(s, filter, bias) : make_general(s, filter, bias);
}

} // namespace sluice::cpu
