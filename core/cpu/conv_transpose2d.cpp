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

double flops_per_input_row(const ConvShape& s) {
    return static_cast<double>(s.in_width * s.taps() * s.group_out()) *
           (2.0 * static_cast<double>(s.in_channels) + activation_flops(s.activation.kind));
}

constexpr std::ptrdiff_t kNoInputOffset = 0;

// The kernel fits its stride exactly, so that each output pixel comes from one tap: one product per
// kernel row, whose columns are the taps of the row.
class TiledTranspose final : public runtime::Kernel {
public:
    TiledTranspose(const ConvShape& shape, std::vector<PackedWeights> rows)
        : shape_(shape), kernels_(gemm_kernels()), rows_(std::move(rows)) {}

    void run(const runtime::KernelIo& io) const override {
        const ConvShape& s = shape_;
        const std::size_t count = s.batch * s.in_height;
        const Partition work = partition(count, flops_per_input_row(s), io.threads.threads());
        io.threads.parallel_for(count, work.grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) {
                run_row(io, row);
            }
        });
    }

private:
    void run_row(const runtime::KernelIo& io, std::size_t row) const {
        const ConvShape& s = shape_;
        GemmTile tile{};
        tile.input = io.input<float>(0) + row * s.in_width * s.in_channels;
        tile.offsets = &kNoInputOffset;
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

    ConvShape shape_;
    const GemmKernels& kernels_;
    std::vector<PackedWeights> rows_;
};

// The same with so few columns that the taps of all rows fit one vector: one product into a buffer,
// from where the pixels go to their rows.
class ScatteredTranspose final : public runtime::Kernel {
public:
    // Columns are [kernel row][kernel column][output channel].
    ScatteredTranspose(const ConvShape& shape, PackedWeights taps)
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
        return partition(row_count(), flops_per_input_row(shape_), threads);
    }
    // A row's part of each pixel's columns, `width` floats: known at compile time unless 0.
    template <std::size_t kWidth>
    void scatter(const float* from, float* to) const {
        const std::size_t width = kWidth == 0 ? shape_.kernel_width * shape_.out_channels : kWidth;
        const std::size_t step = columns();
        for (std::size_t x = 0; x < shape_.in_width; ++x) {
            for (std::size_t i = 0; i < width; ++i) {
                to[x * width + i] = from[x * step + i];
            }
        }
    }
    void run_row(const runtime::KernelIo& io, std::size_t row, float* buffer) const {
        const ConvShape& s = shape_;
        GemmTile tile{};
        tile.input = io.input<float>(0) + row * s.in_width * s.in_channels;
        tile.offsets = &kNoInputOffset;
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
            if (width == 2) {
                scatter<2>(from, to);
            } else {
                scatter<0>(from, to);
            }
            if (s.activation.kind != ops::UnaryKind::Identity) {
                kernels_.activate(to, s.in_width * width, s.activation);
            }
        }
    }

    ConvShape shape_;
    const GemmKernels& kernels_;
    PackedWeights taps_;
};

// Everything else: each output row starts as the bias, every tap that reaches it adds its product,
// and the activation comes last.
class GeneralTranspose final : public runtime::Kernel {
public:
    // One matrix per group and tap; one without rows per group, for the bias.
    GeneralTranspose(const ConvShape& shape, std::vector<PackedWeights> taps,
                     std::vector<PackedWeights> biases)
        : shape_(shape), kernels_(gemm_kernels()), taps_(std::move(taps)),
          biases_(std::move(biases)) {}

