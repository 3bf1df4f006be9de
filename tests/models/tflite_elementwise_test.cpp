// SPDX-License-Identifier: Apache-2.0
// Every element-wise TFLite operator, against its definition.
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "tests/models/run_graph.h"
#include "tests/models/tflite_writer.h"

namespace sluice::models::test {
namespace {

using Unary = double (*)(double);
using Binary = double (*)(double, double);

struct UnaryCase {
    BuiltinOperator op;
    Unary expected;
    bool positive = false; // domain
};

double clamp(double x, double low, double high) {
    return std::fmin(std::fmax(x, low), high);
}

const UnaryCase kUnaryCases[] = {
    {BuiltinOperator::ABS, [](double x) { return std::fabs(x); }},
    {BuiltinOperator::CEIL, [](double x) { return std::ceil(x); }},
    {BuiltinOperator::COS, [](double x) { return std::cos(x); }},
    {BuiltinOperator::ELU, [](double x) { return x > 0 ? x : std::expm1(x); }},
    {BuiltinOperator::EXP, [](double x) { return std::exp(x); }},
    {BuiltinOperator::FLOOR, [](double x) { return std::floor(x); }},
    {BuiltinOperator::GELU,
     [](double x) { return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2)); }},
    {BuiltinOperator::HARD_SWISH, [](double x) { return x * clamp(x + 3, 0, 6) / 6; }},
    {BuiltinOperator::LOG, [](double x) { return std::log(x); }, true},
    {BuiltinOperator::LOGISTIC, [](double x) { return 1 / (1 + std::exp(-x)); }},
    {BuiltinOperator::NEG, [](double x) { return -x; }},
    {BuiltinOperator::RELU, [](double x) { return std::fmax(x, 0.0); }},
    {BuiltinOperator::RELU6, [](double x) { return clamp(x, 0, 6); }},
    {BuiltinOperator::RELU_0_TO_1, [](double x) { return clamp(x, 0, 1); }},
    {BuiltinOperator::RELU_N1_TO_1, [](double x) { return clamp(x, -1, 1); }},
    {BuiltinOperator::ROUND, [](double x) { return std::nearbyint(x); }},
    {BuiltinOperator::RSQRT, [](double x) { return 1 / std::sqrt(x); }, true},
    {BuiltinOperator::SIGN, [](double x) { return x > 0   ? 1.0
                                                  : x < 0 ? -1.0
                                                          : 0.0; }},
    {BuiltinOperator::SIN, [](double x) { return std::sin(x); }},
    {BuiltinOperator::SQRT, [](double x) { return std::sqrt(x); }, true},
    {BuiltinOperator::SQUARE, [](double x) { return x * x; }},
    {BuiltinOperator::TANH, [](double x) { return std::tanh(x); }},
};

struct BinaryCase {
    BuiltinOperator op;
    Binary expected;
};

const BinaryCase kBinaryCases[] = {
    {BuiltinOperator::ADD, [](double a, double b) { return a + b; }},
    {BuiltinOperator::SUB, [](double a, double b) { return a - b; }},
    {BuiltinOperator::MUL, [](double a, double b) { return a * b; }},
    {BuiltinOperator::DIV, [](double a, double b) { return a / b; }},
    {BuiltinOperator::MAXIMUM, [](double a, double b) { return std::fmax(a, b); }},
    {BuiltinOperator::MINIMUM, [](double a, double b) { return std::fmin(a, b); }},
    {BuiltinOperator::POW, [](double a, double b) { return std::pow(a, b); }},
    {BuiltinOperator::PRELU, [](double a, double b) { return a < 0 ? a * b : a; }},
    {BuiltinOperator::SQUARED_DIFFERENCE, [](double a, double b) { return (a - b) * (a - b); }},
    {BuiltinOperator::FLOOR_DIV, [](double a, double b) { return std::floor(a / b); }},
    {BuiltinOperator::FLOOR_MOD, [](double a, double b) { return a - b * std::floor(a / b); }},
};

