// SPDX-License-Identifier: Apache-2.0
// Rounds of argMax or argMin.
#include "models/loaders/ranking.h"

#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace sluice::models {

namespace {

using graph::DataType;
using graph::OperandId;
using graph::Shape;

// More rounds would be slower than whatever the network does besides.
constexpr std::int64_t kMostRounds = 256;

// 0, 1, 2... along the axis, to be compared with places.
Result<OperandId> numbers_along(graph::GraphBuilder& builder, const Shape& shape,
                                const Ranking& ranking) {
    std::vector<std::uint32_t> dims(shape.rank() - ranking.axis, 1);
    dims[0] = shape[ranking.axis];
    SLUICE_TRY_ASSIGN(const auto desc, graph::TensorDesc::create(ranking.place_type, dims));
    if (ranking.place_type == DataType::Int64) {
        std::vector<std::int64_t> numbers(dims[0]);
        std::iota(numbers.begin(), numbers.end(), 0);
        return builder.constant(desc,
                                graph::ConstantData::copy(std::span<const std::int64_t>(numbers)));
    }
    std::vector<std::int32_t> numbers(dims[0]);
    std::iota(numbers.begin(), numbers.end(), 0);
    return builder.constant(desc,
                            graph::ConstantData::copy(std::span<const std::int32_t>(numbers)));
}

Status check(const graph::TensorDesc& x, const Ranking& ranking) {
    const std::string_view which = ranking.largest ? "largest" : "smallest";
    const Shape& shape = x.shape();
    if (ranking.axis >= shape.rank() || ranking.count < 1 || ranking.count > shape[ranking.axis]) {
        return fail(ErrorCode::Parse, "the {} {} of {}", ranking.count, which, graph::to_string(x));
    }
    if (ranking.count > kMostRounds ||
        (!graph::is_float(x.type()) && x.type() != DataType::Int32)) {
        return fail(ErrorCode::Unsupported,
                    "the {} {} of {}: WebNN does not sort; at most {} of floats or int32 can be "
                    "found one by one",
                    ranking.count, which, graph::to_string(x), kMostRounds);
    }
    return {};
}

// What is never found again.
double worst_of(DataType type, bool largest) {
    if (type == DataType::Int32) {
        return largest ? std::numeric_limits<std::int32_t>::min()
                       : std::numeric_limits<std::int32_t>::max();
    }
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return largest ? -kInfinity : kInfinity;
}

} // namespace

Result<Ranked> rank_values(graph::GraphBuilder& builder, OperandId x, const Ranking& ranking,
                           std::string_view label) {
    const graph::TensorDesc desc = builder.desc(x);
    SLUICE_TRY(check(desc, ranking));
    const std::uint32_t axis = ranking.axis;
    SLUICE_TRY_ASSIGN(const OperandId numbers, numbers_along(builder, desc.shape(), ranking));
    SLUICE_TRY_ASSIGN(const OperandId worst,
                      builder.constant(desc.type(), worst_of(desc.type(), ranking.largest)));
    const auto kind = ranking.largest ? ops::ReduceKind::Max : ops::ReduceKind::Min;
    std::vector<OperandId> values;
    std::vector<OperandId> places;
    for (std::int64_t round = 0; round < ranking.count; ++round) {
        SLUICE_TRY_ASSIGN(const OperandId place,
                          builder.arg_min_max(x,
                                              {.is_max = ranking.largest,
                                               .axis = axis,
                                               .keep_dimensions = true,
                                               .output_type = ranking.place_type},
                                              label));
        SLUICE_TRY_ASSIGN(const OperandId value,
                          builder.reduce(kind, x, std::vector{axis}, true, label));
        places.push_back(place);
        values.push_back(value);
        SLUICE_TRY_ASSIGN(const OperandId is_taken, builder.equal(numbers, place, label));
        SLUICE_TRY_ASSIGN(x, builder.where(is_taken, worst, x, label));
    }
    Ranked ranked{};
    SLUICE_TRY_ASSIGN(ranked.values, builder.concat(values, axis, label));
    SLUICE_TRY_ASSIGN(ranked.places, builder.concat(places, axis, label));
    return ranked;
}

} // namespace sluice::models