    void run(const runtime::KernelIo& io) const override {
        const ConvShape& s = shape_;
        const std::size_t count = s.batch * s.out_height;
        const Partition work = partition(count,
                                         flops_per_input_row(s) * static_cast<double>(s.in_height) /
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
        const ConvShape& s = shape_;
        float* const output = io.output<float>(0) +
                              (image * s.out_height + y) * s.out_width * s.out_channels +
                              group * s.group_out();
        // Every pixel of the row, without a product.
        GemmTile whole{};
        whole.input = io.input<float>(0);
        whole.offsets = &kNoInputOffset;
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
        const ConvShape& s = shape_;
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
        tile.offsets = &kNoInputOffset;
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

    ConvShape shape_;
    const GemmKernels& kernels_;
    std::vector<PackedWeights> taps_;
    std::vector<PackedWeights> biases_;
};

Result<std::unique_ptr<runtime::Kernel>> make_tiled(const ConvShape& s, const ConvConstants& data) {
    std::vector<float> repeated;
    for (std::size_t x = 0; x < s.kernel_width; ++x) {
        repeated.insert(repeated.end(), data.bias.begin(), data.bias.end());
    }
    if (s.taps() * s.out_channels <= gemm_kernels().panels(PanelKind::Full).columns) {
        std::vector<float> all;
        for (std::size_t y = 0; y < s.kernel_height; ++y) {
            all.insert(all.end(), repeated.begin(), repeated.end());
        }
        SLUICE_TRY_ASSIGN(PackedWeights packed,
                          PackedWeights::pack({s.in_channels, s.taps() * s.out_channels}, all,
                                              [&](std::size_t k, std::size_t n) {
                                                  const std::size_t tap = n / s.out_channels;
                                                  return data.at(n % s.out_channels,
                                                                 tap / s.kernel_width,
                                                                 tap % s.kernel_width, k);
                                              }));
        return std::make_unique<ScatteredTranspose>(s, std::move(packed));
    }
    std::vector<PackedWeights> rows;
    for (std::size_t y = 0; y < s.kernel_height; ++y) {
        SLUICE_TRY_ASSIGN(PackedWeights packed,
                          PackedWeights::pack({s.in_channels, s.kernel_width * s.out_channels},
                                              repeated, [&](std::size_t k, std::size_t n) {
                                                  return data.at(n % s.out_channels, y,
                                                                 n / s.out_channels, k);
                                              }));
        rows.push_back(std::move(packed));
    }
    return std::make_unique<TiledTranspose>(s, std::move(rows));
}

Result<std::unique_ptr<runtime::Kernel>> make_general(const ConvShape& s,
                                                      const ConvConstants& data) {
    std::vector<PackedWeights> taps;
    std::vector<PackedWeights> biases;
    for (std::size_t g = 0; g < s.groups; ++g) {
        for (std::size_t tap = 0; tap < s.taps(); ++tap) {
            SLUICE_TRY_ASSIGN(PackedWeights packed,
                              PackedWeights::pack({s.group_in(), s.group_out()}, {},
                                                  [&](std::size_t k, std::size_t n) {
                                                      return data.at(n, tap / s.kernel_width,
                                                                     tap % s.kernel_width,
                                                                     g * s.group_in() + k);
                                                  }));
            taps.push_back(std::move(packed));
        }
        const std::span<const float> own =
            data.bias.empty() ? std::span<const float>()
                              : std::span(data.bias).subspan(g * s.group_out(), s.group_out());
        SLUICE_TRY_ASSIGN(PackedWeights packed,
                          PackedWeights::pack({0, s.group_out()}, own,
                                              [](std::size_t, std::size_t) { return 0.0F; }));
        biases.push_back(std::move(packed));
    }
    return std::make_unique<GeneralTranspose>(s, std::move(taps), std::move(biases));
}

} // namespace

Status supports_conv_transpose2d(const graph::Graph& graph, const graph::Node& node) {
    return require_conv(graph, node, std::get<ops::ConvTranspose2d>(node.attributes));
}

Result<std::unique_ptr<runtime::Kernel>> lower_conv_transpose2d(const graph::Graph& graph,
                                                                const graph::Node& node) {
    const auto& op = std::get<ops::ConvTranspose2d>(node.attributes);
    const ConvShape s = conv_shape(graph, node, op);
    const ConvConstants data = conv_constants(graph, node, op);
    const bool tiled =
        s.groups == 1 && s.kernel_height == s.stride_y && s.kernel_width == s.stride_x &&
        s.dilation_y == 1 && s.dilation_x == 1 && s.pad_top == 0 && s.pad_left == 0 &&
        s.out_height == s.in_height * s.stride_y && s.out_width == s.in_width * s.stride_x;
    return tiled ? make_tiled(s, data) : make_general(s, data);
}

} // namespace sluice::cpu
