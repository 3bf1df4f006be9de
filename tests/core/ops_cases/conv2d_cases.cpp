// SPDX-License-Identifier: Apache-2.0
// conv2d: shapes of real networks, odd shapes, every layout, and every epilogue.
#include <cmath>
#include <format>

#include "tests/core/ops_cases/activations.h"
#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;

// What a row of the table says; everything else is derived.
struct Row {
    std::uint32_t height, width, channels, outputs;
    std::uint32_t kernel_height, kernel_width;
    std::array<std::uint32_t, 2> strides{1, 1};
    std::array<std::uint32_t, 4> padding{0, 0, 0, 0};
    std::array<std::uint32_t, 2> dilations{1, 1};
    std::uint32_t groups = 1;
    std::uint32_t batch = 1;
    bool bias = true;
    std::uint32_t residual_channels = 0; // 0: none
    ops::Activation activation;
    ops::InputLayout layout = ops::InputLayout::Nhwc;
    ops::Conv2dFilterLayout filter_layout = ops::Conv2dFilterLayout::Ohwi;
    DataType type = DataType::Float32;
};

// A picture's element by name; 0 outside of the picture.
double pixel(const CaseOperand& x, ops::InputLayout layout, std::size_t n, long y, long column,
             std::size_t c) {
    const bool nchw = layout == ops::InputLayout::Nchw;
    const long height = x.shape[nchw ? 2 : 1];
    const long width = x.shape[nchw ? 3 : 2];
    if (y < 0 || y >= height || column < 0 || column >= width) {
        return 0.0;
    }
    const auto row = static_cast<std::size_t>(y);
    const auto col = static_cast<std::size_t>(column);
    return x.values[nchw ? flat_of({n, c, row, col}, x.shape) : flat_of({n, row, col, c}, x.shape)];
}

double weight(const CaseOperand& w, ops::Conv2dFilterLayout layout, std::size_t o, std::size_t i,
              std::size_t y, std::size_t x) {
    switch (layout) {
    case ops::Conv2dFilterLayout::Oihw: return w.values[flat_of({o, i, y, x}, w.shape)];
    case ops::Conv2dFilterLayout::Hwio: return w.values[flat_of({y, x, i, o}, w.shape)];
    case ops::Conv2dFilterLayout::Ohwi: return w.values[flat_of({o, y, x, i}, w.shape)];
    case ops::Conv2dFilterLayout::Ihwo: return w.values[flat_of({i, y, x, o}, w.shape)];
    }
    return 0.0;
}

std::uint32_t out_size(std::uint32_t size, std::uint32_t before, std::uint32_t after,
                       std::uint32_t kernel, std::uint32_t stride, std::uint32_t dilation) {
    return (size + before + after - (dilation * (kernel - 1) + 1)) / stride + 1;
}

Shape layout_shape(ops::InputLayout layout, std::uint32_t n, std::uint32_t h, std::uint32_t w,
                   std::uint32_t c) {
    return layout == ops::InputLayout::Nchw ? Shape{n, c, h, w} : Shape{n, h, w, c};
}

Shape output_shape(const Row& r) {
    return layout_shape(
        r.layout, r.batch,
        out_size(r.height, r.padding[0], r.padding[1], r.kernel_height, r.strides[0],
                 r.dilations[0]),
        out_size(r.width, r.padding[2], r.padding[3], r.kernel_width, r.strides[1], r.dilations[1]),
        r.outputs);
}

