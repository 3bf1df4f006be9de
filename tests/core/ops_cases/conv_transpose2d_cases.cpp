// SPDX-License-Identifier: Apache-2.0
// conv_transpose2d, judged by scattering every input onto the results it reaches.
#include <cmath>
#include <format>

#include "tests/core/ops_cases/activations.h"
#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;

struct TransposedRow {
    std::uint32_t height, width, channels, outputs; // outputs of all groups
    std::uint32_t kernel_height, kernel_width;
    std::array<std::uint32_t, 2> strides{1, 1};
    std::array<std::uint32_t, 4> padding{0, 0, 0, 0};
    std::array<std::uint32_t, 2> dilations{1, 1};
    std::array<std::uint32_t, 2> output_padding{0, 0};
    std::uint32_t groups = 1;
    std::uint32_t batch = 1;
    bool bias = true;
    ops::Activation activation{};
    ops::InputLayout layout = ops::InputLayout::Nhwc;
    ops::ConvTranspose2dFilterLayout filter_layout = ops::ConvTranspose2dFilterLayout::Ohwi;
    DataType type = DataType::Float32;
};

bool is_nchw(const TransposedRow& r) {
    return r.layout == ops::InputLayout::Nchw;
}

Shape layout_shape(const TransposedRow& r, std::uint32_t h, std::uint32_t w, std::uint32_t c) {
    return is_nchw(r) ? Shape{r.batch, c, h, w} : Shape{r.batch, h, w, c};
}

Shape transposed_shape(const TransposedRow& r) {
    const auto size = [&](std::uint32_t in, std::size_t axis, std::uint32_t kernel) {
        return (in - 1) * r.strides[axis] + (kernel - 1) * r.dilations[axis] + 1 -
               r.padding[2 * axis] - r.padding[2 * axis + 1] + r.output_padding[axis];
    };
    return layout_shape(r, size(r.height, 0, r.kernel_height), size(r.width, 1, r.kernel_width),
                        r.outputs);
}

Shape transposed_filter_shape(const TransposedRow& r) {
    const std::uint32_t o = r.outputs / r.groups;
    switch (r.filter_layout) {
    case ops::ConvTranspose2dFilterLayout::Iohw:
        return {r.channels, o, r.kernel_height, r.kernel_width};
    case ops::ConvTranspose2dFilterLayout::Hwoi:
        return {r.kernel_height, r.kernel_width, o, r.channels};
    case ops::ConvTranspose2dFilterLayout::Ohwi:
        return {o, r.kernel_height, r.kernel_width, r.channels};
    }
    return {};
}

double weight(const TransposedRow& r, const CaseOperand& w, std::size_t i, std::size_t o,
              std::size_t y, std::size_t x) {
    switch (r.filter_layout) {
    case ops::ConvTranspose2dFilterLayout::Iohw: return w.values[flat_of({i, o, y, x}, w.shape)];
    case ops::ConvTranspose2dFilterLayout::Hwoi: return w.values[flat_of({y, x, o, i}, w.shape)];
    case ops::ConvTranspose2dFilterLayout::Ohwi: return w.values[flat_of({o, y, x, i}, w.shape)];
    }
    return 0.0;
}

// Adds one input element's products to the results that it reaches.
void scatter(const TransposedRow& r, const OpCase& test, std::size_t input, const Shape& shape,
             Expected& out) {
    const CaseOperand& x = test.operands[0];
    const auto at = position_of(input, x.shape);
    const std::size_t channel = is_nchw(r) ? at[1] : at[3];
    const std::size_t row = is_nchw(r) ? at[2] : at[1];
    const std::size_t column = is_nchw(r) ? at[3] : at[2];
    const std::size_t group = channel / (r.channels / r.groups);
    const std::size_t outputs = r.outputs / r.groups;
    const long height = shape[is_nchw(r) ? 2 : 1];
    const long width = shape[is_nchw(r) ? 3 : 2];
    for (std::size_t ky = 0; ky < r.kernel_height; ++ky) {
        for (std::size_t kx = 0; kx < r.kernel_width; ++kx) {
            const long oy = static_cast<long>(row * r.strides[0] + ky * r.dilations[0]) -
                            static_cast<long>(r.padding[0]);
            const long ox = static_cast<long>(column * r.strides[1] + kx * r.dilations[1]) -
                            static_cast<long>(r.padding[2]);
            if (oy < 0 || oy >= height || ox < 0 || ox >= width) {
                continue;
            }
            const auto y = static_cast<std::size_t>(oy);
            const auto z = static_cast<std::size_t>(ox);
            for (std::size_t o = 0; o < outputs; ++o) {
                const double product =
                    x.values[input] * weight(r, test.operands[1], channel, o, ky, kx);
                const std::size_t oc = group * outputs + o;
                const std::size_t to = is_nchw(r) ? flat_of({at[0], oc, y, z}, shape)
                                                  : flat_of({at[0], y, z, oc}, shape);
                out.values[to] += product;
                out.magnitudes[to] += std::fabs(product);
            }
        }
    }
}

