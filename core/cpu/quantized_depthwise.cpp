// SPDX-License-Identifier: Apache-2.0
// Quantised depthwise convolution: every channel has a filter of its own.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/cpu/partition.h"
#include "core/cpu/quantized_picture.h"
#include "core/cpu/quantized_weights.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

// An output value costs as much as this many operations of a matrix product of floats.
constexpr double kQuantizedLoadFactor = 1.5;

class QuantizedDepthwise final : public runtime::Kernel {
public:
    explicit QuantizedDepthwise(const QuantizedConstants& data)
        : shape_(data.shape), kernels_(quantized_kernels()),
          picture_(shape_, false, data.input_is_signed, data.input_zero), end_(data.end) {
        plan_taps();
        pack(data);
    }

    void run(const runtime::KernelIo& io) const override {
        const ConvShape& s = shape_;
        picture_.write(io.inputs[0], io.scratch, io.threads);
        const std::size_t rows = s.batch * s.out_height;
        const double flops =
            kQuantizedLoadFactor * s.flops_per_pixel() * static_cast<double>(s.out_width);
        const Partition work = partition(rows, flops, io.threads.threads());
        io.threads.parallel_for(rows, work.grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) {
                run_row(io, row);
            }
        });
    }
    [[nodiscard]] std::size_t scratch_bytes(unsigned /*threads*/) const override {
        return picture_.scratch_bytes();
    }

private:
    void plan_taps();
    void pack(const QuantizedConstants& data);
    void run_row(const runtime::KernelIo& io, std::size_t row) const;

    ConvShape shape_;
    const QuantizedKernels& kernels_;
    QuantizedPicture picture_;
    QuantizedEnd end_;
    std::vector<std::ptrdiff_t> taps_; // elements
    std::vector<std::int16_t> weights_;
    std::vector<float> multipliers_, addends_;
};

void QuantizedDepthwise::plan_taps() {
    const ConvShape& s = shape_;
    for (std::size_t tap = 0; tap < s.taps(); ++tap) {
        const std::size_t bytes = tap / s.kernel_width * s.dilation_y * picture_.row_bytes() +
                                  tap % s.kernel_width * s.dilation_x * picture_.pixel_bytes();
        taps_.push_back(static_cast<std::ptrdiff_t>(bytes / sizeof(std::int16_t)));
    }
    if (taps_.size() % 2 != 0) {
        taps_.push_back(taps_.back());
    }
}

void QuantizedDepthwise::pack(const QuantizedConstants& data) {
    const ConvShape& s = shape_;
    const std::size_t block = kernels_.block;
    const std::size_t blocks = div_ceil(s.out_channels, block);
    const std::size_t pairs = taps_.size() / 2;
    weights_.assign(blocks * pairs * 2 * block, 0);
    multipliers_.assign(blocks * block, 0.0F);
    addends_.assign(blocks * block, 0.0F);
    for (std::size_t c = 0; c < s.out_channels; ++c) {
        const std::size_t lane = depthwise_order(c % block, block);
        for (std::size_t tap = 0; tap < s.taps(); ++tap) {
            const std::size_t pair = c / block * pairs + tap / 2;
            weights_[pair * 2 * block + 2 * lane + tap % 2] =
                data.at(c, tap / s.kernel_width, tap % s.kernel_width, 0);
        }
        multipliers_[c / block * block + lane] = data.multipliers[c];
        addends_[c / block * block + lane] = data.addends[c];
    }
}

void QuantizedDepthwise::run_row(const runtime::KernelIo& io, std::size_t row) const {
    const ConvShape& s = shape_;
    const std::size_t in_row =
        row / s.out_height * picture_.rows_per_image() + row % s.out_height * s.stride_y;
    kernels_.depthwise(
        {.input = reinterpret_cast<const std::int16_t*>(io.scratch + in_row * picture_.row_bytes()),
         .pixel_stride = s.stride_x * s.in_channels,
         .taps = taps_.data(),
         .pair_count = taps_.size() / 2,
         .weights = weights_.data(),
         .multipliers = multipliers_.data(),
         .addends = addends_.data(),
         .output = io.outputs[0] + row * s.out_width * s.out_channels * graph::size_of(end_.type),
         .pixels = s.out_width,
         .channels = s.out_channels,
         .end = &end_});
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> make_quantized_depthwise(const QuantizedConstants& data) {
    return std::make_unique<QuantizedDepthwise>(data);
}

} // namespace sluice::cpu