std::vector<Expected> expected(const Row& r, const OpCase& test) {
    const CaseOperand& x = test.operands[0];
    const CaseOperand& w = test.operands[1];
    const Shape shape = output_shape(r);
    const bool nchw = r.layout == ops::InputLayout::Nchw;
    const std::size_t inputs_per_group = r.channels / r.groups;
    Expected out;
    for (std::size_t i = 0; i < shape.element_count(); ++i) {
        const auto at = position_of(i, shape);
        const std::size_t o = nchw ? at[1] : at[3];
        const auto top = static_cast<long>((nchw ? at[2] : at[1]) * r.strides[0]) -
                         static_cast<long>(r.padding[0]);
        const auto left = static_cast<long>((nchw ? at[3] : at[2]) * r.strides[1]) -
                          static_cast<long>(r.padding[2]);
        const std::size_t first = o / (r.outputs / r.groups) * inputs_per_group;
        double sum = r.bias ? test.operands[2].values[o] : 0.0;
        double magnitude = std::fabs(sum);
        for (std::uint32_t ky = 0; ky < r.kernel_height; ++ky) {
            for (std::uint32_t kx = 0; kx < r.kernel_width; ++kx) {
                for (std::size_t c = 0; c < inputs_per_group; ++c) {
                    const double product =
                        pixel(x, r.layout, at[0], top + static_cast<long>(ky * r.dilations[0]),
                              left + static_cast<long>(kx * r.dilations[1]), first + c) *
                        weight(w, r.filter_layout, o, c, ky, kx);
                    sum += product;
                    magnitude += std::fabs(product);
                }
            }
        }
        if (o < r.residual_channels) {
            const double residual = pixel(test.operands.back(), r.layout, at[0],
                                          static_cast<long>(nchw ? at[2] : at[1]),
                                          static_cast<long>(nchw ? at[3] : at[2]), o);
            sum += residual;
            magnitude += std::fabs(residual);
        }
        out.values.push_back(expected_epilogue(r.activation, sum));
        out.magnitudes.push_back(magnitude);
    }
    return {out};
}

Shape filter_shape(const Row& r) {
    const std::uint32_t o = r.outputs;
    const std::uint32_t i = r.channels / r.groups;
    const std::uint32_t h = r.kernel_height;
    const std::uint32_t w = r.kernel_width;
    switch (r.filter_layout) {
    case ops::Conv2dFilterLayout::Oihw: return {o, i, h, w};
    case ops::Conv2dFilterLayout::Hwio: return {h, w, i, o};
    case ops::Conv2dFilterLayout::Ohwi: return {o, h, w, i};
    case ops::Conv2dFilterLayout::Ihwo: return {i, h, w, o};
    }
    return {};
}

std::string name_of(const Row& r) {
    std::string name =
        std::format("conv2d/{}x{}x{}x{}_to_{}_k{}x{}_s{}x{}_p{}{}{}{}_d{}x{}_g{}", r.batch,
                    r.height, r.width, r.channels, r.outputs, r.kernel_height, r.kernel_width,
                    r.strides[0], r.strides[1], r.padding[0], r.padding[1], r.padding[2],
                    r.padding[3], r.dilations[0], r.dilations[1], r.groups);
    name += r.bias ? "_bias" : "";
    name += r.residual_channels > 0 ? std::format("_residual{}", r.residual_channels) : "";
    if (r.activation.kind != ops::UnaryKind::Identity) {
        name += std::format("_{}", ops::name(r.activation.kind));
    }
    name += r.layout == ops::InputLayout::Nchw ? "_nchw" : "";
    if (r.filter_layout != ops::Conv2dFilterLayout::Ohwi) {
        name += std::format("_filter{}", static_cast<int>(r.filter_layout));
    }
    name += r.type == DataType::Float16 ? "_float16" : "";
    return name;
}

OpCase make_case(const Row& r) {
    OpCase test;
    test.name = name_of(r);
    ops::Conv2d op;
    op.padding = r.padding;
    op.strides = r.strides;
    op.dilations = r.dilations;
    op.groups = r.groups;
    op.input_layout = r.layout;
    op.filter_layout = r.filter_layout;
    op.has_bias = r.bias;
    op.has_residual = r.residual_channels > 0;
    op.activation = r.activation;
    test.attributes = op;
    Random random(test.name);
    const Shape x = layout_shape(r.layout, r.batch, r.height, r.width, r.channels);
    test.operands.push_back(random_operand(random, r.type, x, -1.0, 1.0));
    test.operands.push_back(as_constant(random_operand(random, r.type, filter_shape(r), -1, 1)));
    if (r.bias) {
        test.operands.push_back(
            as_constant(random_operand(random, r.type, {r.outputs}, -1.0, 1.0)));
    }
    if (r.residual_channels > 0) {
        const Shape y = output_shape(r);
        const bool nchw = r.layout == ops::InputLayout::Nchw;
        test.operands.push_back(random_operand(
            random, r.type,
            layout_shape(r.layout, r.batch, y[nchw ? 2 : 1], y[nchw ? 3 : 2], r.residual_channels),
            -1.0, 1.0));
    }
    const bool half = r.type == DataType::Float16;
    test.absolute = half ? 1e-3 : 2e-6;
    test.relative = half ? 1e-3 : 1e-6;
    test.expected = [r](const OpCase& self) { return expected(r, self); };
    test.on_cpu = !half && r.layout == ops::InputLayout::Nhwc;
    return test;
}

