// SPDX-License-Identifier: Apache-2.0
// Convolution as an implicit matrix product over packed weights, for any groups.
#include "core/cpu/conv_dense.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/cpu/packed_weights.h"
#include "core/cpu/partition.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

// Of the pixels that a panel of weights is applied to before the next panel: half of a usual L1.
constexpr std::size_t kBlockBytes = std::size_t{24} << 10U;
// Weights beyond this are fetched again from the L3 cache, so rows are grouped to use them longer.
constexpr std::size_t kLargeWeights = std::size_t{192} << 10U;
constexpr std::size_t kGroupBytes = std::size_t{192} << 10U;

// A multiple of every tile size, so that blocks have no odd tiles.
constexpr std::size_t kBlockPixels = 24;

// The taps of a kernel row are neighbours in memory unless something lies between them.
std::size_t segments_per_row(const ConvShape& s) {
    return s.groups == 1 && (s.dilation_x == 1 || s.kernel_width == 1) ? 1 : s.kernel_width;
}
std::size_t segment_length(const ConvShape& s) {
    return s.kernel_width / segments_per_row(s) * s.group_in();
}

class DenseConv final : public runtime::Kernel {
public:
    DenseConv(const ConvShape& shape, std::vector<PackedWeights> groups)
        : shape_(shape), kernels_(gemm_kernels()), groups_(std::move(groups)) {
        flatten();
        plan_segments();
        plan_blocks();
    }

    void run(const runtime::KernelIo& io) const override;
    [[nodiscard]] std::size_t scratch_bytes(unsigned threads) const override {
        return edge_floats_ * sizeof(float) * divide(threads).chunks;
    }

private:
    // Part of one output row.
    struct Block {
        std::size_t image, y, x_begin, x_end;
    };

    // A 1x1 convolution of stride 1 sees no rows: all its pixels are one.
    void flatten() {
        const ConvShape& s = shape_;
        if (s.taps() == 1 && s.stride_x == 1 && s.stride_y == 1 && s.pad_top == 0 &&
            s.pad_left == 0 && s.in_width == s.out_width && s.in_height == s.out_height) {
            shape_.in_width = shape_.out_width = s.batch * s.in_height * s.in_width;
            shape_.batch = shape_.in_height = shape_.out_height = 1;
        }
    }
    void plan_segments();
    void plan_blocks();
    [[nodiscard]] Partition divide(unsigned threads) const {
        return partition(block_count_, flops_per_block_, threads);
    }
    [[nodiscard]] Block block(std::size_t index) const {
        const std::size_t row = index / blocks_per_row_;
        const std::size_t x = index % blocks_per_row_ * block_width_;
        return {.image = row / shape_.out_height,
                .y = row % shape_.out_height,
                .x_begin = x,
                .x_end = std::min(x + block_width_, shape_.out_width)};
    }
    void run_block(const runtime::KernelIo& io, const Block& block, std::size_t group,
                   const PackedWeights::Panel& panel, float* edge) const;
    // Copies the window columns [first, first + edge_width_) of the valid kernel rows to `edge`,
    // with zeros where they lie outside the picture. `first` counts from the padding's first
    // column.
    void copy_edge(const float* image, std::size_t y, TapRange taps, std::size_t first,
                   float* edge) const;

    ConvShape shape_;
    const GemmKernels& kernels_;
    std::vector<PackedWeights> groups_;
    std::size_t segments_per_row_ = 0; // of the kernel
    std::size_t segment_length_ = 0;
    std::vector<std::ptrdiff_t> offsets_;         // of segments, in the picture
    std::vector<std::ptrdiff_t> edge_offsets_;    // of segments, in the copy of copy_edge()
    std::size_t edge_width_ = 0;                  // columns
    std::size_t edge_floats_ = 0;                 // 0: no pixel touches the left or right padding
    std::size_t inner_begin_ = 0, inner_end_ = 0; // output columns whose windows lie inside
    std::size_t block_width_ = 0, blocks_per_row_ = 0, block_count_ = 0;
    std::size_t blocks_per_group_ = 1;
    double flops_per_block_ = 0;
};