const BinaryCase kLogicCases[] = {
    {BuiltinOperator::EQUAL, [](double a, double b) { return a == b ? 1.0 : 0.0; }},
    {BuiltinOperator::NOT_EQUAL, [](double a, double b) { return a != b ? 1.0 : 0.0; }},
    {BuiltinOperator::GREATER, [](double a, double b) { return a > b ? 1.0 : 0.0; }},
    {BuiltinOperator::GREATER_EQUAL, [](double a, double b) { return a >= b ? 1.0 : 0.0; }},
    {BuiltinOperator::LESS, [](double a, double b) { return a < b ? 1.0 : 0.0; }},
    {BuiltinOperator::LESS_EQUAL, [](double a, double b) { return a <= b ? 1.0 : 0.0; }},
};

TEST(TfliteElementwise, computes_functions_of_one_operand) {
    const std::vector<float> signed_values{-7.5F, -2.5F, -1, -0.25F, 0, 0.5F, 1.5F, 3, 6.5F};
    const std::vector<float> positive_values{0.01F, 0.25F, 0.5F, 1, 1.5F, 2, 4, 8, 100};
    for (const UnaryCase& row : kUnaryCases) {
        SCOPED_TRACE(schema::EnumNameBuiltinOperator(row.op));
        const auto& values = row.positive ? positive_values : signed_values;
        TfliteWriter writer;
        const auto x = writer.tensor({9});
        const auto y = writer.tensor({9});
        writer.op(row.op, {x}, {y});
        const auto outputs = run_graph(file_of(writer.finish({x}, {y})), {values});
        ASSERT_EQ(outputs.size(), 1);
        const auto actual = outputs[0].floats();
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double expected = row.expected(static_cast<double>(values[i]));
            EXPECT_NEAR(actual[i], expected, 1e-5 * std::fmax(1.0, std::fabs(expected)))
                << "of " << values[i];
        }
    }
}

TEST(TfliteElementwise, computes_functions_of_two_operands_with_broadcasting) {
    const std::vector<float> a{1.5F, 2.25F, 0.5F, 7, 3, 4.75F};
    const std::vector<float> b{2, 0.75F, 3};
    for (const BinaryCase& row : kBinaryCases) {
        SCOPED_TRACE(schema::EnumNameBuiltinOperator(row.op));
        TfliteWriter writer;
        const auto left = writer.tensor({2, 3});
        const auto right = writer.floats({3}, b);
        const auto y = writer.tensor({2, 3});
        writer.op(row.op, {left, right}, {y});
        const auto outputs = run_graph(file_of(writer.finish({left}, {y})), {a});
        ASSERT_EQ(outputs.size(), 1);
        for (std::size_t i = 0; i < a.size(); ++i) {
            EXPECT_NEAR(outputs[0].floats()[i],
                        row.expected(static_cast<double>(a[i]), static_cast<double>(b[i % 3])),
                        1e-4)
                << i;
        }
    }
}

// Against the C library: every quadrant, the axes with both zeros, infinities, and the broadcast.
TEST(TfliteElementwise, atan2_knows_every_direction) {
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> values{0, -0.0F, 1, -1, 1e-30F, -1e30F, infinity, -infinity};
    for (int i = -20; i <= 20; ++i) {
        values.push_back(static_cast<float>(i) * 0.37F);
    }
    const auto count = static_cast<std::int32_t>(values.size());
    TfliteWriter writer;
    const auto y = writer.tensor({count, 1});
    const auto x = writer.tensor({1, count});
    const auto angle = writer.tensor({count, count});
    writer.op(BuiltinOperator::ATAN2, {y, x}, {angle});
    const auto outputs = run_graph(file_of(writer.finish({y, x}, {angle})), {values, values});
    ASSERT_EQ(outputs.size(), 1);
    const auto actual = outputs[0].floats();
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t k = 0; k < values.size(); ++k) {
            const double expected =
                std::atan2(static_cast<double>(values[i]), static_cast<double>(values[k]));
            EXPECT_NEAR(actual[i * values.size() + k], expected, 1e-6 * std::fabs(expected))
                << "atan2(" << values[i] << ", " << values[k] << ")";
        }
    }
}