void add_dense(std::vector<Row>& rows) {
    for (const std::uint32_t c : {1U, 3U, 4U, 8U, 24U, 28U, 42U, 48U, 88U, 96U, 128U}) {
        const std::uint32_t outputs = c == 1 ? 3 : (c % 7 == 0 ? c + 14 : c);
        rows.push_back({.height = 9,
                        .width = 7,
                        .channels = c,
                        .outputs = outputs,
                        .kernel_height = 1,
                        .kernel_width = 1});
        rows.push_back({.height = 9,
                        .width = 11,
                        .channels = c,
                        .outputs = outputs,
                        .kernel_height = 3,
                        .kernel_width = 3,
                        .padding = {1, 1, 1, 1}});
        rows.push_back({.height = 11,
                        .width = 9,
                        .channels = c,
                        .outputs = outputs,
                        .kernel_height = 3,
                        .kernel_width = 3,
                        .strides = {2, 2},
                        .padding = {0, 1, 0, 1}});
    }
    // Channels that no vector and no tile divides.
    for (const std::uint32_t outputs : {1U, 2U, 5U, 13U, 17U, 31U, 33U, 67U}) {
        rows.push_back({.height = 5,
                        .width = 13,
                        .channels = 19,
                        .outputs = outputs,
                        .kernel_height = 1,
                        .kernel_width = 1});
        rows.push_back({.height = 7,
                        .width = 5,
                        .channels = 11,
                        .outputs = outputs,
                        .kernel_height = 3,
                        .kernel_width = 3,
                        .padding = {1, 1, 1, 1}});
    }
    // The stems of the networks, and pictures of one pixel, row or column.
    rows.push_back({.height = 33,
                    .width = 47,
                    .channels = 3,
                    .outputs = 16,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .strides = {2, 2},
                    .padding = {0, 1, 0, 1}});
    rows.push_back({.height = 31,
                    .width = 29,
                    .channels = 3,
                    .outputs = 24,
                    .kernel_height = 5,
                    .kernel_width = 5,
                    .strides = {2, 2},
                    .padding = {1, 2, 1, 2}});
    rows.push_back({.height = 1,
                    .width = 1,
                    .channels = 64,
                    .outputs = 16,
                    .kernel_height = 1,
                    .kernel_width = 1});
    rows.push_back({.height = 1,
                    .width = 1,
                    .channels = 6,
                    .outputs = 7,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {1, 1, 1, 1}});
    rows.push_back({.height = 1,
                    .width = 37,
                    .channels = 5,
                    .outputs = 8,
                    .kernel_height = 1,
                    .kernel_width = 3,
                    .padding = {0, 0, 1, 1}});
    rows.push_back({.height = 23,
                    .width = 1,
                    .channels = 5,
                    .outputs = 8,
                    .kernel_height = 3,
                    .kernel_width = 1,
                    .padding = {1, 1, 0, 0}});
    // Other kernels, strides, dilations and one-sided padding.
    rows.push_back({.height = 9,
                    .width = 8,
                    .channels = 16,
                    .outputs = 12,
                    .kernel_height = 2,
                    .kernel_width = 2,
                    .strides = {2, 2}});
    rows.push_back({.height = 8,
                    .width = 9,
                    .channels = 6,
                    .outputs = 10,
                    .kernel_height = 2,
                    .kernel_width = 2,
                    .padding = {0, 1, 1, 0}});
    rows.push_back({.height = 13,
                    .width = 11,
                    .channels = 8,
                    .outputs = 8,
                    .kernel_height = 5,
                    .kernel_width = 5,
                    .padding = {2, 2, 2, 2}});
    rows.push_back({.height = 13,
                    .width = 17,
                    .channels = 7,
                    .outputs = 9,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {2, 2, 3, 3},
                    .dilations = {2, 3}});
    rows.push_back({.height = 17,
                    .width = 13,
                    .channels = 7,
                    .outputs = 9,
                    .kernel_height = 3,
                    .kernel_width = 5,
                    .strides = {3, 2},
                    .padding = {1, 0, 2, 4}});
    rows.push_back({.height = 6,
                    .width = 7,
                    .channels = 4,
                    .outputs = 4,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {3, 4, 5, 2}});
    rows.push_back({.height = 7,
                    .width = 6,
                    .channels = 9,
                    .outputs = 20,
                    .kernel_height = 1,
                    .kernel_width = 1,
                    .strides = {2, 3}});
    rows.push_back({.height = 7,
                    .width = 6,
                    .channels = 9,
                    .outputs = 20,
                    .kernel_height = 1,
                    .kernel_width = 1,
                    .padding = {1, 0, 0, 2}});
    rows.push_back({.height = 7,
                    .width = 5,
                    .channels = 6,
                    .outputs = 8,
                    .kernel_height = 7,
                    .kernel_width = 5});
    rows.push_back({.height = 5,
                    .width = 6,
                    .channels = 5,
                    .outputs = 6,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {1, 1, 1, 1},
                    .batch = 3});
    rows.push_back({.height = 6,
                    .width = 5,
                    .channels = 5,
                    .outputs = 6,
                    .kernel_height = 1,
                    .kernel_width = 1,
                    .batch = 2,
                    .bias = false});
    // Large enough for several threads.
    rows.push_back({.height = 61,
                    .width = 83,
                    .channels = 8,
                    .outputs = 4,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {1, 1, 1, 1}});
    rows.push_back({.height = 59,
                    .width = 67,
                    .channels = 16,
                    .outputs = 24,
                    .kernel_height = 1,
                    .kernel_width = 1});
}

