// SPDX-License-Identifier: Apache-2.0
// Quantised convolution as an implicit matrix product of integers, for any groups.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/content_hash.h"
#include "core/cpu/partition.h"
#include "core/cpu/quantized_picture.h"
#include "core/cpu/quantized_weights.h"
#include "core/runtime/packed_cache.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

// An integer multiply-add costs about this part of one in floats.
constexpr double kCost = 0.4;
// Of the windows' rows that a panel of weights is applied to before the next panel.
constexpr std::size_t kQuantizedBlockBytes = std::size_t{24} << 10U;
constexpr std::size_t kQuantizedBlockPixels = 24;

// A panel of output channels of one group; positions in the shared tables.
struct Panel {
    std::size_t first_channel; // of all
    std::size_t channels;
    std::size_t vectors;
    std::size_t group;
    std::size_t weights;  // offset in bytes
    std::size_t constant; // offset of start, multipliers and addends
};

// A 1x1 convolution of stride 1 sees no rows: all its pixels are one.
ConvShape flattened(ConvShape s) {
    if (s.taps() == 1 && s.stride_x == 1 && s.stride_y == 1 && s.pad_top == 0 && s.pad_left == 0 &&
        s.in_width == s.out_width && s.in_height == s.out_height) {
        s.in_width = s.out_width = s.batch * s.in_height * s.in_width;
        s.batch = s.in_height = s.out_height = 1;
    }
    return s;
}

class QuantizedDense final : public runtime::Kernel {
public:
    explicit QuantizedDense(const QuantizedConstants& data)
        : shape_(flattened(data.shape)), kernels_(quantized_kernels()),
          quads_(kernels_.has_quads && data.fits_int8()),
          picture_(shape_, quads_, data.input_is_signed, data.input_zero), end_(data.end) {
        plan_segments();
        plan_panels();
        plan_blocks();
    }

    [[nodiscard]] Status pack(const QuantizedConstants& data);
    void run(const runtime::KernelIo& io) const override;
    [[nodiscard]] std::size_t scratch_bytes(unsigned /*threads*/) const override {
        return picture_.scratch_bytes();
    }

private:
    void plan_segments();
    void plan_panels();
    void plan_blocks();
    void pack_panel(const QuantizedConstants& data, const Panel& panel);
    [[nodiscard]] std::uint64_t layout() const;
    // What a panel's sums start from, behind the weights of all panels.
    [[nodiscard]] std::int32_t* start() const {
        return reinterpret_cast<std::int32_t*>(packed_.get() + weight_bytes_);
    }
    void run_block(const runtime::KernelIo& io, const std::byte* picture, std::size_t block) const;
    void run_panel(QuantizedTile tile, const Panel& panel, std::size_t pixels) const;

    ConvShape shape_;
    const QuantizedKernels& kernels_;
    bool quads_;
    QuantizedPicture picture_;
    QuantizedEnd end_;
    std::size_t taps_per_segment_ = 1, steps_ = 0;
    std::vector<std::ptrdiff_t> segments_;
    std::vector<Panel> panels_;
    std::size_t weight_bytes_ = 0, constants_ = 0;
    std::shared_ptr<std::byte> packed_; // weight_bytes_, then constants_ starts
    std::vector<float> multipliers_, addends_;
    std::size_t block_width_ = 0, blocks_per_row_ = 0, block_count_ = 0;
};

void QuantizedDense::plan_segments() {
    const ConvShape& s = shape_;
    // The taps of a kernel row are neighbours in memory unless something lies between them.
    const bool joined = s.groups == 1 && (s.dilation_x == 1 || s.kernel_width == 1);
    taps_per_segment_ = joined ? s.kernel_width : 1;
    steps_ = div_ceil(taps_per_segment_ * s.group_in() * picture_.element_bytes(), std::size_t{4});
    for (std::size_t y = 0; y < s.kernel_height; ++y) {
        for (std::size_t x = 0; x < s.kernel_width; x += taps_per_segment_) {
            segments_.push_back(
                static_cast<std::ptrdiff_t>(y * s.dilation_y * picture_.row_bytes() +
                                            x * s.dilation_x * picture_.pixel_bytes()));
        }
    }
}

void QuantizedDense::plan_panels() {
    const std::size_t vectors = div_ceil(shape_.group_out(), kernels_.lanes);
    const std::size_t count = div_ceil(vectors, kernels_.max_vectors);
    for (std::size_t group = 0; group < shape_.groups; ++group) {
        std::size_t done = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t here = (vectors - done) / (count - i);
            const std::size_t first = done * kernels_.lanes;
            panels_.push_back(
                {.first_channel = group * shape_.group_out() + first,
                 .channels = std::min(here * kernels_.lanes, shape_.group_out() - first),
                 .vectors = here,
                 .group = group,
                 .weights = weight_bytes_,
                 .constant = constants_});
            weight_bytes_ += segments_.size() * steps_ * here * kernels_.lanes * 4;
            constants_ += here * kernels_.lanes;
            done += here;
        }
    }
}

void QuantizedDense::plan_blocks() {
    const ConvShape& s = shape_;
    const std::size_t column_bytes = picture_.pixel_bytes() * s.stride_x * s.kernel_height;
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): no tensor is empty
    const std::size_t fitting = kQuantizedBlockBytes / column_bytes;
    const std::size_t wanted =
        std::max(fitting / kQuantizedBlockPixels, std::size_t{1}) * kQuantizedBlockPixels;
    blocks_per_row_ = div_ceil(s.out_width, wanted);
    block_width_ = std::min(align_up(div_ceil(s.out_width, blocks_per_row_), 8), s.out_width);
    blocks_per_row_ = div_ceil(s.out_width, block_width_);
    block_count_ = s.batch * s.out_height * blocks_per_row_;
}

