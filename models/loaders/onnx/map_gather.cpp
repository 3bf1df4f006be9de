// SPDX-License-Identifier: Apache-2.0
// Mappings that read or write at computed places.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/slice.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/ranges.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;

namespace {

Result<std::uint32_t> axis_attribute(Operation& op, OperandId x) {
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", 0));
    return axis_of(listed, op.shape(x).rank());
}

Status no_reduction(Operation& op) {
    SLUICE_TRY_ASSIGN(const std::string reduction, op.text("reduction", "none"));
    if (reduction != "none") {
        return fail(ErrorCode::Unsupported, "the reduction '{}'; WebNN's scatter only replaces",
                    reduction);
    }
    return {};
}

} // namespace

Result<Outputs> map_gather(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId indices, op.input(1));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_attribute(op, x));
    return op.build().gather(x, indices, axis, op.label());
}

// ONNX's indices may cover less than the tensor on the other axes; WebNN's may not.
Result<Outputs> map_gather_elements(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId indices, op.input(1));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_attribute(op, x));
    const Shape shape = op.shape(x);
    const Shape covered = op.shape(indices);
    if (covered.rank() != shape.rank()) {
        return fail(ErrorCode::Parse, "indices of {} dimensions for {}", covered.rank(),
                    shape.rank());
    }
    ops::Slice slice{
        .starts = std::vector<std::uint32_t>(shape.rank(), 0), .sizes = {}, .strides = {}};
    bool whole = true;
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        slice.sizes.push_back(i == axis ? shape[i] : std::min(shape[i], covered[i]));
        whole = whole && slice.sizes[i] == shape[i];
    }
    if (!whole) {
        SLUICE_TRY_ASSIGN(x, op.build().slice(x, std::move(slice), op.label()));
    }
    return op.build().gather_elements(x, indices, axis, op.label());
}

// Batch dimensions become coordinates of their own.
Result<Outputs> map_gather_nd(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(OperandId indices, op.input(1));
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("batch_dims", 0));
    const Shape shape = op.shape(indices);
    if (listed < 0 ||
        static_cast<std::size_t>(listed) >= std::min(shape.rank(), op.shape(x).rank())) {
        return fail(ErrorCode::Parse, "{} batch dimensions of {}", listed, shape.rank());
    }
    const auto batches = static_cast<std::size_t>(listed);
    std::vector<OperandId> parts;
    for (std::size_t axis = 0; axis < batches; ++axis) {
        Shape lead = shape;
        lead[lead.rank() - 1] = 1;
        Dims dims(shape.rank(), 1);
        dims[axis] = shape[axis];
        SLUICE_TRY(op.budget().take(std::size_t{shape[axis]} * sizeof(std::int64_t)));
        Literal counter = Literal::of(element_type(op.desc(indices).type()), std::move(dims));
        std::ranges::iota(counter.integers, 0);
        SLUICE_TRY_ASSIGN(const OperandId numbers, op.add_constant(counter));
        SLUICE_TRY_ASSIGN(parts.emplace_back(), op.build().expand(numbers, lead, op.label()));
    }
    if (batches > 0) {
        parts.push_back(indices);
        SLUICE_TRY_ASSIGN(
            indices,
            op.build().concat(parts, static_cast<std::uint32_t>(shape.rank() - 1), op.label()));
    }
    return op.build().gather_nd(x, indices, op.label());
}

Result<Outputs> map_scatter_elements(Operation& op) {
    SLUICE_TRY(no_reduction(op));
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId indices, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId updates, op.input(2));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_attribute(op, x));
    const Shape shape = op.shape(x);
    const Shape covered = op.shape(indices);
    for (std::size_t i = 0; covered.rank() == shape.rank() && i < shape.rank(); ++i) {
        if (i != axis && covered[i] < shape[i]) {
            return fail(ErrorCode::Unsupported,
                        "indices {} that cover a part of {} only, where WebNN's cover all",
                        graph::to_string(covered), graph::to_string(shape));
        }
    }
    return op.build().scatter_elements(x, indices, updates, axis, op.label());
}

Result<Outputs> map_scatter_nd(Operation& op) {
    SLUICE_TRY(no_reduction(op));
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId indices, op.input(1));
    SLUICE_TRY_ASSIGN(const OperandId updates, op.input(2));
    return op.build().scatter_nd(x, indices, updates, op.label());
}

// The second of two values where a counter along a new axis equals the index, the first elsewhere.
Result<Outputs> map_one_hot(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId indices, op.input(0));
    SLUICE_TRY_ASSIGN(const double listed_depth, op.scalar(1));
    SLUICE_TRY_ASSIGN(const OperandId values, op.input(2));
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", -1));
    const Shape shape = op.shape(indices);
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, shape.rank() + 1));
    if (!(listed_depth >= 1.0 && listed_depth <= 0x1p30)) {
        return fail(ErrorCode::Unsupported, "a depth of {}", listed_depth);
    }
    const auto depth = static_cast<std::uint32_t>(listed_depth);
    if (shape.rank() == graph::kMaxRank || op.shape(values) != Shape{2}) {
        return fail(ErrorCode::Unsupported, "more than {} dimensions, or not two values",
                    graph::kMaxRank);
    }
    std::vector<std::uint32_t> dims(shape.begin(), shape.end());
    dims.insert(dims.begin() + axis, 1);
    SLUICE_TRY_ASSIGN(indices, op.build().reshape(indices, Shape(dims), op.label()));
    SLUICE_TRY(op.budget().take(std::size_t{depth} * sizeof(std::int64_t)));
    Dims counts(dims.size(), 1);
    counts[axis] = depth;
    const graph::DataType type = op.desc(indices).type();
    Literal counter = Literal::of(schema::Tensor::INT64, std::move(counts));
    std::ranges::iota(counter.integers, 0);
    convert(counter, element_type(type));
    SLUICE_TRY_ASSIGN(const OperandId numbers, op.add_constant(counter));
    if (graph::info(type).is_signed) {
        SLUICE_TRY_ASSIGN(const OperandId zero, op.number(indices, 0.0));
        SLUICE_TRY_ASSIGN(const OperandId full, op.number(indices, listed_depth));
        SLUICE_TRY_ASSIGN(const OperandId below, op.build().lesser(indices, zero, op.label()));
        SLUICE_TRY_ASSIGN(const OperandId raised, op.build().add(indices, full, op.label()));
        SLUICE_TRY_ASSIGN(indices, op.build().where(below, raised, indices, op.label()));
    }
    SLUICE_TRY_ASSIGN(const OperandId hit, op.build().equal(indices, numbers, op.label()));
    SLUICE_TRY_ASSIGN(const auto pair,
                      op.build().split(values, {.sizes = {1, 1}, .axis = 0}, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId off, op.build().reshape(pair[0], Shape{}, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId on, op.build().reshape(pair[1], Shape{}, op.label()));
    return op.build().where(hit, on, off, op.label());
}

} // namespace sluice::models::onnx