TEST(TfliteElementwise, prelu_scales_what_is_negative) {
    TfliteWriter writer;
    const auto x = writer.tensor({2, 2});
    const auto slope = writer.floats({2}, {0.5F, 0.25F});
    const auto y = writer.tensor({2, 2});
    writer.op(BuiltinOperator::PRELU, {x, slope}, {y});
    const auto outputs = run_graph(file_of(writer.finish({x}, {y})), {{-4, -4, 3, -8}});
    ASSERT_EQ(outputs.size(), 1);
    expect_near(outputs[0].floats(), {-2, -1, 3, -2});
}

TEST(TfliteElementwise, compares_into_bytes) {
    const std::vector<float> a{1, 2, 3};
    const std::vector<float> b{2, 2, 2};
    for (const BinaryCase& row : kLogicCases) {
        SCOPED_TRACE(schema::EnumNameBuiltinOperator(row.op));
        TfliteWriter writer;
        const auto left = writer.tensor({3});
        const auto right = writer.tensor({3});
        const auto y = writer.tensor({3}, TensorType::BOOL);
        writer.op(row.op, {left, right}, {y});
        const auto outputs = run_graph(file_of(writer.finish({left, right}, {y})), {a, b});
        ASSERT_EQ(outputs.size(), 1);
        const auto bytes = outputs[0].as<std::uint8_t>();
        ASSERT_EQ(bytes.size(), 3);
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(bytes[i], row.expected(static_cast<double>(a[i]), static_cast<double>(b[i])));
        }
    }
}

TEST(TfliteElementwise, combines_truth_values_and_selects_by_them) {
    TfliteWriter writer;
    const auto a = writer.tensor({4});
    const auto b = writer.tensor({4});
    const auto zero = writer.floats({1}, {0});
    const auto a_true = writer.tensor({4}, TensorType::BOOL);
    const auto b_true = writer.tensor({4}, TensorType::BOOL);
    const auto both = writer.tensor({4}, TensorType::BOOL);
    const auto either = writer.tensor({4}, TensorType::BOOL);
    const auto neither = writer.tensor({4}, TensorType::BOOL);
    const auto chosen = writer.tensor({4});
    writer.op(BuiltinOperator::GREATER, {a, zero}, {a_true});
    writer.op(BuiltinOperator::GREATER, {b, zero}, {b_true});
    writer.op(BuiltinOperator::LOGICAL_AND, {a_true, b_true}, {both});
    writer.op(BuiltinOperator::LOGICAL_OR, {a_true, b_true}, {either});
    writer.op(BuiltinOperator::LOGICAL_NOT, {either}, {neither});
    writer.op(BuiltinOperator::SELECT_V2, {either, a, b}, {chosen});
    const auto outputs = run_graph(file_of(writer.finish({a, b}, {both, neither, chosen})),
                                   {{-1, -1, 5, 5}, {-2, 2, -2, 2}});
    ASSERT_EQ(outputs.size(), 3);
    EXPECT_EQ(outputs[0].as<std::uint8_t>(), (std::vector<std::uint8_t>{0, 0, 0, 1}));
    EXPECT_EQ(outputs[1].as<std::uint8_t>(), (std::vector<std::uint8_t>{1, 0, 0, 0}));
    expect_near(outputs[2].floats(), {-2, -1, 5, 5});
}

