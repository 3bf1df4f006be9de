// SPDX-License-Identifier: Apache-2.0
// reduce, softmax, arg_min_max and cumulative_sum.
#include <algorithm>
#include <cmath>
#include <format>

#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;
using ops::ReduceKind;

// All elements of x that reduce to result position `at` (given with its reduced axes as 0).
std::vector<double> group_of(const CaseOperand& x, const std::vector<std::uint32_t>& axes,
                             const std::vector<std::size_t>& at) {
    std::vector<double> out;
    for (std::size_t i = 0; i < x.values.size(); ++i) {
        auto position = position_of(i, x.shape);
        for (const std::uint32_t axis : axes) {
            position[axis] = 0;
        }
        if (position == at) {
            out.push_back(x.values[i]);
        }
    }
    return out;
}

double reduced(ReduceKind kind, const std::vector<double>& group) {
    const auto sum = [&](auto&& of) {
        double total = 0.0;
        for (const double value : group) {
            total += of(value);
        }
        return total;
    };
    switch (kind) {
    case ReduceKind::L1: return sum([](double x) { return std::fabs(x); });
    case ReduceKind::L2: return std::sqrt(sum([](double x) { return x * x; }));
    case ReduceKind::LogSum: return std::log(sum([](double x) { return x; }));
    case ReduceKind::LogSumExp: return std::log(sum([](double x) { return std::exp(x); }));
    case ReduceKind::Max: return std::ranges::max(group);
    case ReduceKind::Mean:
        return sum([](double x) { return x; }) / static_cast<double>(group.size());
    case ReduceKind::Min: return std::ranges::min(group);
    case ReduceKind::Product: {
        double product = 1.0;
        for (const double value : group) {
            product *= value;
        }
        return product;
    }
    case ReduceKind::Sum: return sum([](double x) { return x; });
    case ReduceKind::SumSquare: return sum([](double x) { return x * x; });
    }
    return 0.0;
}

OpCase reduce_case(ReduceKind kind, const Shape& x, std::vector<std::uint32_t> axes, bool keep,
                   DataType type, bool on_cpu) {
    std::string list;
    for (const std::uint32_t axis : axes) {
        list += std::format("{}", axis);
    }
    OpCase test;
    test.name = std::format("{}/{}_{}_axes{}{}", ops::name(kind), graph::name(type),
                            graph::to_string(x), list, keep ? "_keep" : "");
    test.attributes = ops::Reduce{.kind = kind, .axes = axes, .keep_dimensions = keep};
    Random random(test.name);
    // Sums of logarithms must be positive, and products neither vanish nor overflow.
    const bool positive = kind == ReduceKind::LogSum || kind == ReduceKind::Product;
    const bool integers = !graph::is_float(type);
    const double low =
        integers ? (graph::info(type).is_signed ? -3.0 : 0.0) : (positive ? 0.75 : -2.0);
    test.operands = {random_operand(random, type, x, low, integers ? 3.0 : 1.3)};
    const bool half = type == DataType::Float16;
    test.absolute = integers ? 0.0 : (half ? 2e-3 : 2e-6);
    test.relative = integers ? 0.0 : (half ? 2e-3 : 4e-6);
    test.on_cpu = on_cpu && type == DataType::Float32 &&
                  (kind == ReduceKind::Sum || kind == ReduceKind::Mean || kind == ReduceKind::Max ||
                   kind == ReduceKind::Min);
    test.expected = [=](const OpCase& self) {
        Shape y = x;
        for (const std::uint32_t axis : axes) {
            y[axis] = 1; // as many elements, in the same order, as without the axis
        }
        Expected out;
        for (std::size_t i = 0; i < y.element_count(); ++i) {
            const auto group = group_of(self.operands[0], axes, position_of(i, y));
            out.values.push_back(reduced(kind, group));
            const double scale =
                kind == ReduceKind::Mean ? 1.0 / static_cast<double>(group.size()) : 1.0;
            out.magnitudes.push_back(std::fabs(out.values.back()) +
                                     scale * reduced(ReduceKind::L1, group));
        }
        return std::vector{out};
    };
    return test;
}

