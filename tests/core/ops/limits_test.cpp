// SPDX-License-Identifier: Apache-2.0
// The limits table: that it names every operator once, and that inference accepts what it allows.
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/ops/limits.h"
#include "tests/core/ops/inference_rows.h"

namespace sluice::ops {
namespace {

using graph::DataType;
using graph::Shape;

// Operands that an operator accepts: their shapes, and which of them have a type of their own; the
// rest follow the first.
struct Sample {
    Attributes op;
    std::vector<Shape> shapes;
    std::map<std::size_t, DataType> fixed;
};

void add_networks(std::vector<Sample>& samples) {
    const Shape c{3};
    samples.push_back({BatchNormalization{}, {{2, 3}, c, c}, {}});
    samples.push_back({InstanceNormalization{.has_bias = true}, {{1, 3, 2, 2}, c}, {}});
    samples.push_back({LayerNormalization{.axes = {1}}, {{2, 3}}, {}});
    samples.push_back({Gru{.steps = 2, .hidden_size = 1}, {{2, 1, 4}, {1, 3, 4}, {1, 3, 1}}, {}});
    samples.push_back({GruCell{.hidden_size = 1}, {{1, 4}, {3, 4}, {3, 1}, {1, 1}}, {}});
    samples.push_back({Lstm{.steps = 2, .hidden_size = 1}, {{2, 1, 4}, {1, 4, 4}, {1, 4, 1}}, {}});
    samples.push_back({LstmCell{.hidden_size = 1}, {{1, 4}, {4, 4}, {4, 1}, {1, 1}, {1, 1}}, {}});
}

void add_movements(std::vector<Sample>& samples) {
    using enum DataType;
    samples.push_back({Concat{}, {{2}, {3}}, {}});
    samples.push_back({Expand{.shape = {2, 3}}, {{3}}, {}});
    samples.push_back({Gather{}, {{3}, {2}}, {{1, Int32}}});
    samples.push_back({GatherElements{}, {{3}, {2}}, {{1, Int64}}});
    samples.push_back({GatherNd{}, {{3}, {2, 1}}, {{1, Uint32}}});
    samples.push_back({Pad{.beginning = {1}, .ending = {0}}, {{3}}, {}});
    samples.push_back({Reshape{.shape = {1, 3}}, {{3}}, {}});
    samples.push_back({Reverse{}, {{3}}, {}});
    samples.push_back({ScatterElements{}, {{3}, {2}, {2}}, {{1, Int32}}});
    samples.push_back({ScatterNd{}, {{3}, {2, 1}, {2}}, {{1, Int32}}});
    samples.push_back({Slice{.starts = {1}, .sizes = {1}}, {{3}}, {}});
    samples.push_back({Split{.sizes = {1, 2}}, {{3}}, {}});
    samples.push_back({Tile{.repetitions = {2}}, {{3}}, {}});
    samples.push_back({Transpose{.permutation = {1, 0}}, {{2, 3}}, {}});
    samples.push_back({Triangular{}, {{2, 3}}, {}});
    samples.push_back({Where{}, {{3}, {3}, {3}}, {{1, Float32}, {2, Float32}}});
}

// One of every operator.
std::vector<Sample> samples() {
    using enum DataType;
    std::vector<Sample> out;
#define SLUICE_UNARY(name, Type, domain, expression, low, high)                                    \
    out.push_back({Unary{.function = {.kind = UnaryKind::Type}}, {{3}}, {}});
#define SLUICE_BINARY(name, Type, domain, expression, low, high)                                   \
    out.push_back({Binary{.kind = BinaryKind::Type, .activation = {}}, {{3}, {3}}, {}});
#define SLUICE_REDUCE(name, Type)                                                                  \
    out.push_back({Reduce{.kind = ReduceKind::Type, .axes = {0}}, {{3}}, {}});
#include "core/ops/binary.def"
#include "core/ops/reduce.def"
#include "core/ops/unary.def"
#undef SLUICE_UNARY
#undef SLUICE_BINARY
#undef SLUICE_REDUCE
    for (const PoolKind kind : {PoolKind::Average, PoolKind::L2, PoolKind::Max}) {
        out.push_back({Pool2d{.kind = kind}, {{1, 1, 2, 2}}, {}});
    }
    for (const bool is_max : {false, true}) {
        out.push_back({ArgMinMax{.is_max = is_max}, {{3}}, {}});
    }
    out.push_back({Cast{.to = Int8}, {{3}}, {}});
    out.push_back({Conv2d{}, {{1, 1, 2, 2}, {1, 1, 1, 1}}, {}});
    out.push_back({ConvTranspose2d{}, {{1, 1, 2, 2}, {1, 1, 1, 1}}, {}});
    out.push_back({CumulativeSum{}, {{3}}, {}});
    out.push_back({DequantizeLinear{}, {{3}, {1}, {1}}, {{1, Float32}}});
    out.push_back({Gemm{}, {{2, 3}, {3, 4}}, {}});
    out.push_back({Matmul{}, {{2, 3}, {3, 4}}, {}});
    out.push_back({QuantizeLinear{}, {{3}, {1}, {1}}, {{2, Int8}}});
    out.push_back({Resample2d{}, {{1, 1, 2, 2}}, {}});
    out.push_back({Softmax{}, {{3}}, {}});
    add_movements(out);
    add_networks(out);
    return out;
}

bool is_accepted(const Sample& sample, DataType type) {
    std::vector<graph::TensorDesc> descs;
    for (std::size_t i = 0; i < sample.shapes.size(); ++i) {
        const auto fixed = sample.fixed.find(i);
        descs.push_back(graph::TensorDesc::create(
                            fixed == sample.fixed.end() ? type : fixed->second, sample.shapes[i])
                            .value());
    }
    return infer(sample.op, descs).has_value();
}

TEST(Limits, name_every_operator_and_nothing_else) {
    std::set<std::string_view> listed;
    for (const OperandLimits& row : op_support_limits()) {
        listed.insert(row.op);
    }
    std::set<std::string_view> known;
    for (const Sample& sample : samples()) {
        known.insert(name_of(sample.op));
    }
    EXPECT_EQ(listed, known);
    EXPECT_EQ(listed.size(), 95U) << "the operators of WebNN";
}

TEST(Limits, are_what_inference_accepts) {
    for (const Sample& sample : samples()) {
        const auto rows = op_support_limits(name_of(sample.op));
        ASSERT_FALSE(rows.empty()) << name_of(sample.op);
        for (std::size_t i = 0; i < graph::kDataTypes.size(); ++i) {
            const auto type = static_cast<DataType>(i);
            EXPECT_EQ(is_accepted(sample, type), rows[0].types.contains(type))
                << name_of(sample.op) << " of " << graph::name(type);
        }
    }
}

TEST(Limits, give_the_rows_of_one_operator) {
    const auto rows = op_support_limits("gather");
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].operand, "input");
    EXPECT_EQ(to_string(rows[0].types), "any");
    EXPECT_EQ(rows[0].least_rank, 1U);
    EXPECT_EQ(rows[0].most_rank, graph::kMaxRank);
    EXPECT_EQ(rows[1].operand, "indices");
    EXPECT_EQ(to_string(rows[1].types), "int32, uint32, int64");
    EXPECT_EQ(rows[2].operand, "output");
    EXPECT_TRUE(op_support_limits("no such operator").empty());
}

TEST(Limits, skip_optional_operands_that_are_absent) {
    check(std::to_array<Row>({
        {Gemm{.has_c = true},
         {"float32[2,3]", "float32[3,4]", "float32[1,2,4]"},
         "!c float32[1,2,4] has rank 3, not 0 to 2"},
        {Lstm{.steps = 1, .hidden_size = 1, .has_initial_cell_state = true},
         {"float32[1,1,1]", "float32[1,4,1]", "float32[1,4,1]", "float32[1,4]"},
         "!initial cell state float32[1,4] has rank 2, not 3"},
    }));
}

} // namespace
} // namespace sluice::ops
