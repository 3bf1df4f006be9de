// SPDX-License-Identifier: Apache-2.0
// Operators that look for values or put them somewhere: the largest ones, and sparse tables.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "models/loaders/tfjs/mappings.h"

namespace sluice::models::tfjs {
namespace {

using graph::OperandId;
using graph::Shape;

// More rounds would be slower than whatever the network does besides.
constexpr std::int64_t kMostRounds = 256;

// A row of 0, 1, 2... as long as the last dimension.
Result<OperandId> numbers_along(Operation& op, std::uint32_t length) {
    std::vector<std::int32_t> numbers(length);
    std::iota(numbers.begin(), numbers.end(), 0);
    SLUICE_TRY_ASSIGN(const auto desc,
                      graph::TensorDesc::create(graph::DataType::Int32, Shape{length}));
    return op.build().constant(desc,
                               graph::ConstantData::copy(std::span<const std::int32_t>(numbers)));
}

} // namespace

// WebNN has no sort: each round finds the largest value, the first of equal ones, and puts the
// lowest of all in its place.
Result<Outputs> map_top_k(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t count, op.integer(1));
    const Shape shape = op.shape(x);
    if (shape.rank() == 0 || count < 1 || count > shape[shape.rank() - 1]) {
        return fail(ErrorCode::Parse, "the {} largest of {}", count, graph::to_string(op.desc(x)));
    }
    if (count > kMostRounds || !op.is_float(x)) {
        return fail(ErrorCode::Unsupported, "the {} largest of {}: at most {} of floats", count,
                    graph::to_string(op.desc(x)), kMostRounds);
    }
    const auto axis = static_cast<std::uint32_t>(shape.rank() - 1);
    SLUICE_TRY_ASSIGN(const OperandId numbers, numbers_along(op, shape[axis]));
    SLUICE_TRY_ASSIGN(const OperandId lowest,
                      op.number(x, -std::numeric_limits<double>::infinity()));
    std::vector<OperandId> values;
    std::vector<OperandId> places;
    for (std::int64_t round = 0; round < count; ++round) {
        SLUICE_TRY_ASSIGN(const OperandId place,
                          op.build().arg_min_max(x,
                                                 {.is_max = true,
                                                  .axis = axis,
                                                  .keep_dimensions = true,
                                                  .output_type = graph::DataType::Int32},
                                                 op.label()));
        SLUICE_TRY_ASSIGN(
            const OperandId value,
            op.build().reduce(ops::ReduceKind::Max, x, std::vector{axis}, true, op.label()));
        places.push_back(place);
        values.push_back(value);
        SLUICE_TRY_ASSIGN(const OperandId is_taken, op.build().equal(numbers, place, op.label()));
        SLUICE_TRY_ASSIGN(x, op.build().where(is_taken, lowest, x, op.label()));
    }
    SLUICE_TRY_ASSIGN(const OperandId all_values, op.build().concat(values, axis, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId all_places, op.build().concat(places, axis, op.label()));
    return std::vector{all_values, all_places};
}

// A table of one value with others put in at the places of the indices.
Result<Outputs> map_sparse_to_dense(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId indices, op.input(0));
    SLUICE_TRY_ASSIGN(const auto sizes, op.integers(1));
    SLUICE_TRY_ASSIGN(OperandId values, op.input(2));
    SLUICE_TRY_ASSIGN(OperandId table, op.input(3));
    std::vector<std::uint32_t> dims;
    for (const std::int64_t size : sizes) {
        SLUICE_TRY_ASSIGN(const std::uint32_t dim, tensorflow::positive(size, "a dimension"));
        dims.push_back(dim);
    }
    SLUICE_TRY_ASSIGN(const Shape shape, tensorflow::shape_of(dims));
    SLUICE_TRY_ASSIGN(table, op.build().expand(table, shape, op.label()));
    // Indices of a one-dimensional table may come as a list, and a single one as a number.
    const Shape given = op.shape(indices);
    const std::uint32_t count = given.rank() == 0 ? 1 : given[0];
    if (given.rank() < 2) {
        SLUICE_TRY_ASSIGN(indices, op.build().reshape(indices, Shape{count, 1}, op.label()));
    }
    SLUICE_TRY_ASSIGN(values, op.build().expand(values, Shape{count}, op.label()));
    return op.build().scatter_nd(table, indices, values, op.label());
}

} // namespace sluice::models::tfjs
