// SPDX-License-Identifier: Apache-2.0
// CellBlur: a weighted Gaussian blur at reduced resolution.
//
// A picture is summed into square cells together with its weights; sums and weights are blurred
// alike, and their quotient is blur(picture * weight) / blur(weight): what has no weight (the
// person in front of a background) does not bleed into the rest, and borders need no special case.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "core/runtime/thread_pool.h"

namespace sluice::zero_copy {

// A sampled Gaussian, symmetric, of sum 1.
struct GaussianKernel {
    static constexpr std::size_t kMaxRadius = 32;
    std::size_t radius = 0;
    std::array<float, (2 * kMaxRadius) + 1> weights{1.0F};
};
[[nodiscard]] GaussianKernel gaussian_kernel(double sigma);

// How many samples across a cell may be, for a Gaussian of `sigma` samples: a power of two, at
// least 2.
[[nodiscard]] std::size_t blur_cell(double sigma);
// The kernel on cells of `cell` samples that makes the whole a Gaussian of `sigma` samples: summing
// into cells and interpolating between them blur too, so the kernel has the rest of the variance.
[[nodiscard]] GaussianKernel cell_kernel(double sigma, std::size_t cell);

// Planes of cells with a border of zeros around them.
class CellBlur {
public:
    static constexpr std::size_t kMaxValues = 4;

    // Allocates for up to this many cells (border excluded), values a cell and kernel radius.
    CellBlur(std::size_t max_columns, std::size_t max_rows, std::size_t values,
             std::size_t max_radius);

    // Starts a picture of zeros. Within what was allocated.
    void reset(std::size_t columns, std::size_t rows);
    // Sums of value * weight, for the caller to add to. Rows may be filled from several threads.
    [[nodiscard]] float* sums(std::size_t value, std::size_t row) { return at(value, row); }
    [[nodiscard]] float* weights(std::size_t row) { return at(values_, row); }
    // Turns sums into blurred values: sums() then holds the pictures.
    void blur(const GaussianKernel& across, const GaussianKernel& down,
              runtime::ThreadPool& threads);

    [[nodiscard]] const float* picture(std::size_t value, std::size_t row) const {
        return const_cast<CellBlur*>(this)->at(value, row);
    }
    [[nodiscard]] std::size_t columns() const { return columns_; }
    [[nodiscard]] std::size_t rows() const { return rows_; }

private:
    [[nodiscard]] float* at(std::size_t plane, std::size_t row) {
        return cells_.data() + (plane * plane_size_) + ((row + border_) * pitch_) + border_;
    }

    std::size_t values_;
    std::size_t border_;
    std::size_t columns_ = 0;
    std::size_t rows_ = 0;
    std::size_t pitch_ = 0;
    std::size_t plane_size_ = 0;
    std::vector<float> cells_;
    std::vector<float> vertical_; // one direction done
};

} // namespace sluice::zero_copy
