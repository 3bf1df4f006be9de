// SPDX-License-Identifier: Apache-2.0
// The verifier refuses every way of breaking a sound graph, and says which node is broken.
#include <functional>

#include <gtest/gtest.h>

#include "core/graph/builder.h"
#include "core/graph/verify.h"
#include "tests/core/graph/descs.h"

namespace sluice::graph {
namespace {

// x -> relu 'first' -> add 'second' with a constant -> y. Operands: 0 x, 1 w, 2 relu, 3 add.
GraphParts sound() {
    GraphBuilder builder;
    const OperandId x = *builder.input("x", f32({2, 3}));
    const OperandId w =
        *builder.constant(f32({3}), ConstantData::own(std::vector<std::byte>(12)), "w");
    const OperandId first = *builder.relu(x, "first");
    const OperandId second = *builder.add(first, w, "second");
    return std::move(*builder.build({{.name = "y", .id = second}})).take();
}

struct Broken {
    std::string_view what;
    std::function<void(GraphParts&)> breaks;
    std::string_view sentence;
};

TEST(Verify, accepts_a_sound_graph) {
    EXPECT_TRUE(verify(sound()));
}

TEST(Verify, names_what_is_broken) {
    const auto rows = std::to_array<Broken>({
        {"no outputs", [](GraphParts& p) { p.outputs.clear(); }, "the graph has no output"},
        {"node input out of range", [](GraphParts& p) { p.nodes[1].inputs[1] = OperandId{9}; },
         "add 'second': operand %9 does not exist, there are 4"},
        {"node output out of range", [](GraphParts& p) { p.nodes[0].outputs[0] = kNoOperand; },
         "relu 'first': operand %4294967295 does not exist, there are 4"},
        {"graph output out of range", [](GraphParts& p) { p.outputs[0].id = OperandId{4}; },
         "'y': operand %4 does not exist, there are 4"},
        {"graph input out of range", [](GraphParts& p) { p.inputs[0].id = OperandId{4}; },
         "'x': operand %4 does not exist, there are 4"},
        {"empty output name", [](GraphParts& p) { p.outputs[0].name.clear(); },
         "an output has an empty name"},
        {"empty input name", [](GraphParts& p) { p.inputs[0].name.clear(); },
         "an input has an empty name"},
        {"output name twice", [](GraphParts& p) { p.outputs.push_back(p.outputs[0]); },
         "output name 'y' is used twice"},
        {"constant among inputs",
         [](GraphParts& p) { p.inputs.push_back({.name = "w", .id = OperandId{1}}); },
         "input 'w': operand %1 is not an input"},
        {"input listed twice",
         [](GraphParts& p) { p.inputs.push_back({.name = "x2", .id = OperandId{0}}); },
         "input 'x2': operand %0 is another input already"},
        {"input not listed", [](GraphParts& p) { p.inputs.clear(); },
         "operand %0 'x' is an input that the graph lacks"},
        {"constant too short",
         [](GraphParts& p) { p.operands[1].data.bytes = p.operands[1].data.bytes.first(11); },
         "constant %1 'w': 11 bytes given, float32[3] has 12"},
        {"used before produced", [](GraphParts& p) { std::swap(p.nodes[0], p.nodes[1]); },
         "add 'second': operand %2 is used before it is produced"},
        {"never produced", [](GraphParts& p) { p.nodes.pop_back(); },
         "output 'y': operand %3 is never produced"},
        {"produced twice", [](GraphParts& p) { p.nodes.push_back(p.nodes[0]); },
         "relu 'first': operand %2 has a producer already, or needs none"},
        {"constant produced", [](GraphParts& p) { p.nodes[0].outputs[0] = OperandId{1}; },
         "relu 'first': operand %1 has a producer already, or needs none"},
        {"wrong shape", [](GraphParts& p) { p.operands[3].desc = f32({3, 2}); },
         "add 'second': output 0 is float32[3,2] where float32[2,3] is inferred"},
        {"wrong type",
         [](GraphParts& p) {
             p.operands[2].desc = *TensorDesc::create(DataType::Float16, Shape{2, 3});
         },
         "relu 'first': output 0 is float16[2,3] where float32[2,3] is inferred"},
        {"wrong number of outputs", [](GraphParts& p) { p.nodes[1].outputs.clear(); },
         "add 'second': 0 outputs given where 1 are inferred"},
        {"missing operand", [](GraphParts& p) { p.nodes[1].inputs.pop_back(); },
         "add 'second': 1 operands given where 2 are needed"},
        {"no attributes", [](GraphParts& p) { p.nodes[0].attributes = std::monostate{}; },
         "nothing 'first': a node needs the attributes of an operator"},
        {"no label",
         [](GraphParts& p) {
             p.nodes[1].label.clear();
             p.nodes[1].inputs.clear();
         },
         "add #1: 0 operands given where 2 are needed"},
    });
    for (const Broken& row : rows) {
        GraphParts parts = sound();
        row.breaks(parts);
        const Status status = verify(parts);
        ASSERT_FALSE(status) << row.what;
        EXPECT_EQ(status.error().message, row.sentence) << row.what;
        EXPECT_FALSE(Graph::create(std::move(parts))) << row.what;
    }
}

TEST(Verify, a_result_that_nobody_uses_may_lack_a_producer) {
    GraphParts parts = sound();
    parts.add({.desc = f32({1}), .kind = OperandKind::Result, .name = {}, .data = {}});
    EXPECT_TRUE(verify(parts));
}

TEST(Verify, a_constant_may_be_an_output) {
    GraphParts parts = sound(); // constant folding can leave one
    parts.outputs.push_back({.name = "w", .id = OperandId{1}});
    EXPECT_TRUE(verify(parts));
}

} // namespace
} // namespace sluice::graph