void DenseConv::plan_segments() {
    const ConvShape& s = shape_;
    segments_per_row_ = segments_per_row(s);
    segment_length_ = segment_length(s);

    const std::size_t padded_last = (s.out_width - 1) * s.stride_x + s.window_width();
    inner_begin_ = std::min(div_ceil(s.pad_left, s.stride_x), s.out_width);
    const std::size_t limit = s.in_width + s.pad_left;
    inner_end_ = limit >= s.window_width()
                     ? std::min((limit - s.window_width()) / s.stride_x + 1, s.out_width)
                     : 0;
    inner_end_ = std::max(inner_begin_, inner_end_);
    edge_width_ = (kMaxTilePixels - 1) * s.stride_x + s.window_width();
    if (s.pad_left > 0 || padded_last > limit) {
        edge_floats_ = align_up(s.kernel_height * edge_width_ * s.in_channels, 16);
    }
    for (std::size_t y = 0; y < s.kernel_height; ++y) {
        for (std::size_t x = 0; x < segments_per_row_; ++x) {
            const std::size_t column = x * s.dilation_x;
            offsets_.push_back(static_cast<std::ptrdiff_t>(
                (y * s.dilation_y * s.in_width + column) * s.in_channels));
            edge_offsets_.push_back(
                static_cast<std::ptrdiff_t>((y * edge_width_ + column) * s.in_channels));
        }
    }
}

void DenseConv::plan_blocks() {
    const ConvShape& s = shape_;
    const std::size_t column_bytes = s.in_channels * s.stride_x * s.kernel_height * sizeof(float);
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): no tensor is empty
    const std::size_t fitting = kBlockBytes / column_bytes;
    const std::size_t wanted = std::max(fitting / kBlockPixels, std::size_t{1}) * kBlockPixels;
    blocks_per_row_ = div_ceil(s.out_width, wanted);
    // Equal blocks, but of whole tiles.
    block_width_ = std::min(align_up(div_ceil(s.out_width, blocks_per_row_), 8), s.out_width);
    blocks_per_row_ = div_ceil(s.out_width, block_width_);
    block_count_ = s.batch * s.out_height * blocks_per_row_;
    flops_per_block_ = s.flops_per_pixel() * static_cast<double>(block_width_);
    std::size_t weight_bytes = 0;
    for (const PackedWeights& group : groups_) {
        weight_bytes += group.byte_size();
    }
    if (weight_bytes > kLargeWeights) {
        const std::size_t block_bytes =
            s.in_channels * s.stride_x * s.stride_y * block_width_ * sizeof(float);
        blocks_per_group_ = std::max<std::size_t>(kGroupBytes / block_bytes, 1);
    }
}

void DenseConv::run(const runtime::KernelIo& io) const {
    const Partition work = divide(io.threads.threads());
    auto* const scratch = reinterpret_cast<float*>(io.scratch);
    io.threads.parallel_for(block_count_, work.grain, [&](std::size_t begin, std::size_t end) {
        float* const edge = scratch + begin / work.grain * edge_floats_;
        for (; begin < end; begin += blocks_per_group_) {
            const std::size_t stop = std::min(begin + blocks_per_group_, end);
            for (std::size_t group = 0; group < groups_.size(); ++group) {
                for (const PackedWeights::Panel& panel : groups_[group].panels()) {
                    for (std::size_t i = begin; i < stop; ++i) {
                        run_block(io, block(i), group, panel, edge);
                    }
                }
            }
        }
    });
}

