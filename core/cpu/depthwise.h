// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution: every channel has a filter of its own.
#pragma once

#include <cstddef>
#include <memory>

#include "core/base/result.h"
#include "core/cpu/conv_shape.h"
#include "core/cpu/depthwise_kernel.h"
#include "core/cpu/packed_weights.h"
#include "core/runtime/kernel.h"

namespace sluice::cpu {

// Some channels of a depthwise convolution, an output row at a time, from wherever the rows of the
// picture lie.
class DepthwiseRows {
public:
    // Rows `row_stride` floats apart, the first of them `base` floats behind `input`. The first is
    // under the kernel's row first_tap, each next one under the next, beginning again after the
    // last: so they may lie in a ring of kernel_height rows.
    struct Row {
        const float* input;
        std::ptrdiff_t base;
        std::size_t row_stride;
        std::size_t first_tap;
        std::size_t rows;
        const float* residual; // of the output row; null: none
        float* output;
    };

    // Channels [first, first + count) of what `shape` and `data` describe; rows hold only them.
    [[nodiscard]] static Result<DepthwiseRows>
    create(const ConvShape& shape, const ConvConstants& data, std::size_t first, std::size_t count);

    void run(const Row& row) const;
    // Of these channels alone.
    [[nodiscard]] const ConvShape& shape() const { return shape_; }

private:
    DepthwiseRows(const ConvShape& shape, AlignedFloats weights, AlignedFloats bias);

    // How many tiles of which size a row begins with, whose windows lie inside but for a column.
    void plan_runs();
    // `tiles` of those from the one at column x on.
    void run_tiles(DepthwiseTile tile, std::size_t x, std::size_t tiles) const;
    // Fills in what depends on the column and runs `pixels` of them.
    void run_tile(DepthwiseTile tile, std::size_t x, std::size_t pixels) const;

    ConvShape shape_;
    const DepthwiseKernels* kernels_;
    AlignedFloats weights_; // [kernel row, all but the last twice][kernel column][channels]
    AlignedFloats bias_;    // [channels]
    bool fast_;
    std::size_t run_size_ = 0;   // which of kDepthwiseRunPixels
    std::size_t run_end_ = 0;    // the column behind all runs; 0: there are none
    std::size_t run_tiles_ = 1;  // of one run
    bool run_overhangs_ = false; // the last column of the last tile lies in the padding
};

// An output value costs as much as this many operations of a matrix product at the same time: the
// kernel is bound by loads.
inline constexpr double kDepthwiseLoadFactor = 3.0;

// Where output row y's windows lie in a picture that is whole in memory: all but the pointers.
[[nodiscard]] DepthwiseRows::Row depthwise_row(const ConvShape& shape, std::size_t y);

// For groups == input channels == output channels. Inputs of the kernel are those of the node: x,
// filter, [bias], [residual].
[[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
make_depthwise_conv(const ConvShape& shape, const ConvConstants& data);

} // namespace sluice::cpu
