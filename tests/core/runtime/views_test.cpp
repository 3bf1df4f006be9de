// SPDX-License-Identifier: Apache-2.0
// Views: what lies in another tensor's bytes, what is still copied, and that the values are right.
#include <cmath>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include "core/engine.h"
#include "core/graph/builder.h"
#include "core/reference/backend.h"
#include "core/runtime/executable.h"
#include "core/runtime/kernel.h"
#include "core/runtime/views.h"
#include "tests/support/must.h"

namespace sluice::runtime {
namespace {

using graph::DataType;
using graph::GraphBuilder;
using graph::OperandId;
using graph::TensorDesc;
using testing::must;

OperandId input(GraphBuilder& builder, const graph::Shape& shape) {
    return must(builder.input("x", must(TensorDesc::create(DataType::Float32, shape))));
}

graph::Graph finish(GraphBuilder& builder, OperandId y) {
    return must(builder.build({graph::NamedOperand{.name = "y", .id = y}}));
}

Views views_of(const graph::Graph& graph) {
    const Backend* const backends[] = {&reference::backend()};
    const auto assignments = must(partition(graph, backends));
    return find_views(graph, assignments, std::vector<std::size_t>(assignments.size(), 1));
}

// y = concat(sin(a), cos(b)) of the halves a, b of sin(x), cut and joined along the axis.
graph::Graph halves(const graph::Shape& shape, std::uint32_t axis) {
    GraphBuilder builder;
    const OperandId x = must(builder.sin(input(builder, shape)));
    const std::uint32_t half = static_cast<std::uint32_t>(shape[axis]) / 2;
    const auto parts = must(builder.split(x, {.sizes = {half, half}, .axis = axis}));
    const OperandId joined[] = {must(builder.sin(parts[0])), must(builder.cos(parts[1]))};
    return finish(builder, must(builder.concat(joined, axis)));
}

TEST(Views, split_and_concat_of_the_outermost_axis_copy_nothing) {
    const graph::Graph graph = halves({1, 8, 16}, 1);
    const Views views = views_of(graph);
    EXPECT_EQ(views.copied_bytes, 0U);
    for (const graph::Node& node : graph.nodes()) {
        if (const auto* split = std::get_if<ops::Split>(&node.attributes)) {
            EXPECT_EQ(split->axis, 1U);
            EXPECT_EQ(views.roots[graph::index(node.outputs[1])], node.inputs[0]);
            EXPECT_EQ(views.offsets[graph::index(node.outputs[1])], 4 * 16 * sizeof(float));
        }
        if (std::holds_alternative<ops::Concat>(node.attributes)) {
            EXPECT_EQ(views.roots[graph::index(node.inputs[0])], node.outputs[0]);
            EXPECT_EQ(views.roots[graph::index(node.inputs[1])], node.outputs[0]);
        }
    }
}

TEST(Views, what_is_not_one_run_of_bytes_is_copied) {
    // Split and concat of the inner axis each copy the whole tensor.
    EXPECT_EQ(views_of(halves({2, 8, 16}, 1)).copied_bytes, 2 * 2 * 8 * 16 * sizeof(float));
    EXPECT_EQ(views_of(halves({1, 8, 32}, 2)).copied_bytes, 2 * 8 * 32 * sizeof(float));
}

TEST(Views, parts_that_begin_between_aligned_addresses_are_copied) {
    ASSERT_NE(4 * 3 * sizeof(float) % kTensorAlignment, 0U);
    EXPECT_EQ(views_of(halves({1, 8, 3}, 1)).copied_bytes, 2 * 8 * 3 * sizeof(float));
}

TEST(Views, a_piece_that_is_joined_twice_is_copied) {
    GraphBuilder builder;
    const OperandId x = must(builder.sin(input(builder, {4, 16})));
    const OperandId joined[] = {x, x};
    const graph::Graph graph = finish(builder, must(builder.concat(joined, 0)));
    EXPECT_EQ(views_of(graph).copied_bytes, 2 * 4 * 16 * sizeof(float));
}

TEST(Views, slice_is_a_view_where_it_is_one_run_of_bytes) {
    const auto copied = [](const graph::Shape& shape, ops::Slice slice) {
        GraphBuilder builder;
        const OperandId x = must(builder.sin(input(builder, shape)));
        const OperandId part = must(builder.slice(x, std::move(slice)));
        return views_of(finish(builder, must(builder.cos(part)))).copied_bytes;
    };
    EXPECT_EQ(copied({4, 16}, {.starts = {1, 0}, .sizes = {2, 16}, .strides = {}}), 0U);
    EXPECT_EQ(copied({4, 32}, {.starts = {2, 16}, .sizes = {1, 9}, .strides = {}}), 0U);
    EXPECT_EQ(copied({4, 32}, {.starts = {1, 0}, .sizes = {2, 16}, .strides = {}}),
              2 * 16 * sizeof(float));
    EXPECT_EQ(copied({4, 16}, {.starts = {0, 0}, .sizes = {4, 16}, .strides = {2, 1}}),
              2 * 16 * sizeof(float));
}

TEST(Views, inputs_and_outputs_of_the_graph_keep_their_memory) {
    GraphBuilder builder;
    const OperandId x = input(builder, {4, 16});
    const auto parts = must(builder.split(x, {.sizes = {2, 2}, .axis = 0}));
    const graph::Graph graph =
        must(builder.build({graph::NamedOperand{.name = "first", .id = parts[0]},
                            graph::NamedOperand{.name = "second", .id = parts[1]}}));
    const Views views = views_of(graph);
    EXPECT_EQ(views.roots[graph::index(parts[0])], parts[0]);
    EXPECT_EQ(views.roots[graph::index(parts[1])], parts[1]);
}

TEST(Views, hold_what_a_copy_would_hold) {
    const DeviceKind devices[] = {DeviceKind::Reference, DeviceKind::Cpu};
    for (const DeviceKind device : devices) {
        for (const std::uint32_t axis : {1U, 2U}) {
            const auto executable =
                must(compile(halves({1, 8, 32}, axis), {.device = device, .threads = 2}));
            const std::size_t steps = axis == 1 ? 3 : 5; // split and concat are two
            EXPECT_EQ(executable->steps().size(), steps);
            const auto x = executable->input_floats(0);
            for (std::size_t i = 0; i < x.size(); ++i) {
                x[i] = 0.01F * static_cast<float>(i) - 1.0F;
            }
            for (int round = 0; round < 2; ++round) {
                must(executable->run());
                const auto y = executable->output_floats(0);
                for (std::size_t i = 0; i < x.size(); ++i) {
                    const bool first = axis == 1 ? i / 32 < 4 : i % 32 < 16;
                    const float once = std::sin(x[i]);
                    EXPECT_NEAR(y[i], first ? std::sin(once) : std::cos(once), 1e-5F) << i;
                }
            }
        }
    }
}

} // namespace
} // namespace sluice::runtime
