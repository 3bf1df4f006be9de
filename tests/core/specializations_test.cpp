// SPDX-License-Identifier: Apache-2.0
// Executables by input shapes: compiled once each, a bounded number kept.
#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "core/graph/builder.h"
#include "core/specializations.h"
#include "tests/support/must.h"

namespace sluice {
namespace {

using graph::Shape;
using sluice::testing::must;

// Sums pictures up; `built` counts the graphs.
Specializations::Source counting_source(int& built) {
    return [&built](std::span<const Shape> inputs) -> Result<graph::Graph> {
        ++built;
        graph::GraphBuilder builder;
        SLUICE_TRY_ASSIGN(const auto desc,
                          graph::TensorDesc::create(graph::DataType::Float32, inputs[0]));
        SLUICE_TRY_ASSIGN(const auto x, builder.input("x", desc));
        SLUICE_TRY_ASSIGN(const auto y, builder.reduce(ops::ReduceKind::Sum, x));
        return builder.build({{.name = "y", .id = y}});
    };
}

std::shared_ptr<runtime::Executable> get(Specializations& all, const Shape& shape) {
    const std::array shapes{shape};
    return must(all.of(shapes));
}

// The sum of as many ones as the shape has elements.
void expect_runs(runtime::Executable& executable, const Shape& shape) {
    ASSERT_EQ(executable.inputs()[0].desc.shape(), shape);
    std::ranges::fill(executable.input_floats(0), 1.0F);
    must(executable.run());
    EXPECT_EQ(executable.output_floats(0)[0], static_cast<float>(shape.element_count()));
}

TEST(Specializations, alternating_shapes_are_compiled_once) {
    int built = 0;
    Specializations all(counting_source(built), {.device = DeviceKind::Cpu}, 2);
    for (int i = 0; i < 4; ++i) {
        for (const Shape& shape : {Shape{2, 3}, Shape{5, 7}}) {
            expect_runs(*get(all, shape), shape);
        }
    }
    EXPECT_EQ(built, 2);
    EXPECT_EQ(all.kept(), 2U);
}

TEST(Specializations, the_one_used_longest_ago_makes_room) {
    int built = 0;
    Specializations all(counting_source(built), {.device = DeviceKind::Cpu}, 2);
    const auto first = get(all, {1});
    get(all, {2});
    EXPECT_EQ(get(all, {1}), first); // now {2} is the older one
    get(all, {3});
    EXPECT_EQ(all.kept(), 2U);
    EXPECT_EQ(get(all, {1}), first);
    EXPECT_EQ(built, 3);
    get(all, {2});
    EXPECT_EQ(built, 4);
    expect_runs(*first, {1}); // a holder keeps what the cache dropped
}

TEST(Specializations, an_impossible_shape_is_named_and_not_kept) {
    int built = 0;
    Specializations all(counting_source(built), {.device = DeviceKind::Cpu});
    const std::array shapes{Shape{3, 0}};
    const auto made = all.of(shapes);
    ASSERT_FALSE(made);
    EXPECT_TRUE(made.error().message.starts_with("inputs [3,0]: ")) << made.error().message;
    EXPECT_EQ(all.kept(), 0U);
}

} // namespace
} // namespace sluice
