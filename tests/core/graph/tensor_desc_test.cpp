// SPDX-License-Identifier: Apache-2.0
// Descriptors are valid by construction; shapes broadcast as numpy's do.
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "core/graph/tensor_desc.h"

namespace sluice::graph {
namespace {

using Dims = std::vector<std::uint32_t>;

TEST(TensorDesc, knows_its_sizes) {
    const auto desc = TensorDesc::create(DataType::Float16, Dims{2, 3, 5});
    ASSERT_TRUE(desc);
    EXPECT_EQ(desc->element_count(), 30U);
    EXPECT_EQ(desc->byte_size(), 60U);
    EXPECT_EQ(to_string(*desc), "float16[2,3,5]");
    const auto scalar = TensorDesc::create(DataType::Int64, Dims{});
    ASSERT_TRUE(scalar);
    EXPECT_EQ(scalar->byte_size(), 8U);
    EXPECT_EQ(to_string(*scalar), "int64[]");
}

struct Refused {
    DataType type;
    Dims dims;
    std::string_view sentence;
};

TEST(TensorDesc, refuses_what_has_no_size) {
    const auto rows = std::to_array<Refused>({
        {DataType::Float32, {1, 0, 3}, "dimension 1 of [1,0,3] is 0"},
        {DataType::Uint8, {1, 1, 1, 1, 1, 1, 1, 1, 1}, "rank 9 is above the limit of 8"},
        {DataType::Uint8, {2147483647, 2}, "is above the limit of 2147483647 bytes"},
        {DataType::Float32, {4294967295}, "is above the limit"},
        // The product of the dimensions is 2^64, which wraps to 0.
        {DataType::Uint8, {65536, 65536, 65536, 65536}, "is above the limit"},
    });
    for (const Refused& row : rows) {
        const auto desc = TensorDesc::create(row.type, row.dims);
        ASSERT_FALSE(desc) << row.sentence;
        EXPECT_EQ(desc.error().code, ErrorCode::InvalidArgument);
        EXPECT_NE(desc.error().message.find(row.sentence), std::string::npos)
            << desc.error().message;
    }
    EXPECT_TRUE(TensorDesc::create(DataType::Uint8, Dims{2147483647}));
}

TEST(Shape, broadcasts_both_ways) {
    struct Row {
        Shape a, b;
        std::optional<Shape> joint;
    };
    const auto rows = std::to_array<Row>({
        {{}, {}, Shape{}},
        {{}, {3, 4}, Shape{3, 4}},
        {{4}, {3, 1}, Shape{3, 4}},
        {{8, 1, 6, 1}, {7, 1, 5}, Shape{8, 7, 6, 5}},
        {{3}, {4}, std::nullopt},
        {{2, 1}, {8, 4, 3}, std::nullopt},
    });
    for (const Row& row : rows) {
        for (const auto& joint : {broadcast(row.a, row.b), broadcast(row.b, row.a)}) {
            ASSERT_EQ(joint.has_value(), row.joint.has_value())
                << to_string(row.a) << to_string(row.b);
            if (joint) {
                EXPECT_EQ(*joint, *row.joint);
            }
        }
    }
}

TEST(Shape, broadcasts_to_one_way_only) {
    EXPECT_TRUE(broadcasts_to({1, 5}, {2, 3, 5}));
    EXPECT_TRUE(broadcasts_to({}, {2}));
    EXPECT_FALSE(broadcasts_to({2, 3, 5}, {3, 5}));
    EXPECT_FALSE(broadcasts_to({5}, {1}));
}

TEST(Shape, strides_are_row_major) {
    const auto strides = strides_of({2, 3, 5});
    EXPECT_EQ(strides[0], 15U);
    EXPECT_EQ(strides[1], 5U);
    EXPECT_EQ(strides[2], 1U);
}

TEST(DataType, names_find_their_types) {
    for (std::size_t i = 0; i < kDataTypes.size(); ++i) {
        EXPECT_EQ(data_type_from_name(kDataTypes[i].name), static_cast<DataType>(i));
    }
    EXPECT_EQ(data_type_from_name("int4"), std::nullopt);
    EXPECT_EQ(data_type_from_name(""), std::nullopt);
}

} // namespace
} // namespace sluice::graph
