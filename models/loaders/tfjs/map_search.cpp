// SPDX-License-Identifier: Apache-2.0
// Operators that look for values or put them somewhere: the largest ones, and sparse tables.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/loaders/ranking.h"
#include "models/loaders/tfjs/mappings.h"

namespace sluice::models::tfjs {
namespace {

using graph::OperandId;
using graph::Shape;

} // namespace

Result<Outputs> map_top_k(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t count, op.integer(1));
    const auto last = static_cast<std::uint32_t>(std::max<std::size_t>(op.shape(x).rank(), 1) - 1);
    SLUICE_TRY_ASSIGN(const Ranked ranked,
                      rank_values(op.build(), x, {.axis = last, .count = count}, op.label()));
    return std::vector{ranked.values, ranked.places};
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