TEST(TfliteElementwise, select_of_a_vector_chooses_rows) {
    TfliteWriter writer;
    const auto x = writer.tensor({2});
    const auto zero = writer.floats({1}, {0});
    const auto condition = writer.tensor({2}, TensorType::BOOL);
    const auto yes = writer.floats({2, 2}, {1, 2, 3, 4});
    const auto no = writer.floats({2, 2}, {5, 6, 7, 8});
    const auto y = writer.tensor({2, 2});
    writer.op(BuiltinOperator::GREATER, {x, zero}, {condition});
    writer.op(BuiltinOperator::SELECT, {condition, yes, no}, {y});
    const auto outputs = run_graph(file_of(writer.finish({x}, {y})), {{1, -1}});
    ASSERT_EQ(outputs.size(), 1);
    expect_near(outputs[0].floats(), {1, 2, 7, 8});
}

TEST(TfliteElementwise, applies_the_fused_function) {
    using Function = schema::ActivationFunctionType;
    const std::vector<float> a{-9, -0.5F, 0.25F, 9};
    const std::pair<Function, Unary> cases[] = {
        {Function::NONE, [](double x) { return x; }},
        {Function::RELU, [](double x) { return std::fmax(x, 0.0); }},
        {Function::RELU_N1_TO_1, [](double x) { return clamp(x, -1, 1); }},
        {Function::RELU6, [](double x) { return clamp(x, 0, 6); }},
        {Function::TANH, [](double x) { return std::tanh(x); }},
    };
    for (const auto& [function, expected] : cases) {
        SCOPED_TRACE(schema::EnumNameActivationFunctionType(function));
        TfliteWriter writer;
        const auto x = writer.tensor({4});
        const auto one = writer.floats({1}, {1});
        const auto y = writer.tensor({4});
        writer.op(BuiltinOperator::ADD, {x, one}, {y},
                  schema::CreateAddOptions(writer.fbb(), function));
        const auto outputs = run_graph(file_of(writer.finish({x}, {y})), {a});
        ASSERT_EQ(outputs.size(), 1);
        for (std::size_t i = 0; i < a.size(); ++i) {
            EXPECT_NEAR(outputs[0].floats()[i], expected(static_cast<double>(a[i]) + 1), 1e-6);
        }
    }
}

TEST(TfliteElementwise, takes_parameters_from_the_options) {
    TfliteWriter writer;
    const auto x = writer.tensor({3});
    const auto leaky = writer.tensor({3});
    const auto gelu = writer.tensor({3});
    writer.op(BuiltinOperator::LEAKY_RELU, {x}, {leaky},
              schema::CreateLeakyReluOptions(writer.fbb(), 0.125F));
    writer.op(BuiltinOperator::GELU, {x}, {gelu}, schema::CreateGeluOptions(writer.fbb(), true));
    const std::vector<float> values{-2, 0.5F, 3};
    const auto outputs = run_graph(file_of(writer.finish({x}, {leaky, gelu})), {values});
    ASSERT_EQ(outputs.size(), 2);
    expect_near(outputs[0].floats(), {-0.25F, 0.5F, 3});
    for (std::size_t i = 0; i < 3; ++i) {
        const auto v = static_cast<double>(values[i]);
        const double inner = std::sqrt(2 / std::numbers::pi) * (v + 0.044715 * v * v * v);
        EXPECT_NEAR(outputs[1].floats()[i], 0.5 * v * (1 + std::tanh(inner)), 1e-5);
    }
}

TEST(TfliteElementwise, adds_any_number_of_operands) {
    TfliteWriter writer;
    const auto a = writer.tensor({2});
    const auto b = writer.tensor({2});
    const auto c = writer.floats({2}, {100, 200});
    const auto y = writer.tensor({2});
    writer.op(BuiltinOperator::ADD_N, {a, b, c}, {y});
    const auto outputs = run_graph(file_of(writer.finish({a, b}, {y})), {{1, 2}, {10, 20}});
    ASSERT_EQ(outputs.size(), 1);
    expect_near(outputs[0].floats(), {111, 222});
}

} // namespace
} // namespace sluice::models::test