void add_grouped(std::vector<Row>& rows) {
    using enum ops::Conv2dFilterLayout;
    for (const std::uint32_t c : {1U, 3U, 4U, 8U, 24U, 28U, 42U, 48U, 88U, 96U, 128U}) {
        rows.push_back({.height = 9,
                        .width = 11,
                        .channels = c,
                        .outputs = c,
                        .kernel_height = 3,
                        .kernel_width = 3,
                        .padding = {1, 1, 1, 1},
                        .groups = c,
                        .filter_layout = Ihwo});
        rows.push_back({.height = 11,
                        .width = 7,
                        .channels = c,
                        .outputs = c,
                        .kernel_height = 3,
                        .kernel_width = 3,
                        .strides = {2, 2},
                        .padding = {0, 1, 0, 1},
                        .groups = c,
                        .filter_layout = Ihwo});
        rows.push_back({.height = 9,
                        .width = 10,
                        .channels = c,
                        .outputs = c,
                        .kernel_height = 5,
                        .kernel_width = 5,
                        .padding = {2, 2, 2, 2},
                        .groups = c,
                        .filter_layout = Ihwo});
    }
    rows.push_back({.height = 12,
                    .width = 9,
                    .channels = 24,
                    .outputs = 24,
                    .kernel_height = 5,
                    .kernel_width = 5,
                    .strides = {2, 2},
                    .padding = {1, 2, 1, 2},
                    .groups = 24});
    rows.push_back({.height = 12,
                    .width = 9,
                    .channels = 17,
                    .outputs = 17,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {2, 2, 2, 2},
                    .dilations = {2, 2},
                    .groups = 17,
                    .batch = 2,
                    .bias = false});
    rows.push_back({.height = 5,
                    .width = 4,
                    .channels = 16,
                    .outputs = 16,
                    .kernel_height = 2,
                    .kernel_width = 2,
                    .groups = 16});
    rows.push_back({.height = 1,
                    .width = 9,
                    .channels = 13,
                    .outputs = 13,
                    .kernel_height = 1,
                    .kernel_width = 1,
                    .groups = 13});
    rows.push_back({.height = 2,
                    .width = 2,
                    .channels = 9,
                    .outputs = 9,
                    .kernel_height = 5,
                    .kernel_width = 5,
                    .padding = {2, 2, 2, 2},
                    .groups = 9});
    rows.push_back({.height = 53,
                    .width = 71,
                    .channels = 16,
                    .outputs = 16,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {1, 1, 1, 1},
                    .groups = 16});
    // Depthwise with a multiplier, and groups of several channels.
    rows.push_back({.height = 7,
                    .width = 9,
                    .channels = 8,
                    .outputs = 16,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {1, 1, 1, 1},
                    .groups = 8,
                    .filter_layout = Ihwo});
    rows.push_back({.height = 7,
                    .width = 9,
                    .channels = 3,
                    .outputs = 21,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .strides = {2, 1},
                    .padding = {1, 0, 0, 1},
                    .groups = 3});
    rows.push_back({.height = 7,
                    .width = 9,
                    .channels = 12,
                    .outputs = 8,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {1, 1, 1, 1},
                    .groups = 4});
    rows.push_back({.height = 6,
                    .width = 5,
                    .channels = 32,
                    .outputs = 48,
                    .kernel_height = 1,
                    .kernel_width = 1,
                    .groups = 2});
    rows.push_back({.height = 6,
                    .width = 5,
                    .channels = 10,
                    .outputs = 35,
                    .kernel_height = 3,
                    .kernel_width = 2,
                    .groups = 5,
                    .batch = 2});
}