std::vector<Expected> expected_transposed(const TransposedRow& r, const OpCase& test) {
    const Shape shape = transposed_shape(r);
    Expected out;
    for (std::size_t i = 0; i < shape.element_count(); ++i) {
        const auto at = position_of(i, shape);
        const double start = r.bias ? test.operands[2].values[is_nchw(r) ? at[1] : at[3]] : 0.0;
        out.values.push_back(start);
        out.magnitudes.push_back(std::fabs(start));
    }
    for (std::size_t i = 0; i < test.operands[0].values.size(); ++i) {
        scatter(r, test, i, shape, out);
    }
    for (double& value : out.values) {
        value = expected_epilogue(r.activation, value);
    }
    return {out};
}

OpCase make_transposed_case(const TransposedRow& r) {
    OpCase test;
    test.name = std::format(
        "conv_transpose2d/{}x{}x{}x{}_to_{}_k{}x{}_s{}x{}_p{}{}{}{}_d{}x{}_op{}{}_g{}{}{}{}_f{}_{}",
        r.batch, r.height, r.width, r.channels, r.outputs, r.kernel_height, r.kernel_width,
        r.strides[0], r.strides[1], r.padding[0], r.padding[1], r.padding[2], r.padding[3],
        r.dilations[0], r.dilations[1], r.output_padding[0], r.output_padding[1], r.groups,
        r.bias ? "_bias" : "", is_nchw(r) ? "_nchw" : "",
        r.type == DataType::Float16 ? "_float16" : "", static_cast<int>(r.filter_layout),
        ops::name(r.activation.kind));
    ops::ConvTranspose2d op;
    op.padding = r.padding;
    op.strides = r.strides;
    op.dilations = r.dilations;
    op.output_padding = r.output_padding;
    op.groups = r.groups;
    op.input_layout = r.layout;
    op.filter_layout = r.filter_layout;
    op.has_bias = r.bias;
    op.activation = r.activation;
    test.attributes = op;
    Random random(test.name);
    test.operands.push_back(
        random_operand(random, r.type, layout_shape(r, r.height, r.width, r.channels), -1.0, 1.0));
    test.operands.push_back(
        as_constant(random_operand(random, r.type, transposed_filter_shape(r), -1, 1)));
    if (r.bias) {
        test.operands.push_back(
            as_constant(random_operand(random, r.type, {r.outputs}, -1.0, 1.0)));
    }
    const bool half = r.type == DataType::Float16;
    test.absolute = half ? 1e-3 : 2e-6;
    test.relative = half ? 1e-3 : 1e-6;
    test.expected = [r](const OpCase& self) { return expected_transposed(r, self); };
    test.on_cpu =
        !half && !is_nchw(r) && r.groups == 1 && r.dilations == std::array<std::uint32_t, 2>{1, 1};
    return test;
}

} // namespace