// What decides how the weights lie, beside their values.
std::uint64_t QuantizedDense::layout() const {
    ContentHash hash;
    for (const std::size_t number : {steps_, segments_.size(), panels_.size(), kernels_.lanes,
                                     std::size_t{quads_}, picture_.element_bytes()}) {
        hash.add(std::uint64_t{number});
    }
    return hash.value()[0];
}

Status QuantizedDense::pack(const QuantizedConstants& data) {
    SLUICE_TRY_ASSIGN(
        auto memory,
        runtime::allocate_packed(weight_bytes_ + constants_ * sizeof(std::int32_t), layout()));
    packed_ = std::move(memory.bytes);
    multipliers_.assign(constants_, 0.0F);
    addends_.assign(constants_, 0.0F);
    for (const Panel& panel : panels_) {
        std::copy_n(data.multipliers.begin() + static_cast<std::ptrdiff_t>(panel.first_channel),
                    panel.channels,
                    multipliers_.begin() + static_cast<std::ptrdiff_t>(panel.constant));
        std::copy_n(data.addends.begin() + static_cast<std::ptrdiff_t>(panel.first_channel),
                    panel.channels, addends_.begin() + static_cast<std::ptrdiff_t>(panel.constant));
        if (!memory.is_filled) {
            pack_panel(data, panel);
        }
    }
    return {};
}

void QuantizedDense::pack_panel(const QuantizedConstants& data, const Panel& panel) {
    const ConvShape& s = shape_;
    const std::size_t width = panel.vectors * kernels_.lanes;
    const std::size_t per_step = 4 / picture_.element_bytes();
    for (std::size_t n = 0; n < panel.channels; ++n) {
        const std::size_t o = panel.first_channel + n;
        std::int32_t sum = 0;
        for (std::size_t tap = 0; tap < s.taps(); ++tap) {
            for (std::size_t i = 0; i < s.group_in(); ++i) {
                const std::int16_t w = data.at(o, tap / s.kernel_width, tap % s.kernel_width, i);
                const std::size_t k = tap % taps_per_segment_ * s.group_in() + i;
                const std::size_t step = tap / taps_per_segment_ * steps_ + k / per_step;
                std::byte* const to = packed_.get() + panel.weights + (step * width + n) * 4;
                if (quads_) {
                    to[k % 4] = static_cast<std::byte>(w); // its last 8 bits
                } else {
                    std::memcpy(to + k % 2 * 2, &w, sizeof(w));
                }
                sum += w;
            }
        }
        // Quads multiply what is stored; what the zero point adds to every product goes here.
        start()[panel.constant + n] = -sum * picture_.zero_byte();
    }
}

void QuantizedDense::run(const runtime::KernelIo& io) const {
    const std::byte* picture = io.inputs[0];
    if (picture_.is_needed()) {
        picture_.write(io.inputs[0], io.scratch, io.threads);
        picture = io.scratch;
    }
    const double flops = kCost * shape_.flops_per_pixel() * static_cast<double>(block_width_);
    const Partition work = partition(block_count_, flops, io.threads.threads());
    io.threads.parallel_for(block_count_, work.grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t block = begin; block < end; ++block) {
            run_block(io, picture, block);
        }
    });
}

void QuantizedDense::run_block(const runtime::KernelIo& io, const std::byte* picture,
                               std::size_t block) const {
    const ConvShape& s = shape_;
    const std::size_t row = block / blocks_per_row_;
    const std::size_t x = block % blocks_per_row_ * block_width_;
    const std::size_t in_row =
        row / s.out_height * picture_.rows_per_image() + row % s.out_height * s.stride_y;
    const std::size_t element = graph::size_of(end_.type);
    QuantizedTile tile{};
    tile.input = picture + in_row * picture_.row_bytes() + x * s.stride_x * picture_.pixel_bytes();
    tile.pixel_stride = s.stride_x * picture_.pixel_bytes();
    tile.segments = segments_.data();
    tile.segment_count = segments_.size();
    tile.steps = steps_;
    tile.output = io.outputs[0] + (row * s.out_width + x) * s.out_channels * element;
    tile.output_stride = s.out_channels * element;
    tile.end = &end_;
    const std::size_t pixels = std::min(block_width_, s.out_width - x);
    for (const Panel& panel : panels_) {
        run_panel(tile, panel, pixels);
    }
}

void QuantizedDense::run_panel(QuantizedTile tile, const Panel& panel, std::size_t pixels) const {
    tile.input += panel.group * shape_.group_in() * picture_.element_bytes();
    tile.output += panel.first_channel * graph::size_of(end_.type);
    tile.weights = packed_.get() + panel.weights;
    tile.start = start() + panel.constant;
    tile.multipliers = multipliers_.data() + panel.constant;
    tile.addends = addends_.data() + panel.constant;
    tile.channels = panel.channels;
    const QuantizedFunction* const functions = kernels_.tiles[quads_][panel.vectors - 1];
    const std::size_t most = kernels_.max_pixels[panel.vectors - 1];
    while (pixels > 0) {
        std::size_t here = pixels / div_ceil(pixels, most);
        while (functions[here - 1] == nullptr) {
            --here;
        }
        functions[here - 1](tile);
        tile.input += here * tile.pixel_stride;
        tile.output += here * tile.output_stride;
        pixels -= here;
    }
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> make_quantized_dense(const QuantizedConstants& data) {
    auto kernel = std::make_unique<QuantizedDense>(data);
    SLUICE_TRY(kernel->pack(data));
    return kernel;
}

} // namespace sluice::cpu
