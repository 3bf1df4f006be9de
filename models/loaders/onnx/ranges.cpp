// SPDX-License-Identifier: Apache-2.0
// The dimensions that shape operators ask for.
#include "models/loaders/onnx/ranges.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {
namespace {

// Far beyond any dimension, yet far from overflow.
std::int64_t near(std::int64_t at) {
    constexpr std::int64_t kFar = std::int64_t{1} << 40;
    return std::clamp(at, -kFar, kFar);
}

SliceRange resolve(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t dim) {
    const auto from_end = [dim](std::int64_t at) { return at < 0 ? at + dim : at; };
    start = from_end(near(start));
    end = from_end(near(end));
    if (step > 0) {
        start = std::clamp<std::int64_t>(start, 0, dim);
        end = std::clamp<std::int64_t>(end, 0, dim);
        return {.start = start,
                .count = end > start ? (end - start + step - 1) / step : 0,
                .step = step};
    }
    start = std::clamp<std::int64_t>(start, -1, dim - 1);
    end = std::clamp<std::int64_t>(end, -1, dim - 1);
    return {
        .start = start, .count = start > end ? (start - end - step - 1) / -step : 0, .step = step};
}

Dims iota(std::size_t count) {
    Dims out(count);
    std::iota(out.begin(), out.end(), 0);
    return out;
}

} // namespace

Result<std::vector<SliceRange>> slice_ranges(Operation& op, const Dims& dims) {
    SLUICE_TRY_ASSIGN(const auto starts, op.integers_of("starts", 1));
    SLUICE_TRY_ASSIGN(const auto ends, op.integers_of("ends", 2));
    SLUICE_TRY_ASSIGN(const auto listed, op.integers_of("axes", 3));
    if (!starts || !ends) {
        return fail(ErrorCode::Parse, "starts or ends are missing");
    }
    Dims steps(starts->size(), 1);
    if (op.has_input(4)) {
        SLUICE_TRY_ASSIGN(steps, op.integers(4));
    }
    SLUICE_TRY_ASSIGN(const auto axes, axes_of(listed.value_or(iota(starts->size())), dims.size()));
    if (ends->size() != axes.size() || starts->size() != axes.size() ||
        steps.size() != axes.size()) {
        return fail(ErrorCode::Parse, "{} starts, {} ends, {} axes and {} steps", starts->size(),
                    ends->size(), axes.size(), steps.size());
    }
    std::vector<SliceRange> out;
    for (const std::int64_t dim : dims) {
        out.push_back({.start = 0, .count = dim, .step = 1});
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
        if (steps[i] == 0) {
            return fail(ErrorCode::Parse, "a step of 0");
        }
        out[axes[i]] = resolve((*starts)[i], (*ends)[i], near(steps[i]), dims[axes[i]]);
    }
    return out;
}

Result<Dims> reshaped_dims(Operation& op, const Dims& dims) {
    SLUICE_TRY_ASSIGN(const auto wanted, op.integers_of("shape", 1));
    SLUICE_TRY_ASSIGN(const std::int64_t allow_zero, op.integer("allowzero", 0));
    if (!wanted) {
        return fail(ErrorCode::Parse, "the shape is missing");
    }
    Dims out = *wanted;
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (out[i] == 0 && allow_zero == 0) {
            if (i >= dims.size()) {
                return fail(ErrorCode::Parse, "dimension {} is to be copied from {}", i,
                            dims.size());
            }
            out[i] = dims[i];
        }
    }
    SLUICE_TRY_ASSIGN(const std::size_t count, element_count(dims));
    if (const auto inferred = std::ranges::find(out, -1); inferred != out.end()) {
        *inferred = 1;
        SLUICE_TRY_ASSIGN(const std::size_t rest, element_count(out));
        if (rest == 0 || count % rest != 0) {
            return fail(ErrorCode::Parse, "{} elements in rows of {}", count, rest);
        }
        *inferred = static_cast<std::int64_t>(count / rest);
    }
    SLUICE_TRY_ASSIGN(const std::size_t result, element_count(out));
    if (result != count) {
        return fail(ErrorCode::Parse, "{} elements into a shape of {}", count, result);
    }
    return out;
}