OpCase softmax_case(const Shape& x, std::uint32_t axis, DataType type, double range) {
    OpCase test;
    test.name = std::format("softmax/{}_{}_axis{}_range{}", graph::name(type), graph::to_string(x),
                            axis, range);
    test.attributes = ops::Softmax{.axis = axis};
    Random random(test.name);
    test.operands = {random_operand(random, type, x, -range, range)};
    test.absolute = type == DataType::Float16 ? 1e-3 : 1e-7;
    test.relative = type == DataType::Float16 ? 1e-3 : 2e-6;
    test.on_cpu = type == DataType::Float32 && axis + 1 == x.rank();
    test.expected = [=](const OpCase& self) {
        const CaseOperand& in = self.operands[0];
        return std::vector{for_each_position(x, [&](std::vector<std::size_t> at) {
            const double own = in.values[flat_of(at, x)];
            double sum = 0.0;
            for (std::size_t i = 0; i < x[axis]; ++i) {
                at[axis] = i;
                sum += std::exp(in.values[flat_of(at, x)] - own);
            }
            return 1.0 / sum;
        })};
    };
    return test;
}

OpCase arg_case(bool is_max, const Shape& x, std::uint32_t axis, bool keep, DataType type,
                DataType output) {
    OpCase test;
    test.name = std::format("arg_{}/{}_{}_axis{}_{}{}", is_max ? "max" : "min", graph::name(type),
                            graph::to_string(x), axis, graph::name(output), keep ? "_keep" : "");
    test.attributes = ops::ArgMinMax{
        .is_max = is_max, .axis = axis, .keep_dimensions = keep, .output_type = output};
    Random random(test.name);
    // A narrow range of whole numbers, so that there are equal ones.
    test.operands = {random_operand(random, type, x, 0.0, 6.0)};
    for (double& value : test.operands[0].values) {
        value = std::nearbyint(value);
    }
    test.absolute = 0.0;
    test.relative = 0.0;
    test.on_cpu = false;
    test.expected = [=](const OpCase& self) {
        Shape y = x;
        y[axis] = 1;
        return std::vector{for_each_position(y, [&](std::vector<std::size_t> at) {
            std::vector<double> line;
            for (std::size_t i = 0; i < x[axis]; ++i) {
                at[axis] = i;
                line.push_back(self.operands[0].values[flat_of(at, x)]);
            }
            const auto best =
                is_max ? std::ranges::max_element(line) : std::ranges::min_element(line);
            return static_cast<double>(best - line.begin());
        })};
    };
    return test;
}

OpCase cumulative_case(const Shape& x, std::uint32_t axis, bool exclusive, bool reversed,
                       DataType type) {
    OpCase test;
    test.name =
        std::format("cumulative_sum/{}_{}_axis{}{}{}", graph::name(type), graph::to_string(x), axis,
                    exclusive ? "_exclusive" : "", reversed ? "_reversed" : "");
    test.attributes =
        ops::CumulativeSum{.axis = axis, .exclusive = exclusive, .reversed = reversed};
    Random random(test.name);
    test.operands = {
        random_operand(random, type, x, graph::info(type).is_signed ? -8.0 : 0.0, 8.0)};
    test.absolute = type == DataType::Float16 ? 2e-2 : 1e-6;
    test.relative = type == DataType::Float16 ? 1e-3 : 1e-6;
    test.on_cpu = false;
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(x, [&](const std::vector<std::size_t>& at) {
            double sum = 0.0;
            for (std::size_t i = 0; i < x[axis]; ++i) {
                const bool counts = reversed ? i > at[axis] : i < at[axis];
                if (counts || (i == at[axis] && !exclusive)) {
                    auto from = at;
                    from[axis] = i;
                    sum += self.operands[0].values[flat_of(from, x)];
                }
            }
            return sum;
        })};
    };
    return test;
}

} // namespace

