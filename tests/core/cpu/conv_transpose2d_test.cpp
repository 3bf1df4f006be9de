// SPDX-License-Identifier: Apache-2.0
// conv_transpose2d on every instruction set against loops in double precision.
#include <array>

#include "tests/core/cpu/conv_support.h"

namespace sluice::test {
namespace {

using TransposedLayout = ops::ConvTranspose2dFilterLayout;

struct TransposedCase {
    std::string name;
    std::uint32_t height, width, in, out_per_group;
    std::uint32_t kernel_y, kernel_x;
    std::array<std::uint32_t, 2> strides{1, 1};
    std::array<std::uint32_t, 4> padding{};
    std::array<std::uint32_t, 2> dilations{1, 1};
    std::array<std::uint32_t, 2> output_padding{};
    std::uint32_t groups = 1;
    std::uint32_t batch = 1;
    TransposedLayout layout = TransposedLayout::Ohwi;
    bool bias = true;
    ops::UnaryKind activation = ops::UnaryKind::Identity;
    unsigned threads = 1;
};

void PrintTo(const TransposedCase& c, std::ostream* out) {
    *out << c.name;
}

graph::Shape transposed_filter_shape(const TransposedCase& c) {
    switch (c.layout) {
    case TransposedLayout::Iohw: return {c.in, c.out_per_group, c.kernel_y, c.kernel_x};
    case TransposedLayout::Hwoi: return {c.kernel_y, c.kernel_x, c.out_per_group, c.in};
    case TransposedLayout::Ohwi: return {c.out_per_group, c.kernel_y, c.kernel_x, c.in};
    }
    return {};
}

std::size_t transposed_filter_index(const TransposedCase& c, std::size_t o, std::size_t y,
                                    std::size_t x, std::size_t i) {
    switch (c.layout) {
    case TransposedLayout::Iohw:
        return ((i * c.out_per_group + o) * c.kernel_y + y) * c.kernel_x + x;
    case TransposedLayout::Hwoi: return ((y * c.kernel_x + x) * c.out_per_group + o) * c.in + i;
    case TransposedLayout::Ohwi: return ((o * c.kernel_y + y) * c.kernel_x + x) * c.in + i;
    }
    return 0;
}

class ConvTranspose2dTest : public ::testing::TestWithParam<TransposedCase> {};

TEST_P(ConvTranspose2dTest, agrees_with_loops) {
    const TransposedCase& c = GetParam();
    const std::uint32_t channels = c.out_per_group * c.groups;
    const auto size = [&](std::uint32_t in, std::size_t axis, std::uint32_t kernel) {
        return (in - 1) * c.strides[axis] + (kernel - 1) * c.dilations[axis] + 1 -
               c.padding[2 * axis] - c.padding[2 * axis + 1] + c.output_padding[axis];
    };
    const std::size_t out_height = size(c.height, 0, c.kernel_y);
    const std::size_t out_width = size(c.width, 1, c.kernel_x);
    Random random(23);
    std::vector<NodeInput> inputs;
    inputs.push_back({{c.batch, c.height, c.width, c.in},
                      random.floats(std::size_t{c.batch} * c.height * c.width * c.in)});
    const graph::Shape filter = transposed_filter_shape(c);
    inputs.push_back({filter, random.floats(filter.element_count()), true});
    if (c.bias) {
        inputs.push_back({{channels}, random.floats(channels), true});
    }

    const std::size_t count = c.batch * out_height * out_width * channels;
    std::vector<double> expected(count);
    std::vector<double> magnitude(count);
    for (std::size_t i = 0; i < count; ++i) {
        expected[i] = c.bias ? static_cast<double>(inputs[2].values[i % channels]) : 0.0;
        magnitude[i] = std::fabs(expected[i]);
    }
    for (std::size_t pixel = 0; pixel < std::size_t{c.batch} * c.height * c.width; ++pixel) {
        const std::size_t b = pixel / (std::size_t{c.height} * c.width);
        const std::size_t iy = pixel / c.width % c.height;
        const std::size_t ix = pixel % c.width;
        for (std::size_t tap = 0; tap < std::size_t{c.kernel_y} * c.kernel_x; ++tap) {
            const std::size_t y =
                iy * c.strides[0] + tap / c.kernel_x * c.dilations[0] - c.padding[0];
            const std::size_t x =
                ix * c.strides[1] + tap % c.kernel_x * c.dilations[1] - c.padding[2];
            if (y >= out_height || x >= out_width) { // negative ones are huge
                continue;
            }
            for (std::size_t i = 0; i < c.in; ++i) {
                const std::size_t group = i / (c.in / c.groups);
                for (std::size_t o = 0; o < c.out_per_group; ++o) {
                    const double product =
                        static_cast<double>(inputs[0].values[pixel * c.in + i]) *
                        static_cast<double>(inputs[1].values[transposed_filter_index(
                            c, o, tap / c.kernel_x, tap % c.kernel_x, i)]);
                    const std::size_t to = ((b * out_height + y) * out_width + x) * channels +
                                           group * c.out_per_group + o;
                    expected[to] += product;
                    magnitude[to] += std::fabs(product);
                }
            }
        }
    }
    const ops::ConvTranspose2d op{.padding = c.padding,
                                  .strides = c.strides,
                                  .dilations = c.dilations,
                                  .output_padding = c.output_padding,
                                  .groups = c.groups,
                                  .input_layout = ops::InputLayout::Nhwc,
                                  .filter_layout = c.layout,
                                  .has_bias = c.bias,
                                  .activation = {.kind = c.activation}};
    for (double& value : expected) {
        value = activate(op.activation, value);
    }
    for_each_instruction_set(
        [&] { expect_close(run_on_cpu(op, inputs, c.threads), expected, magnitude); });
}

std::vector<TransposedCase> cases() {
    using A4 = std::array<std::uint32_t, 4>;
    using A2 = std::array<std::uint32_t, 2>;
    std::vector<TransposedCase> all = {
        {"tiled_2x2_to_1", 9, 16, 16, 1, 2, 2, {2, 2}},
        {"tiled_2x2_to_32", 8, 8, 32, 32, 2, 2, {2, 2}},
        {"tiled_3x2", 5, 7, 6, 5, 3, 2, {3, 2}},
        {"pointwise", 5, 7, 6, 5, 1, 1},
        {"overlapping_3x3", 5, 7, 6, 9, 3, 3, {2, 2}, A4{1, 1, 1, 1}},
        {"overlapping_4x4", 6, 5, 3, 4, 4, 4, {2, 2}, A4{1, 1, 1, 1}},
        {"gaps", 4, 5, 3, 4, 1, 2, {3, 3}},
        {"output_padding", 4, 5, 3, 4, 3, 3, {2, 2}, A4{1, 1, 1, 1}, A2{1, 1}, A2{1, 1}},
        {"cropped_unevenly", 6, 7, 3, 4, 3, 3, {2, 3}, A4{2, 1, 0, 3}},
        {"dilated", 5, 6, 4, 3, 3, 2, {1, 2}, A4{}, A2{2, 3}},
        {"groups", 4, 5, 6, 2, 3, 3, {2, 2}, A4{1, 0, 1, 0}, A2{1, 1}, A2{0, 0}, 3},
        {"batch", 3, 4, 5, 6, 2, 2, {2, 2}, A4{}, A2{1, 1}, A2{0, 0}, 1, 2},
    };
    for (const TransposedLayout layout :
         {TransposedLayout::Iohw, TransposedLayout::Hwoi, TransposedLayout::Ohwi}) {
        TransposedCase c{
            "layout_" + std::to_string(static_cast<int>(layout)), 4, 5, 3, 4, 2, 3, {1, 2}};
        c.layout = layout;
        c.bias = false;
        all.push_back(c);
    }
    for (const std::uint32_t outputs : {1, 2}) {
        TransposedCase c{"scattered_sigmoid_threads_" + std::to_string(outputs),
                         64,
                         80,
                         32,
                         outputs,
                         2,
                         2,
                         {2, 2}};
        c.activation = ops::UnaryKind::Sigmoid;
        c.threads = 2;
        all.push_back(c);
    }
    for (const bool tiled : {true, false}) {
        TransposedCase c{
            tiled ? "tiled_relu_threads" : "general_relu_threads", 64, 40, 16, 12, 2, 2, {2, 2}};
        c.padding = tiled ? A4{} : A4{0, 1, 1, 0};
        c.activation = tiled ? ops::UnaryKind::Relu : ops::UnaryKind::Sigmoid;
        c.threads = 2;
        all.push_back(c);
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(All, ConvTranspose2dTest, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

} // namespace
} // namespace sluice::test
