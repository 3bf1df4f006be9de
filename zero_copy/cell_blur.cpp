// SPDX-License-Identifier: Apache-2.0
// CellBlur: separable convolution of cells.
#include "zero_copy/cell_blur.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/base/checked_math.h"
#include "core/runtime/thread_pool.h"
#include "zero_copy/blur_kernels.h"

namespace sluice::zero_copy {

namespace {

constexpr std::size_t kRowsPerTask = 16;
// Cells a standard deviation: below, the interpolation between cells becomes visible.
constexpr double kMinCellSigma = 1.5;
constexpr std::size_t kMaxCell = 256;
constexpr std::size_t kAlignFloats = 16;

} // namespace

GaussianKernel gaussian_kernel(double sigma) {
    GaussianKernel out;
    if (!(sigma > 0.0)) {
        return out;
    }
    out.radius = static_cast<std::size_t>(
        std::min(std::ceil(3.0 * sigma), static_cast<double>(GaussianKernel::kMaxRadius)));
    double sum = 0.0;
    for (std::size_t i = 0; i <= 2 * out.radius; ++i) {
        const double x = (static_cast<double>(i) - static_cast<double>(out.radius)) / sigma;
        sum += std::exp(-0.5 * x * x);
    }
    for (std::size_t i = 0; i <= 2 * out.radius; ++i) {
        const double x = (static_cast<double>(i) - static_cast<double>(out.radius)) / sigma;
        out.weights[i] = static_cast<float>(std::exp(-0.5 * x * x) / sum);
    }
    return out;
}

std::size_t blur_cell(double sigma) {
    std::size_t cell = 2;
    while (cell < kMaxCell && sigma / static_cast<double>(2 * cell) >= kMinCellSigma) {
        cell *= 2;
    }
    return cell;
}

GaussianKernel cell_kernel(double sigma, std::size_t cell) {
    const auto size = static_cast<double>(cell);
    const double box = ((size * size) - 1.0) / 12.0;
    // Between two cells at a fraction f, interpolation spreads by f (1 - f).
    double tent = 0.0;
    for (std::size_t i = 0; i < cell; ++i) {
        const double at = ((static_cast<double>(i) + 0.5) / size) + 0.5;
        const double f = at - std::floor(at);
        tent += f * (1.0 - f) * size;
    }
    const double rest = (sigma * sigma) - box - tent;
    return gaussian_kernel(rest > 0.0 ? std::sqrt(rest) / size : 0.0);
}

CellBlur::CellBlur(std::size_t max_columns, std::size_t max_rows, std::size_t values,
                   std::size_t max_radius)
    : values_(values), border_(max_radius) {
    const std::size_t pitch = align_up(max_columns + (2 * border_), kAlignFloats);
    cells_.resize((values + 1) * pitch * (max_rows + (2 * border_)));
    vertical_.resize((values + 1) * pitch * max_rows);
}

void CellBlur::reset(std::size_t columns, std::size_t rows) {
    columns_ = columns;
    rows_ = rows;
    pitch_ = align_up(columns + (2 * border_), kAlignFloats);
    plane_size_ = pitch_ * (rows + (2 * border_));
    std::fill_n(cells_.begin(), static_cast<std::ptrdiff_t>((values_ + 1) * plane_size_), 0.0F);
}

void CellBlur::blur(const GaussianKernel& across, const GaussianKernel& down,
                    runtime::ThreadPool& threads) {
    const std::size_t planes = values_ + 1;
    threads.parallel_for(rows_, kRowsPerTask, [&](std::size_t begin, std::size_t end) {
        for (std::size_t plane = 0; plane < planes; ++plane) {
            for (std::size_t row = begin; row < end; ++row) {
                const float* const in = at(plane, row) - border_ - (down.radius * pitch_);
                convolve(in, pitch_, down.weights.data(), (2 * down.radius) + 1, pitch_,
                         vertical_.data() + (((plane * rows_) + row) * pitch_));
            }
        }
    });
    threads.parallel_for(rows_, kRowsPerTask, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            for (std::size_t plane = 0; plane < planes; ++plane) {
                const float* const in =
                    vertical_.data() + (((plane * rows_) + row) * pitch_) + border_ - across.radius;
                convolve(in, 1, across.weights.data(), (2 * across.radius) + 1, columns_,
                         at(plane, row));
            }
            for (std::size_t value = 0; value < values_; ++value) {
                divide_strip(weights(row), columns_, sums(value, row));
            }
        }
    });
}

} // namespace sluice::zero_copy
