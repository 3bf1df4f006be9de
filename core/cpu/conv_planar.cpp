// SPDX-License-Identifier: Apache-2.0
// Convolution to at most four channels: input rows are separated into planes once, and the last few
// are kept for as many output rows as use them.
#include "core/cpu/conv_planar.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/checked_math.h"
#include "core/cpu/packed_weights.h"
#include "core/cpu/partition.h"
#include "core/cpu/planar_kernel.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

constexpr std::size_t kMaxKernelHeight = 7;
constexpr std::size_t kMinPlanarPixels = 16; // a row of fewer is mostly remainder

class PlanarConv final : public runtime::Kernel {
public:
    PlanarConv(const ConvShape& shape, AlignedFloats weights)
        : shape_(shape), kernels_(planar_kernels()), weights_(std::move(weights)),
          plane_stride_(align_up(shape.out_width + shape.kernel_width - 1 + kPlanarSlack, 16)),
          row_floats_(plane_stride_ * shape.in_channels) {}

    void run(const runtime::KernelIo& io) const override {
        const Partition work = divide(io.threads.threads());
        auto* const scratch = reinterpret_cast<float*>(io.scratch);
        io.threads.parallel_for(row_count(), work.grain, [&](std::size_t begin, std::size_t end) {
            run_rows(io, begin, end, scratch + begin / work.grain * ring_floats());
        });
    }
    [[nodiscard]] std::size_t scratch_bytes(unsigned threads) const override {
        return divide(threads).chunks * ring_floats() * sizeof(float);
    }

private:
    [[nodiscard]] std::size_t row_count() const { return shape_.batch * shape_.out_height; }
    [[nodiscard]] std::size_t ring_floats() const { return shape_.kernel_height * row_floats_; }
    [[nodiscard]] Partition divide(unsigned threads) const {
        return partition(row_count(),
                         shape_.flops_per_pixel() * static_cast<double>(shape_.out_width), threads);
    }
    void run_rows(const runtime::KernelIo& io, std::size_t begin, std::size_t end,
                  float* ring) const;
    // Separates an input row, padding it left and right with zeros.
    void fill(const float* from, float* planes) const;

    ConvShape shape_;
    const PlanarKernels& kernels_;
    AlignedFloats weights_; // and the bias behind them
    std::size_t plane_stride_;
    std::size_t row_floats_;
};

void PlanarConv::fill(const float* from, float* planes) const {
    const ConvShape& s = shape_;
    // Columns beyond the last window are never used.
    const std::size_t used = s.out_width + s.kernel_width - 1;
    const std::size_t inside = std::min(s.in_width, used - std::min(s.pad_left, used));
    for (std::size_t c = 0; c < s.in_channels; ++c) {
        float* const plane = planes + c * plane_stride_;
        std::fill_n(plane, std::min(s.pad_left, used), 0.0F);
        std::fill_n(plane + s.pad_left + inside, plane_stride_ - s.pad_left - inside, 0.0F);
    }
    kernels_.separate(from, inside, s.in_channels, planes + s.pad_left, plane_stride_);
}

void PlanarConv::run_rows(const runtime::KernelIo& io, std::size_t begin, std::size_t end,
                          float* ring) const {
    const ConvShape& s = shape_;
    const std::size_t input_row = s.in_width * s.in_channels;
    std::size_t filled = 0; // input rows of this image before this one are, or were, in the ring
    for (std::size_t row = begin; row < end; ++row) {
        const std::size_t image = row / s.out_height;
        const std::size_t y = row % s.out_height;
        if (y == 0) {
            filled = 0;
        }
        const TapRange taps = valid_taps(y, 1, s.pad_top, 1, s.kernel_height, s.in_height);
        std::array<const float*, kMaxKernelHeight> rows{};
        for (std::size_t t = taps.begin; t < taps.end; ++t) {
            const std::size_t from = y + t - s.pad_top;
            float* const planes = ring + from % s.kernel_height * row_floats_;
            if (from >= filled) {
                fill(io.input<float>(0) + (image * s.in_height + from) * input_row, planes);
                filled = from + 1;
            }
            rows[t - taps.begin] = planes;
        }
        const std::size_t taps_per_row = s.in_channels * s.kernel_width;
        kernels_.rows[s.out_channels - 1]({
            .rows = rows.data(),
            .row_count = taps.end - taps.begin,
            .in_channels = s.in_channels,
            .plane_stride = plane_stride_,
            .kernel_width = s.kernel_width,
            .weights = weights_.get() + taps.begin * taps_per_row * s.out_channels,
            .bias = weights_.get() + s.taps() * s.in_channels * s.out_channels,
            .output = io.output<float>(0) + row * s.out_width * s.out_channels,
            .pixels = s.out_width,
            .activation = s.activation,
        });
    }
}

} // namespace

bool suits_planes(const ConvShape& s) {
    return s.groups == 1 && s.out_channels <= kMaxPlanarOutputs && s.residual_channels == 0 &&
           s.stride_x == 1 && s.stride_y == 1 && s.dilation_x == 1 && s.dilation_y == 1 &&
           s.kernel_width > 1 && s.kernel_height <= kMaxKernelHeight && s.pad_left < s.out_width &&
           s.out_width >= kMinPlanarPixels;
}

Result<std::unique_ptr<runtime::Kernel>> make_planar_conv(const ConvShape& s,
                                                          const ConvConstants& data) {
    const std::size_t count = s.taps() * s.in_channels * s.out_channels;
    SLUICE_TRY_ASSIGN(AlignedFloats weights, allocate_floats(count + s.out_channels));
    float* to = weights.get();
    for (std::size_t y = 0; y < s.kernel_height; ++y) {
        for (std::size_t i = 0; i < s.in_channels; ++i) {
            for (std::size_t x = 0; x < s.kernel_width; ++x) {
                for (std::size_t o = 0; o < s.out_channels; ++o) {
                    *to++ = data.at(o, y, x, i);
                }
            }
        }
    }
    std::ranges::copy(data.bias, to);
    return std::make_unique<PlanarConv>(s, std::move(weights));
}

} // namespace sluice::cpu
