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

// How a Gaussian of `sigma` samples splits into cells and a kernel on them. Summing into cells and
// interpolating between them blur too; the kernel has the rest of the variance.
struct BlurPlan {
    std::size_t cell = 1; // samples across: a power of two, at least 2
    GaussianKernel kernel;
};
[[nodiscard]] BlurPlan plan_blur(double sigma);

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
    void blur(const GaussianKernel& kernel, runtime::ThreadPool& threads);

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