Result<Dims> squeezed_dims(Operation& op, const Dims& dims) {
    SLUICE_TRY_ASSIGN(const auto listed, op.integers_of("axes", 1));
    std::vector<std::uint32_t> axes;
    if (listed) {
        SLUICE_TRY_ASSIGN(axes, axes_of(*listed, dims.size()));
    }
    Dims out;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        const bool drop =
            listed ? std::ranges::contains(axes, static_cast<std::uint32_t>(i)) : dims[i] == 1;
        if (drop && dims[i] != 1) {
            return fail(ErrorCode::Parse, "dimension {} is {}, only 1 can be squeezed", i, dims[i]);
        }
        if (!drop) {
            out.push_back(dims[i]);
        }
    }
    return out;
}

Result<Dims> unsqueezed_dims(Operation& op, const Dims& dims) {
    SLUICE_TRY_ASSIGN(const auto listed, op.integers_of("axes", 1));
    if (!listed) {
        return fail(ErrorCode::Parse, "the axes are missing");
    }
    const std::size_t rank = dims.size() + listed->size();
    SLUICE_TRY_ASSIGN(const auto axes, axes_of(*listed, rank));
    Dims out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < rank; ++i) {
        out.push_back(std::ranges::contains(axes, static_cast<std::uint32_t>(i)) ? 1
                                                                                 : dims[next++]);
    }
    return out;
}

Result<Dims> split_sizes(Operation& op, std::int64_t dim) {
    SLUICE_TRY_ASSIGN(const auto listed, op.integers_of("split", 1));
    if (listed) {
        std::int64_t sum = 0;
        for (const std::int64_t size : *listed) {
            if (size < 0 || size > dim) {
                return fail(ErrorCode::Parse, "a piece of {} of a dimension of {}", size, dim);
            }
            sum += size;
        }
        if (sum != dim || listed->size() != op.output_count()) {
            return fail(ErrorCode::Parse,
                        "{} pieces of {} in all for {} outputs and a dimension of {}",
                        listed->size(), sum, op.output_count(), dim);
        }
        return *listed;
    }
    SLUICE_TRY_ASSIGN(const std::int64_t count,
                      op.integer("num_outputs", static_cast<std::int64_t>(op.output_count())));
    if (count <= 0 || static_cast<std::size_t>(count) != op.output_count()) {
        return fail(ErrorCode::Parse, "{} pieces for {} outputs", count, op.output_count());
    }
    // The last piece is smaller where the dimension is no multiple.
    const std::int64_t size = (dim + count - 1) / count;
    Dims out;
    for (std::int64_t i = 0; i < count; ++i) {
        out.push_back(std::clamp<std::int64_t>(dim - i * size, 0, size));
    }
    return out;
}

Result<std::vector<std::uint32_t>> permutation(Operation& op, std::size_t rank) {
    SLUICE_TRY_ASSIGN(Dims listed, op.integer_list("perm"));
    if (listed.empty()) {
        listed = iota(rank);
        std::ranges::reverse(listed);
    }
    if (listed.size() != rank) {
        return fail(ErrorCode::Parse, "a permutation of {} axes for {}", listed.size(), rank);
    }
    return axes_of(listed, rank);
}

Result<Dims> broadcast_dims(const Dims& a, const Dims& b) {
    Dims out(std::max(a.size(), b.size()));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
        const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
        if (x != y && x != 1 && y != 1) {
            return fail(ErrorCode::Parse, "dimensions of {} and {} do not broadcast", x, y);
        }
        out[out.size() - 1 - i] = x == 1 ? y : x;
    }
    return out;
}

std::vector<std::size_t> broadcast_strides(const Dims& dims, std::size_t rank) {
    std::vector<std::size_t> out(rank, 0);
    std::size_t stride = 1;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        const auto dim = static_cast<std::size_t>(dims[dims.size() - 1 - i]);
        out[rank - 1 - i] = dim == 1 ? 0 : stride;
        stride *= dim;
    }
    return out;
}

void for_each_index(const Dims& dims,
                    const std::function<void(std::span<const std::int64_t>)>& visit) {
    if (std::ranges::contains(dims, 0)) {
        return;
    }
    Dims index(dims.size(), 0);
    while (true) {
        visit(index);
        std::size_t axis = dims.size();
        while (axis > 0 && ++index[axis - 1] == dims[axis - 1]) {
            index[--axis] = 0;
        }
        if (axis == 0) {
            return;
        }
    }
}

} // namespace sluice::models::onnx