std::vector<OpCase> reduction_cases() {
    using enum DataType;
    constexpr std::array kKinds{
#define SLUICE_REDUCE(name, Type) ReduceKind::Type,
#include "core/ops/reduce.def"
#undef SLUICE_REDUCE
    };
    std::vector<OpCase> cases;
    for (const ReduceKind kind : kKinds) {
        cases.push_back(reduce_case(kind, {37}, {0}, false, Float32, true));
        cases.push_back(reduce_case(kind, {}, {}, false, Float32, true));
        cases.push_back(reduce_case(kind, {3, 5}, {}, false, Float32, true));
        cases.push_back(reduce_case(kind, {3, 5, 7}, {2}, true, Float32, true));
        cases.push_back(reduce_case(kind, {3, 5, 7}, {1}, false, Float32, true));
        cases.push_back(reduce_case(kind, {3, 5, 7}, {0, 2}, true, Float32, false));
        cases.push_back(reduce_case(kind, {3, 5, 7}, {2, 1, 0}, false, Float32, true));
        cases.push_back(reduce_case(kind, {2, 5, 7, 19}, {1, 2}, true, Float32, true));
        cases.push_back(reduce_case(kind, {3, 7}, {1}, false, Float16, false));
        const bool floats_only = kind == ReduceKind::L2 || kind == ReduceKind::LogSum ||
                                 kind == ReduceKind::LogSumExp || kind == ReduceKind::Mean;
        for (const DataType type : {Int32, Uint32, Int64, Uint64}) {
            if (!floats_only) {
                cases.push_back(reduce_case(kind, {3, 5, 4}, {1}, false, type, false));
            }
        }
    }
    for (const ReduceKind kind : {ReduceKind::Mean, ReduceKind::Sum, ReduceKind::Max}) {
        cases.push_back(reduce_case(kind, {1, 67, 71, 16}, {1, 2}, true, Float32, true));
    }
    cases.push_back(softmax_case({7}, 0, Float32, 4.0));
    cases.push_back(softmax_case({1}, 0, Float32, 4.0));
    cases.push_back(softmax_case({3, 37}, 1, Float32, 80.0));
    cases.push_back(softmax_case({1, 13, 11, 6}, 3, Float32, 10.0));
    cases.push_back(softmax_case({1, 64, 67, 6}, 3, Float32, 10.0));
    cases.push_back(softmax_case({3, 7, 5}, 1, Float32, 4.0));
    cases.push_back(softmax_case({3, 7}, 1, Float16, 4.0));
    for (const bool is_max : {false, true}) {
        cases.push_back(arg_case(is_max, {31}, 0, false, Float32, Int32));
        cases.push_back(arg_case(is_max, {3, 5, 7}, 1, true, Float32, Int64));
        cases.push_back(arg_case(is_max, {3, 5, 7}, 2, false, Float16, Int32));
        cases.push_back(arg_case(is_max, {3, 5, 7}, 0, false, Int8, Int64));
        cases.push_back(arg_case(is_max, {5, 7}, 1, false, Uint64, Int32));
    }
    for (const bool exclusive : {false, true}) {
        for (const bool reversed : {false, true}) {
            cases.push_back(cumulative_case({3, 5, 7}, 1, exclusive, reversed, Float32));
            cases.push_back(cumulative_case({17}, 0, exclusive, reversed, Float16));
            cases.push_back(cumulative_case({4, 6}, 1, exclusive, reversed, Int32));
        }
    }
    for (const DataType type : {Uint32, Int64, Uint64}) {
        cases.push_back(cumulative_case({5, 4}, 0, false, false, type));
    }
    return cases;
}

} // namespace sluice::testing