void DenseConv::run_block(const runtime::KernelIo& io, const Block& block, std::size_t group,
                          const PackedWeights::Panel& panel, float* edge) const {
    const ConvShape& s = shape_;
    const float* const image =
        io.input<float>(0) + block.image * s.in_height * s.in_width * s.in_channels;
    const std::size_t first_channel = group * s.group_out();
    const std::size_t row = (block.image * s.out_height + block.y) * s.out_width;
    const TapRange taps =
        valid_taps(block.y, s.stride_y, s.pad_top, s.dilation_y, s.kernel_height, s.in_height);
    const std::size_t first_segment = taps.begin * segments_per_row_;
    const float* const residual =
        s.residual_channels > first_channel ? io.input<float>(io.inputs.size() - 1) : nullptr;
    GemmTile tile{};
    tile.segment_count = (taps.end - taps.begin) * segments_per_row_;
    tile.segment_length = segment_length_;
    tile.pixel_stride = s.stride_x * s.in_channels;
    tile.residual_stride = s.residual_channels;
    tile.output_stride = s.out_channels;
    tile.activation = s.activation;

    // [x, stop) lies wholly inside, or wholly among the pixels that need the copy.
    const auto run_pixels = [&](std::size_t x, std::size_t stop, bool inside) {
        tile.output = io.output<float>(0) + (row + x) * s.out_channels + first_channel;
        tile.residual = nullptr;
        if (residual != nullptr) {
            tile.residual = residual + (row + x) * s.residual_channels + first_channel;
            tile.residual_channels = std::min(s.residual_channels - first_channel, s.group_out());
        }
        const auto channel = static_cast<std::ptrdiff_t>(group * s.group_in());
        if (inside) {
            const auto first_row = static_cast<std::ptrdiff_t>(block.y * s.stride_y) -
                                   static_cast<std::ptrdiff_t>(s.pad_top);
            const auto first_column = static_cast<std::ptrdiff_t>(x * s.stride_x) -
                                      static_cast<std::ptrdiff_t>(s.pad_left);
            tile.input = image;
            tile.base = (first_row * static_cast<std::ptrdiff_t>(s.in_width) + first_column) *
                            static_cast<std::ptrdiff_t>(s.in_channels) +
                        channel;
            tile.offsets = offsets_.data() + first_segment;
        } else {
            copy_edge(image, block.y, taps, x * s.stride_x, edge);
            tile.input = edge;
            tile.base = channel;
            tile.offsets = edge_offsets_.data() + first_segment;
        }
        run_panel(kernels_, panel, first_segment, stop - x, tile);
    };
    // An edge tile may reach into the inside: whole tiles are faster than single pixels.
    const std::size_t tile_pixels = kernels_.panels(panel.kind).max_pixels[panel.vectors - 1];
    std::size_t x = block.x_begin;
    while (x < block.x_end) {
        if (x >= inner_begin_ && x < inner_end_) {
            std::size_t stop = std::min(inner_end_, block.x_end);
            if (block.x_end > inner_end_) {
                stop = std::min(stop, block.x_end - std::min(tile_pixels, block.x_end - x));
            }
            if (stop > x) {
                run_pixels(x, stop, true);
                x = stop;
                continue;
            }
        }
        const std::size_t stop = std::min(x + tile_pixels, block.x_end);
        run_pixels(x, stop, false);
        x = stop;
    }
}

void DenseConv::copy_edge(const float* image, std::size_t y, TapRange taps, std::size_t first,
                          float* edge) const {
    const ConvShape& s = shape_;
    const std::size_t c = s.in_channels;
    // Columns [begin, end) of the copy are inside the picture.
    const std::size_t begin = std::min(s.pad_left > first ? s.pad_left - first : 0, edge_width_);
    const std::size_t limit = s.in_width + s.pad_left;
    const std::size_t end =
        std::max(begin, std::min(limit > first ? limit - first : 0, edge_width_));
    for (std::size_t t = taps.begin; t < taps.end; ++t) {
        float* const to = edge + t * edge_width_ * c;
        std::fill_n(to, begin * c, 0.0F);
        std::fill_n(to + end * c, (edge_width_ - end) * c, 0.0F);
        if (end > begin) {
            const std::size_t row = y * s.stride_y + t * s.dilation_y - s.pad_top;
            const std::size_t column = first + begin - s.pad_left;
            std::memcpy(to + begin * c, image + (row * s.in_width + column) * c,
                        (end - begin) * c * sizeof(float));
        }
    }
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> make_dense_conv(const ConvShape& shape,
                                                         const ConvConstants& data) {
    const std::size_t group_in = shape.group_in();
    const std::size_t group_out = shape.group_out();
    std::vector<PackedWeights> groups;
    for (std::size_t g = 0; g < shape.groups; ++g) {
        const std::span<const float> bias =
            data.bias.empty() ? std::span<const float>()
                              : std::span(data.bias).subspan(g * group_out, group_out);
        SLUICE_TRY_ASSIGN(PackedWeights packed,
                          PackedWeights::pack({.k_count = shape.taps() * group_in,
                                               .n_count = group_out,
                                               .segment_length = segment_length(shape)},
                                              bias, [&](std::size_t k, std::size_t n) {
                                                  const std::size_t tap = k / group_in;
                                                  return data.at(
                                                      g * group_out + n, tap / shape.kernel_width,
                                                      tap % shape.kernel_width, k % group_in);
                                              }));
        groups.push_back(std::move(packed));
    }
    return std::make_unique<DenseConv>(shape, std::move(groups));
}

} // namespace sluice::cpu
