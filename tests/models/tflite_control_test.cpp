// SPDX-License-Identifier: Apache-2.0
// TFLite's IF: branches that are graphs of their own.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/models/run_graph.h"
#include "tests/models/tflite_writer.h"

namespace sluice::models::test {
namespace {

using Index = TfliteWriter::Index;

// y = sum(x) > 0 ? x * 2 : 7 - x, or what the constant condition chooses.
std::vector<std::byte> choice(std::optional<bool> known = {}) {
    TfliteWriter w;
    const auto doubled = w.tensor({3});
    const auto twice = w.tensor({3});
    w.op(BuiltinOperator::MUL, {doubled, w.floats({1}, {2})}, {twice});
    const auto yes = w.end_branch({doubled}, {twice});
    const auto seven = w.floats({1}, {7});
    const auto from = w.tensor({3});
    const auto rest = w.tensor({3});
    w.op(BuiltinOperator::SUB, {seven, from}, {rest});
    const auto no = w.end_branch({from}, {rest});

    const auto x = w.tensor({3});
    const auto y = w.tensor({3});
    Index condition = 0;
    if (known) {
        condition = w.constant({1}, TensorType::BOOL,
                               std::vector<std::uint8_t>{static_cast<std::uint8_t>(*known)});
    } else {
        const auto sum = w.tensor({1});
        condition = w.tensor({1}, TensorType::BOOL);
        w.op(BuiltinOperator::SUM, {x, w.ints({0})}, {sum},
             schema::CreateReducerOptions(w.fbb(), true));
        w.op(BuiltinOperator::GREATER, {sum, w.floats({1}, {0})}, {condition});
    }
    w.op(BuiltinOperator::IF, {condition, x}, {y}, schema::CreateIfOptions(w.fbb(), yes, no));
    return w.finish({x}, {y});
}

TEST(TfliteControl, if_chooses_by_what_is_computed) {
    const auto file = file_of(choice());
    expect_near(run_graph(file, {{1, 2, -1}}).at(0).floats(), {2, 4, -2});
    expect_near(run_graph(file, {{1, -2, -1}}).at(0).floats(), {6, 9, 8});
}

TEST(TfliteControl, if_follows_a_constant) {
    expect_near(run_graph(file_of(choice(true)), {{1, -2, -1}}).at(0).floats(), {2, -4, -2});
    expect_near(run_graph(file_of(choice(false)), {{1, 2, 3}}).at(0).floats(), {6, 5, 4});
    const auto followed = load_model(file_of(choice(true)), "test");
    ASSERT_TRUE(followed) << followed.error().message;
    EXPECT_EQ(followed->graph.nodes().size(), 1); // the product alone
}

// A branch may hand on what it was given, or a constant, and hold branches of its own.
TEST(TfliteControl, branches_nest) {
    TfliteWriter w;
    const auto given = w.tensor({2});
    const auto same = w.end_branch({given}, {given});
    const auto unused = w.tensor({2});
    const auto fixed = w.end_branch({unused}, {w.floats({2}, {5, 6})});
    const auto x = w.tensor({2});
    const auto inner = w.tensor({1}, TensorType::BOOL);
    const auto chosen = w.tensor({2});
    w.op(BuiltinOperator::IF, {inner, x}, {chosen}, schema::CreateIfOptions(w.fbb(), same, fixed));
    const auto nested = w.end_branch({inner, x}, {chosen});
    const auto outer_flag = w.tensor({1}, TensorType::BOOL);
    const auto inner_flag = w.tensor({1}, TensorType::BOOL);
    const auto value = w.tensor({2});
    const auto y = w.tensor({2});
    w.op(BuiltinOperator::IF, {outer_flag, inner_flag, value}, {y},
         schema::CreateIfOptions(w.fbb(), nested, nested));
    auto model = load_model(file_of(w.finish({outer_flag, inner_flag, value}, {y})), "test");
    ASSERT_TRUE(model) << model.error().message;
    auto executable = compile(std::move(model->graph), {.device = DeviceKind::Reference});
    ASSERT_TRUE(executable) << executable.error().message;
    for (const int flags : {0, 1, 2, 3}) {
        (*executable)->input(0)[0] = static_cast<std::byte>(flags & 1);
        (*executable)->input(1)[0] = static_cast<std::byte>(flags >> 1);
        std::ranges::copy(std::array{1.0F, 2.0F}, (*executable)->input_floats(2).begin());
        ASSERT_TRUE((*executable)->run());
        const auto result = (*executable)->output_floats(0);
        expect_near({result.begin(), result.end()},
                    flags >> 1 != 0 ? std::vector<float>{1, 2} : std::vector<float>{5, 6});
    }
}

void expect_refused(TfliteWriter& w, const std::vector<Index>& inputs, Index output,
                    std::string_view words) {
    const auto model = load_model(file_of(w.finish(inputs, {output})), "test");
    ASSERT_FALSE(model);
    EXPECT_NE(model.error().message.find(words), std::string::npos) << model.error().message;
}

TEST(TfliteControl, what_cannot_be_chosen_is_refused) {
    const auto refused = [](std::int32_t yes, std::int32_t no, TensorType type,
                            std::string_view words) {
        SCOPED_TRACE(words);
        TfliteWriter w;
        const auto a = w.tensor({2});
        w.end_branch({a}, {a}); // 1
        const auto b = w.tensor({2});
        w.end_branch({b}, {w.floats({3}, {1, 2, 3})}); // 2
        const auto c = w.tensor({2});
        const auto d = w.tensor({2});
        w.op(BuiltinOperator::IF,
             {w.constant({1}, TensorType::BOOL, std::vector<std::uint8_t>{1}), c}, {d},
             schema::CreateIfOptions(w.fbb(), 3, 3));
        w.end_branch({c}, {d}); // 3
        const auto e = w.tensor({4});
        w.end_branch({e}, {e}); // 4
        const auto f = w.tensor({2});
        const auto g = w.tensor({2});
        w.op(BuiltinOperator::RFFT2D, {f}, {g});
        w.end_branch({f}, {g}); // 5
        const auto flag = w.tensor({1}, type);
        const auto x = w.tensor({2});
        const auto y = w.tensor({2});
        w.op(BuiltinOperator::IF, {flag, x}, {y}, schema::CreateIfOptions(w.fbb(), yes, no));
        expect_refused(w, {flag, x}, y, words);
    };
    refused(1, 2, TensorType::BOOL, "its branches give float32[2] and float32[3]");
    refused(1, 9, TensorType::BOOL, "it leads to graph 9 of 6");
    refused(-1, 1, TensorType::BOOL, "it leads to graph -1 of 6");
    refused(3, 1, TensorType::BOOL, "graph 3 calls itself");
    refused(4, 1, TensorType::BOOL, "float32[2] is given for tensor 0 't0' of a branch");
    refused(5, 1, TensorType::BOOL, "RFFT2D (operator 0 't1')");
    refused(1, 1, TensorType::FLOAT32, "is no BOOL");
}

// Each graph calls the next one twice: 2^40 translations, were they not counted.
TEST(TfliteControl, a_small_file_is_no_enormous_graph) {
    TfliteWriter w;
    for (std::int32_t i = 0; i < 40; ++i) {
        const auto flag = w.tensor({1}, TensorType::BOOL);
        const auto x = w.tensor({2});
        const auto y = w.tensor({2});
        w.op(BuiltinOperator::IF, {flag, flag, x}, {y},
             schema::CreateIfOptions(w.fbb(), i + 2, i + 2));
        w.end_branch({flag, x}, {y});
    }
    const auto last_flag = w.tensor({1}, TensorType::BOOL);
    const auto last = w.tensor({2});
    w.end_branch({last_flag, last}, {last});
    const auto flag = w.tensor({1}, TensorType::BOOL);
    const auto x = w.tensor({2});
    const auto y = w.tensor({2});
    w.op(BuiltinOperator::IF, {flag, flag, x}, {y}, schema::CreateIfOptions(w.fbb(), 1, 1));
    expect_refused(w, {flag, x}, y, "branches make more of the file than it has bytes");
}

// The stack would end before the file does.
TEST(TfliteControl, a_long_chain_of_branches_is_refused) {
    TfliteWriter w;
    constexpr std::int32_t kGraphs = 20000;
    for (std::int32_t i = 0; i < kGraphs; ++i) {
        const auto flag = w.tensor({1}, TensorType::BOOL);
        const auto y = w.tensor({1}, TensorType::BOOL);
        w.op(BuiltinOperator::IF, {flag, flag}, {y},
             schema::CreateIfOptions(w.fbb(), i + 2, kGraphs + 1));
        w.end_branch({flag}, {y});
    }
    const auto last = w.tensor({1}, TensorType::BOOL);
    w.end_branch({last}, {last});
    const auto flag = w.tensor({1}, TensorType::BOOL);
    const auto y = w.tensor({1}, TensorType::BOOL);
    w.op(BuiltinOperator::IF, {flag, flag}, {y}, schema::CreateIfOptions(w.fbb(), 1, kGraphs + 1));
    expect_refused(w, {flag}, y, "branches lie in branches, 64 deep");
}

} // namespace
} // namespace sluice::models::test