std::vector<OpCase> conv_transpose2d_cases() {
    using enum ops::ConvTranspose2dFilterLayout;
    std::vector<TransposedRow> rows;
    // What the segmentation networks end with: 2x2, stride 2, few channels.
    for (const std::uint32_t outputs : {1U, 2U, 3U, 6U, 8U, 16U}) {
        rows.push_back({.height = 9,
                        .width = 13,
                        .channels = 16,
                        .outputs = outputs,
                        .kernel_height = 2,
                        .kernel_width = 2,
                        .strides = {2, 2}});
        rows.push_back({.height = 5,
                        .width = 3,
                        .channels = 7,
                        .outputs = outputs,
                        .kernel_height = 2,
                        .kernel_width = 2,
                        .strides = {2, 2},
                        .bias = false});
    }
    rows.push_back({.height = 37,
                    .width = 41,
                    .channels = 8,
                    .outputs = 1,
                    .kernel_height = 2,
                    .kernel_width = 2,
                    .strides = {2, 2},
                    .activation = {.kind = ops::UnaryKind::Sigmoid}});
    rows.push_back({.height = 1,
                    .width = 1,
                    .channels = 3,
                    .outputs = 5,
                    .kernel_height = 2,
                    .kernel_width = 2,
                    .strides = {2, 2}});
    for (const ops::Activation& activation : kEpilogues) {
        rows.push_back({.height = 4,
                        .width = 5,
                        .channels = 6,
                        .outputs = 10,
                        .kernel_height = 2,
                        .kernel_width = 2,
                        .strides = {2, 2},
                        .activation = activation});
    }
    // Overlapping kernels, gaps, cropping, and what ONNX and TFLite call output padding.
    rows.push_back({.height = 5,
                    .width = 6,
                    .channels = 5,
                    .outputs = 7,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .strides = {2, 2},
                    .padding = {1, 1, 1, 1},
                    .output_padding = {1, 1}});
    rows.push_back({.height = 6,
                    .width = 5,
                    .channels = 9,
                    .outputs = 4,
                    .kernel_height = 4,
                    .kernel_width = 4,
                    .strides = {2, 2},
                    .padding = {1, 1, 1, 1}});
    rows.push_back({.height = 4,
                    .width = 7,
                    .channels = 3,
                    .outputs = 11,
                    .kernel_height = 3,
                    .kernel_width = 5,
                    .padding = {0, 1, 2, 0}});
    rows.push_back({.height = 4,
                    .width = 3,
                    .channels = 4,
                    .outputs = 6,
                    .kernel_height = 2,
                    .kernel_width = 2,
                    .strides = {3, 4},
                    .output_padding = {2, 1}});
    rows.push_back({.height = 4,
                    .width = 3,
                    .channels = 4,
                    .outputs = 6,
                    .kernel_height = 1,
                    .kernel_width = 1,
                    .strides = {2, 1}});
    rows.push_back({.height = 5,
                    .width = 4,
                    .channels = 4,
                    .outputs = 3,
                    .kernel_height = 3,
                    .kernel_width = 3,
                    .strides = {2, 1},
                    .padding = {2, 0, 1, 2},
                    .dilations = {2, 3},
                    .batch = 2});
    rows.push_back({.height = 4,
                    .width = 5,
                    .channels = 6,
                    .outputs = 8,
                    .kernel_height = 3,
                    .kernel_width = 2,
                    .strides = {1, 2},
                    .groups = 2});
    rows.push_back({.height = 4,
                    .width = 5,
                    .channels = 6,
                    .outputs = 6,
                    .kernel_height = 2,
                    .kernel_width = 2,
                    .strides = {2, 2},
                    .groups = 6,
                    .batch = 2});
    for (const auto layout : {ops::InputLayout::Nhwc, ops::InputLayout::Nchw}) {
        for (const auto filter : {Iohw, Hwoi, Ohwi}) {
            rows.push_back({.height = 3,
                            .width = 4,
                            .channels = 4,
                            .outputs = 6,
                            .kernel_height = 3,
                            .kernel_width = 2,
                            .strides = {2, 1},
                            .padding = {1, 0, 0, 1},
                            .layout = layout,
                            .filter_layout = filter});
        }
    }
    rows.push_back({.height = 3,
                    .width = 4,
                    .channels = 4,
                    .outputs = 6,
                    .kernel_height = 2,
                    .kernel_width = 2,
                    .strides = {2, 2},
                    .type = DataType::Float16});
    std::vector<OpCase> cases;
    for (const TransposedRow& row : rows) {
        cases.push_back(make_transposed_case(row));
    }
    return cases;
}

} // namespace sluice::testing
