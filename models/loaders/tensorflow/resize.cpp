// SPDX-License-Identifier: Apache-2.0
// Resizing of pictures by the three conventions that TensorFlow has for where an element lies.
// WebNN has one (half-pixel centres), so the others become slices or products with interpolation
// matrices.
#include "models/loaders/tensorflow/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/resample2d.h"
#include "core/ops/slice.h"
#include "models/loaders/tensorflow/context.h"

namespace sluice::models::tensorflow {

using graph::OperandId;
using graph::Shape;

namespace {

// One axis: sizes before and after, and how positions map.
struct Axis {
    std::uint32_t from;
    std::uint32_t to;
    Convention convention;

    // Input elements per output element, rounded to float as TensorFlow's own kernels do.
    [[nodiscard]] float scale() const {
        return convention.align_corners && to > 1
                   ? static_cast<float>(from - 1) / static_cast<float>(to - 1)
                   : static_cast<float>(from) / static_cast<float>(to);
    }
    // Where output element i lies in the input, for linear interpolation.
    [[nodiscard]] float position(std::uint32_t i) const {
        const auto at = static_cast<float>(i);
        return convention.half_pixel_centers ? (at + 0.5F) * scale() - 0.5F : at * scale();
    }
    // The input element that output element i copies.
    [[nodiscard]] std::uint32_t nearest(std::uint32_t i) const {
        const float at =
            (static_cast<float>(i) + (convention.half_pixel_centers ? 0.5F : 0.0F)) * scale();
        const float index = convention.align_corners ? std::round(at) : std::floor(at);
        return static_cast<std::uint32_t>(std::clamp(index, 0.0F, static_cast<float>(from - 1)));
    }
    // What WebNN's resample2d copies: ceil(x - 0.5) of x = (i + 0.5) * from / to - 0.5, exactly.
    [[nodiscard]] std::uint32_t nearest_webnn(std::uint32_t i) const {
        const std::uint64_t numerator = (2 * std::uint64_t{i} + 1) * from;
        const std::uint64_t denominator = 2 * std::uint64_t{to};
        return static_cast<std::uint32_t>((numerator + denominator - 1) / denominator - 1);
    }
};

struct Resize {
    OperandId x;
    Shape shape;
    std::array<Axis, 2> axes;
};

Result<Resize> resize_of(Context& op, OperandId x, std::span<const std::int64_t> sizes,
                         Convention convention) {
    const Shape shape = op.shape(x);
    if (shape.rank() != 4 || sizes.size() != 2) {
        return fail(ErrorCode::Parse, "{} sizes for an input of {} dimensions", sizes.size(),
                    shape.rank());
    }
    if (convention.align_corners && convention.half_pixel_centers) {
        return fail(ErrorCode::Parse, "align_corners and half_pixel_centers at once");
    }
    Resize out{.x = x, .shape = shape, .axes = {}};
    for (std::size_t i = 0; i < 2; ++i) {
        SLUICE_TRY_ASSIGN(const std::uint32_t to, positive(sizes[i], "size"));
        // Within float's integers, and small enough to walk through every position.
        if (to > (1U << 16U) || shape[1 + i] > (1U << 16U)) {
            return fail(ErrorCode::Unsupported, "a picture of {} elements resized to {}",
                        shape[1 + i], to);
        }
        out.axes[i] = {.from = shape[1 + i], .to = to, .convention = convention};
    }
    return out;
}

// Resizes an axis by a matrix [to, from] whose row i holds the weights of output element i. The
// axes before it are batches and those after it columns, so that no transposition is needed.
Result<OperandId> multiply(Context& op, OperandId x, std::size_t axis, const Axis& resize,
                           std::vector<float> matrix) {
    Shape shape = op.shape(x);
    std::uint32_t batches = 1;
    std::uint32_t columns = 1;
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        // Factors of an existing tensor's element count.
        (i < axis ? batches : columns) *= i == axis ? 1 : shape[i];
    }
    SLUICE_TRY_ASSIGN(const OperandId weights,
                      op.table(Shape{resize.to, resize.from}, std::move(matrix)));
    SLUICE_TRY_ASSIGN(const OperandId flat,
                      op.build().reshape(x, Shape{batches, resize.from, columns}, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId product, op.build().matmul(weights, flat, op.label()));
    shape[axis] = resize.to;
    return op.build().reshape(product, shape, op.label());
}

// A zeroed matrix [to, from], taken from the load budget.
Result<std::vector<float>> matrix_for(Context& op, const Axis& axis) {
    const auto count = checked_product<std::size_t>(sizeof(float), axis.from, axis.to);
    if (!count) {
        return fail(ErrorCode::Unsupported, "too large to interpolate by a matrix");
    }
    SLUICE_TRY(op.budget().take(*count));
    return std::vector<float>(std::size_t{axis.from} * axis.to);
}

Result<OperandId> resize_linear(Context& op, OperandId x, std::size_t axis, const Axis& resize) {
    SLUICE_TRY_ASSIGN(auto matrix, matrix_for(op, resize));
    for (std::uint32_t i = 0; i < resize.to; ++i) {
        const float last = static_cast<float>(resize.from - 1);
        const float position = std::clamp(resize.position(i), 0.0F, last);
        const float lower = std::floor(position);
        const float fraction = position - lower;
        const std::size_t row = std::size_t{i} * resize.from;
        matrix[row + static_cast<std::size_t>(lower)] += 1.0F - fraction;
        matrix[row + static_cast<std::size_t>(std::min(lower + 1.0F, last))] += fraction;
    }
    return multiply(op, x, axis, resize, std::move(matrix));
}

Result<OperandId> resize_nearest(Context& op, OperandId x, std::size_t axis, const Axis& resize) {
    std::vector<std::uint32_t> source(resize.to);
    for (std::uint32_t i = 0; i < resize.to; ++i) {
        source[i] = resize.nearest(i);
    }
    // Evenly spaced elements are a strided slice.
    const std::uint32_t step = resize.to > 1 ? source[1] - source[0] : 1;
    bool even = step > 0;
    for (std::uint32_t i = 0; i < resize.to && even; ++i) {
        even = source[i] == source[0] + i * step;
    }
    if (even) {
        const Shape shape = op.shape(x);
        ops::Slice slice{.starts = std::vector<std::uint32_t>(shape.rank(), 0),
                         .sizes = {shape.begin(), shape.end()},
                         .strides = std::vector<std::uint32_t>(shape.rank(), 1)};
        slice.starts[axis] = source[0];
        slice.sizes[axis] = (resize.to - 1) * step + 1;
        slice.strides[axis] = step;
        return op.build().slice(x, slice, op.label());
    }
    SLUICE_TRY_ASSIGN(auto matrix, matrix_for(op, resize));
    for (std::uint32_t i = 0; i < resize.to; ++i) {
        matrix[std::size_t{i} * resize.from + source[i]] = 1.0F;
    }
    return multiply(op, x, axis, resize, std::move(matrix));
}

using AxisResize = Result<OperandId> (*)(Context&, OperandId, std::size_t, const Axis&);

// The axes one after the other, those that keep their size left alone.
Result<OperandId> each_axis(Context& op, const Resize& resize, AxisResize function) {
    OperandId x = resize.x;
    for (std::size_t i = 0; i < 2; ++i) {
        const Axis& axis = resize.axes[i];
        if (axis.from != axis.to) {
            SLUICE_TRY_ASSIGN(x, function(op, x, 1 + i, axis));
        }
    }
    return x;
}

Result<OperandId> resample(Context& op, const Resize& resize, ops::Interpolation mode) {
    return op.build().resample2d(
        resize.x, {.mode = mode, .axes = {1, 2}, .sizes = {resize.axes[0].to, resize.axes[1].to}},
        op.label());
}

} // namespace

Result<OperandId> resize_bilinear(Context& op, OperandId x, std::span<const std::int64_t> sizes,
                                  Convention convention) {
    SLUICE_TRY_ASSIGN(const Resize resize, resize_of(op, x, sizes, convention));
    const auto fits = [](const Axis& axis) {
        // One element has only one value to interpolate.
        return axis.convention.half_pixel_centers || axis.from == axis.to || axis.from == 1;
    };
    if (std::ranges::all_of(resize.axes, fits)) {
        return resample(op, resize, ops::Interpolation::Linear);
    }
    return each_axis(op, resize, resize_linear);
}

Result<OperandId> resize_nearest_neighbor(Context& op, OperandId x,
                                          std::span<const std::int64_t> sizes,
                                          Convention convention) {
    SLUICE_TRY_ASSIGN(const Resize resize, resize_of(op, x, sizes, convention));
    const auto fits = [](const Axis& axis) {
        for (std::uint32_t i = 0; i < axis.to; ++i) {
            if (axis.nearest(i) != axis.nearest_webnn(i)) {
                return false;
            }
        }
        return true;
    };
    if (std::ranges::all_of(resize.axes, fits)) {
        return resample(op, resize, ops::Interpolation::Nearest);
    }
    return each_axis(op, resize, resize_nearest);
}

} // namespace sluice::models::tensorflow
