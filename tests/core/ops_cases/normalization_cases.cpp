// SPDX-License-Identifier: Apache-2.0
// batch_normalization, instance_normalization and layer_normalization.
#include <cmath>
#include <format>

#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;

void set_tolerance(OpCase& test, DataType type) {
    test.absolute = type == DataType::Float16 ? 5e-3 : 5e-6;
    test.relative = type == DataType::Float16 ? 2e-3 : 5e-6;
    test.on_cpu = false;
}

// What of scale and bias a case has, for its name.
std::string_view factors(bool scale, bool bias) {
    return scale ? (bias ? "scale_bias" : "scale") : (bias ? "bias" : "plain");
}

// Appends the random operands scale and bias where asked for.
void add_factors(OpCase& test, Random& random, DataType type, const Shape& shape, bool scale,
                 bool bias) {
    if (scale) {
        test.operands.push_back(random_operand(random, type, shape, -2.0, 2.0));
    }
    if (bias) {
        test.operands.push_back(random_operand(random, type, shape, -1.0, 1.0));
    }
}

// scale * normalised + bias, where element `factor` of each belongs to the result.
double scaled(const OpCase& test, double normalised, std::size_t first, bool scale, bool bias,
              std::size_t factor) {
    if (scale) {
        normalised *= test.operands[first].values[factor];
    }
    return bias ? normalised + test.operands.back().values[factor] : normalised;
}

OpCase batch_case(const Shape& x, std::uint32_t axis, bool scale, bool bias,
                  DataType type = DataType::Float32, double epsilon = 1e-5) {
    OpCase test;
    test.name = std::format("batch_normalization/{}_{}_axis{}_{}_{}", graph::name(type),
                            graph::to_string(x), axis, factors(scale, bias), epsilon);
    test.attributes = ops::BatchNormalization{
        .axis = axis, .epsilon = epsilon, .has_scale = scale, .has_bias = bias};
    Random random(test.name);
    const Shape channels{x[axis]};
    test.operands = {random_operand(random, type, x, -4.0, 4.0),
                     random_operand(random, type, channels, -1.0, 1.0),
                     random_operand(random, type, channels, 0.25, 2.0)};
    add_factors(test, random, type, channels, scale, bias);
    set_tolerance(test, type);
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(x, [&](const std::vector<std::size_t>& at) {
            const std::size_t c = at[axis];
            const double centred =
                self.operands[0].values[flat_of(at, x)] - self.operands[1].values[c];
            return scaled(self, centred / std::sqrt(self.operands[2].values[c] + epsilon), 3, scale,
                          bias, c);
        })};
    };
    return test;
}

// Element `i` of x, normalised over all elements that share its position outside of `axes`.
double normalised(const CaseOperand& x, std::size_t i, const std::vector<std::size_t>& axes,
                  double epsilon) {
    const auto at = position_of(i, x.shape);
    std::vector<double> group;
    for (std::size_t other = 0; other < x.values.size(); ++other) {
        auto position = position_of(other, x.shape);
        for (const std::size_t axis : axes) {
            position[axis] = at[axis];
        }
        if (position == at) {
            group.push_back(x.values[other]);
        }
    }
    double mean = 0.0;
    for (const double value : group) {
        mean += value / static_cast<double>(group.size());
    }
    double variance = 0.0;
    for (const double value : group) {
        variance += (value - mean) * (value - mean) / static_cast<double>(group.size());
    }
    return (x.values[i] - mean) / std::sqrt(variance + epsilon);
}

OpCase instance_case(const Shape& x, ops::InputLayout layout, bool scale, bool bias,
                     DataType type = DataType::Float32, double epsilon = 1e-5) {
    const bool nchw = layout == ops::InputLayout::Nchw;
    const std::size_t channel_axis = nchw ? 1 : 3;
    OpCase test;
    test.name =
        std::format("instance_normalization/{}_{}_{}_{}_{}", graph::name(type), graph::to_string(x),
                    nchw ? "nchw" : "nhwc", factors(scale, bias), epsilon);
    test.attributes = ops::InstanceNormalization{
        .epsilon = epsilon, .layout = layout, .has_scale = scale, .has_bias = bias};
    Random random(test.name);
    test.operands = {random_operand(random, type, x, -4.0, 4.0)};
    add_factors(test, random, type, {x[channel_axis]}, scale, bias);
    set_tolerance(test, type);
    const std::vector<std::size_t> spatial =
        nchw ? std::vector<std::size_t>{2, 3} : std::vector<std::size_t>{1, 2};
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(x, [&](const std::vector<std::size_t>& at) {
            return scaled(self, normalised(self.operands[0], flat_of(at, x), spatial, epsilon), 1,
                          scale, bias, at[channel_axis]);
        })};
    };
    return test;
}

OpCase layer_case(const Shape& x, const std::vector<std::uint32_t>& axes, bool scale, bool bias,
                  DataType type = DataType::Float32, double epsilon = 1e-5) {
    std::string list;
    Shape dims;
    for (const std::uint32_t axis : axes) {
        list += std::format("{}", axis);
        dims.push_back(x[axis]);
    }
    OpCase test;
    test.name = std::format("layer_normalization/{}_{}_axes{}_{}_{}", graph::name(type),
                            graph::to_string(x), list, factors(scale, bias), epsilon);
    test.attributes = ops::LayerNormalization{
        .axes = axes, .epsilon = epsilon, .has_scale = scale, .has_bias = bias};
    Random random(test.name);
    test.operands = {random_operand(random, type, x, -4.0, 4.0)};
    add_factors(test, random, type, dims, scale, bias);
    set_tolerance(test, type);
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(x, [&](const std::vector<std::size_t>& at) {
            std::vector<std::size_t> factor;
            for (const std::uint32_t axis : axes) {
                factor.push_back(at[axis]);
            }
            return scaled(
                self,
                normalised(self.operands[0], flat_of(at, x), {axes.begin(), axes.end()}, epsilon),
                1, scale, bias, flat_of(factor, dims));
        })};
    };
    return test;
}

} // namespace

std::vector<OpCase> normalization_cases() {
    using enum DataType;
    using enum ops::InputLayout;
    std::vector<OpCase> cases;
    for (const bool scale : {false, true}) {
        for (const bool bias : {false, true}) {
            cases.push_back(batch_case({2, 3, 5, 7}, 1, scale, bias));
            cases.push_back(batch_case({2, 5, 7, 3}, 3, scale, bias, Float16));
            cases.push_back(instance_case({2, 3, 5, 7}, Nchw, scale, bias));
            cases.push_back(instance_case({2, 5, 7, 3}, Nhwc, scale, bias));
            cases.push_back(layer_case({3, 4, 5}, {1, 2}, scale, bias));
            cases.push_back(layer_case({3, 4, 5, 2}, {3, 0, 2}, scale, bias, Float16));
        }
    }
    cases.push_back(batch_case({29}, 0, true, true));
    cases.push_back(batch_case({4, 6}, 0, false, true, Float32, 0.5));
    cases.push_back(instance_case({1, 4, 1, 1}, Nchw, true, true)); // groups of one element
    cases.push_back(instance_case({1, 3, 4, 5}, Nchw, true, true, Float16, 0.01));
    cases.push_back(layer_case({6}, {}, true, true)); // each element is its own mean
    cases.push_back(layer_case({}, {}, false, true));
    cases.push_back(layer_case({5, 31}, {1}, true, true, Float32, 0.01));
    return cases;
}

} // namespace sluice::testing