void add_epilogues(std::vector<Row>& rows) {
    for (const ops::Activation& activation : kEpilogues) {
        rows.push_back({.height = 7,
                        .width = 5,
                        .channels = 12,
                        .outputs = 20,
                        .kernel_height = 1,
                        .kernel_width = 1,
                        .activation = activation});
        rows.push_back({.height = 6,
                        .width = 9,
                        .channels = 5,
                        .outputs = 11,
                        .kernel_height = 3,
                        .kernel_width = 3,
                        .padding = {1, 1, 1, 1},
                        .residual_channels = 11,
                        .activation = activation});
        rows.push_back({.height = 9,
                        .width = 6,
                        .channels = 19,
                        .outputs = 19,
                        .kernel_height = 3,
                        .kernel_width = 3,
                        .padding = {1, 1, 1, 1},
                        .groups = 19,
                        .activation = activation});
        rows.push_back({.height = 7,
                        .width = 7,
                        .channels = 24,
                        .outputs = 24,
                        .kernel_height = 5,
                        .kernel_width = 5,
                        .strides = {2, 2},
                        .padding = {1, 2, 1, 2},
                        .groups = 24,
                        .bias = false,
                        .residual_channels = 24,
                        .activation = activation});
    }
    const ops::Activation relu = kEpilogues[0];
    // Residuals of fewer channels: BlazeFace widens 24 to 28 to 32 and 36 to 42.
    for (const auto& [outputs, residual] :
         {std::pair{28U, 24U}, {32U, 28U}, {42U, 36U}, {96U, 88U}, {17U, 1U}, {9U, 8U}}) {
        rows.push_back({.height = 5,
                        .width = 7,
                        .channels = residual,
                        .outputs = outputs,
                        .kernel_height = 1,
                        .kernel_width = 1,
                        .residual_channels = residual,
                        .activation = relu});
        rows.push_back({.height = 5,
                        .width = 7,
                        .channels = 6,
                        .outputs = outputs,
                        .kernel_height = 3,
                        .kernel_width = 3,
                        .padding = {1, 1, 1, 1},
                        .residual_channels = residual});
    }
    rows.push_back({.height = 5,
                    .width = 7,
                    .channels = 12,
                    .outputs = 12,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {1, 1, 1, 1},
                    .groups = 12,
                    .residual_channels = 7,
                    .activation = relu});
    rows.push_back({.height = 5,
                    .width = 7,
                    .channels = 12,
                    .outputs = 8,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .padding = {1, 1, 1, 1},
                    .groups = 4,
                    .batch = 2,
                    .residual_channels = 8,
                    .activation = relu});
}

void add_layouts(std::vector<Row>& rows) {
    using enum ops::Conv2dFilterLayout;
    for (const auto layout : {ops::InputLayout::Nhwc, ops::InputLayout::Nchw}) {
        for (const auto filter : {Oihw, Hwio, Ohwi, Ihwo}) {
            for (const std::uint32_t groups : {1U, 2U, 6U}) {
                rows.push_back({.height = 5,
                                .width = 6,
                                .channels = 6,
                                .outputs = 12,
                                .kernel_height = 3,
                                .kernel_width = 2,
                                .strides = {2, 1},
                                .padding = {1, 0, 1, 1},
                                .groups = groups,
                                .layout = layout,
                                .filter_layout = filter});
            }
        }
    }
    rows.push_back({.height = 5,
                    .width = 6,
                    .channels = 6,
                    .outputs = 12,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .residual_channels = 5,
                    .activation = kEpilogues[0],
                    .layout = ops::InputLayout::Nchw,
                    .filter_layout = Oihw});
    rows.push_back({.height = 5,
                    .width = 6,
                    .channels = 6,
                    .outputs = 5,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .type = DataType::Float16});
}

} // namespace

std::vector<OpCase> conv2d_cases() {
    std::vector<Row> rows;
    add_dense(rows);
    add_grouped(rows);
    add_epilogues(rows);
    add_layouts(rows);
    std::vector<OpCase> cases;
    for (const Row& row : rows) {
        cases.push_back(make_case(row));
    }
    return cases;
}

} // namespace sluice::testing
