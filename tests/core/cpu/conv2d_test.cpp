// SPDX-License-Identifier: Apache-2.0
// conv2d on every instruction set against loops in double precision.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string>

#include "core/cpu/winograd.h"
#include "tests/core/cpu/conv_support.h"

namespace sluice::test {
namespace {

using ops::UnaryKind;
using Layout = ops::Conv2dFilterLayout;

struct Case {
    std::string name;
    std::uint32_t height, width, in, out;
    std::uint32_t kernel_y, kernel_x;
    std::array<std::uint32_t, 4> padding{};
    std::array<std::uint32_t, 2> strides{1, 1};
    std::array<std::uint32_t, 2> dilations{1, 1};
    std::uint32_t groups = 1;
    std::uint32_t batch = 1;
    Layout layout = Layout::Ohwi;
    bool bias = true;
    std::uint32_t residual = 0; // channels
    ops::Activation activation{};
    unsigned threads = 1;
};

void PrintTo(const Case& c, std::ostream* out) {
    *out << c.name;
}

graph::Shape filter_shape(const Case& c) {
    const std::uint32_t i = c.in / c.groups;
    switch (c.layout) {
    case Layout::Oihw: return {c.out, i, c.kernel_y, c.kernel_x};
    case Layout::Hwio: return {c.kernel_y, c.kernel_x, i, c.out};
    case Layout::Ohwi: return {c.out, c.kernel_y, c.kernel_x, i};
    case Layout::Ihwo: return {i, c.kernel_y, c.kernel_x, c.out};
    }
    return {};
}

std::size_t filter_index(const Case& c, std::size_t o, std::size_t y, std::size_t x,
                         std::size_t i) {
    const std::size_t in = c.in / c.groups;
    switch (c.layout) {
    case Layout::Oihw: return ((o * in + i) * c.kernel_y + y) * c.kernel_x + x;
    case Layout::Hwio: return ((y * c.kernel_x + x) * in + i) * c.out + o;
    case Layout::Ohwi: return ((o * c.kernel_y + y) * c.kernel_x + x) * in + i;
    case Layout::Ihwo: return ((i * c.kernel_y + y) * c.kernel_x + x) * c.out + o;
    }
    return 0;
}

std::uint32_t out_size(std::uint32_t in, std::uint32_t before, std::uint32_t after,
                       std::uint32_t kernel, std::uint32_t dilation, std::uint32_t stride) {
    return (in + before + after - ((kernel - 1) * dilation + 1)) / stride + 1;
}

cpu::ConvShape shape_of(const Case& c) {
    cpu::ConvShape s{};
    s.batch = c.batch;
    s.in_height = c.height;
    s.in_width = c.width;
    s.in_channels = c.in;
    s.out_height =
        out_size(c.height, c.padding[0], c.padding[1], c.kernel_y, c.dilations[0], c.strides[0]);
    s.out_width =
        out_size(c.width, c.padding[2], c.padding[3], c.kernel_x, c.dilations[1], c.strides[1]);
    s.out_channels = c.out;
    s.kernel_height = c.kernel_y;
    s.kernel_width = c.kernel_x;
    s.stride_y = c.strides[0];
    s.stride_x = c.strides[1];
    s.dilation_y = c.dilations[0];
    s.dilation_x = c.dilations[1];
    s.pad_top = c.padding[0];
    s.pad_left = c.padding[2];
    s.groups = c.groups;
    s.residual_channels = c.residual;
    return s;
}

// Winograd's filtering is left to the cases that are named for it.
class Conv2dTest : public ::testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        if (!GetParam().name.starts_with("winograd")) {
            ::setenv("SLUICE_CPU_WINOGRAD", "off", 1);
        }
    }
    void TearDown() override { ::unsetenv("SLUICE_CPU_WINOGRAD"); }
};

TEST_P(Conv2dTest, agrees_with_loops) {
    const Case& c = GetParam();
    const std::uint32_t out_height =
        out_size(c.height, c.padding[0], c.padding[1], c.kernel_y, c.dilations[0], c.strides[0]);
    const std::uint32_t out_width =
        out_size(c.width, c.padding[2], c.padding[3], c.kernel_x, c.dilations[1], c.strides[1]);
    Random random(17);
    std::vector<NodeInput> inputs;
    inputs.push_back({{c.batch, c.height, c.width, c.in},
                      random.floats(std::size_t{c.batch} * c.height * c.width * c.in)});
    const graph::Shape filter = filter_shape(c);
    inputs.push_back({filter, random.floats(filter.element_count()), true});
    if (c.bias) {
        inputs.push_back({{c.out}, random.floats(c.out), true});
    }
    if (c.residual > 0) {
        const graph::Shape shape{c.batch, out_height, out_width, c.residual};
        inputs.push_back({shape, random.floats(shape.element_count())});
    }

    std::vector<double> expected;
    std::vector<double> magnitude;
    const std::size_t group_in = c.in / c.groups;
    const std::size_t group_out = c.out / c.groups;
    for (std::size_t b = 0; b < c.batch; ++b) {
        for (std::size_t pixel = 0; pixel < std::size_t{out_height} * out_width; ++pixel) {
            const std::size_t oy = pixel / out_width;
            const std::size_t ox = pixel % out_width;
            for (std::size_t o = 0; o < c.out; ++o) {
                double sum = c.bias ? static_cast<double>(inputs[2].values[o]) : 0.0;
                double size = std::fabs(sum);
                for (std::size_t ky = 0; ky < c.kernel_y; ++ky) {
                    for (std::size_t kx = 0; kx < c.kernel_x; ++kx) {
                        const auto y =
                            static_cast<std::int64_t>(oy * c.strides[0] + ky * c.dilations[0]) -
                            c.padding[0];
                        const auto x =
                            static_cast<std::int64_t>(ox * c.strides[1] + kx * c.dilations[1]) -
                            c.padding[2];
                        if (y < 0 || y >= c.height || x < 0 || x >= c.width) {
                            continue;
                        }
                        const std::size_t at =
                            ((b * c.height + static_cast<std::size_t>(y)) * c.width +
                             static_cast<std::size_t>(x)) *
                                c.in +
                            o / group_out * group_in;
                        for (std::size_t i = 0; i < group_in; ++i) {
                            const double product =
                                static_cast<double>(inputs[0].values[at + i]) *
                                static_cast<double>(
                                    inputs[1].values[filter_index(c, o, ky, kx, i)]);
                            sum += product;
                            size += std::fabs(product);
                        }
                    }
                }
                if (o < c.residual) {
                    const double r = static_cast<double>(
                        inputs.back()
                            .values[(b * out_height * out_width + pixel) * c.residual + o]);
                    sum += r;
                    size += std::fabs(r);
                }
                expected.push_back(activate(c.activation, sum));
                magnitude.push_back(size);
            }
        }
    }

    const ops::Conv2d op{.padding = c.padding,
                         .strides = c.strides,
                         .dilations = c.dilations,
                         .groups = c.groups,
                         .input_layout = ops::InputLayout::Nhwc,
                         .filter_layout = c.layout,
                         .has_bias = c.bias,
                         .has_residual = c.residual > 0,
                         .activation = c.activation};
    for_each_instruction_set(
        [&] { expect_close(run_on_cpu(op, inputs, c.threads), expected, magnitude); });
}

constexpr ops::Activation kRelu{.kind = UnaryKind::Relu};
constexpr ops::Activation kSwish{.kind = UnaryKind::HardSwish};

std::vector<Case> dense_cases() {
    using A4 = std::array<std::uint32_t, 4>;
    using A2 = std::array<std::uint32_t, 2>;
    std::vector<Case> cases = {
        {"one_pixel", 1, 1, 1, 1, 1, 1},
        {"stem_5x5_stride_2", 20, 22, 3, 24, 5, 5, A4{1, 2, 1, 2}, A2{2, 2}},
        {"stem_3x3_stride_2", 19, 33, 3, 16, 3, 3, A4{0, 1, 0, 1}, A2{2, 2}},
        {"dense_3x3", 9, 40, 16, 24, 3, 3, A4{1, 1, 1, 1}},
        {"dense_3x3_narrow_picture", 5, 2, 8, 12, 3, 3, A4{1, 1, 1, 1}},
        {"window_wider_than_picture", 2, 2, 4, 8, 5, 5, A4{2, 2, 2, 2}},
        {"padding_beyond_the_window", 3, 3, 4, 5, 2, 2, A4{3, 4, 5, 2}},
        {"no_padding", 8, 30, 5, 7, 3, 2},
        {"dilated", 12, 31, 6, 10, 3, 3, A4{2, 2, 2, 2}, A2{1, 1}, A2{2, 2}},
        {"dilated_and_strided", 13, 29, 4, 9, 2, 3, A4{1, 0, 2, 3}, A2{2, 3}, A2{3, 2}},
        {"pointwise_stride_2", 9, 17, 12, 20, 1, 1, A4{}, A2{2, 2}},
        {"pointwise_padded", 4, 5, 3, 6, 1, 1, A4{1, 0, 2, 1}},
        {"groups_2", 7, 14, 6, 10, 3, 3, A4{1, 1, 1, 1}, A2{1, 1}, A2{1, 1}, 2},
        {"groups_4_of_many", 4, 9, 36, 44, 1, 1, A4{}, A2{1, 1}, A2{1, 1}, 4},
        {"batch_3", 6, 11, 5, 8, 3, 3, A4{1, 1, 1, 1}, A2{2, 1}, A2{1, 1}, 1, 3},
        {"batch_2_pointwise", 6, 11, 5, 8, 1, 1, A4{}, A2{1, 1}, A2{1, 1}, 1, 2},
        {"large_weights", 12, 13, 64, 100, 3, 3, A4{1, 1, 1, 1}},
        {"threads", 64, 64, 24, 28, 1, 1, A4{}, A2{1, 1}, A2{1, 1}, 1, 1, Layout::Ohwi, true, 0,
         kRelu, 2},
        {"threads_3x3", 40, 64, 8, 28, 3, 3, A4{1, 1, 1, 1}, A2{1, 1}, A2{1, 1}, 1, 1, Layout::Hwio,
         true, 28, kRelu, 2},
    };
    // Every channel count up to what the panels' sums can be, and those of the networks.
    for (const std::uint32_t out :
         {1U,  2U,  3U,  4U,  5U,  6U,  7U,  8U,  9U,  12U, 15U, 16U, 17U, 20U, 23U, 24U,
          25U, 28U, 31U, 32U, 33U, 36U, 40U, 42U, 48U, 56U, 64U, 72U, 88U, 96U, 128U}) {
        Case c{"pointwise_to_" + std::to_string(out), 1, 37, 11, out, 1, 1};
        c.residual = out > 2 && out % 3 == 0 ? out - 2 : 0;
        c.activation = out % 2 == 0 ? kRelu : ops::Activation{};
        cases.push_back(c);
    }
    // Every tile size and every remainder of it.
    for (std::uint32_t width = 1; width <= 26; ++width) {
        cases.push_back({"width_" + std::to_string(width), 3, width, 4, 24, 3, 3, A4{1, 1, 1, 1}});
        cases.push_back({"row_of_" + std::to_string(width), 1, width, 9, 16 + width, 1, 1});
    }
    for (const Layout layout : {Layout::Oihw, Layout::Hwio, Layout::Ohwi, Layout::Ihwo}) {
        Case c{"layout_" + std::to_string(static_cast<int>(layout)), 5, 6, 6, 10, 2, 3};
        c.groups = 2;
        c.layout = layout;
        c.bias = false;
        cases.push_back(c);
    }
    return cases;
}

// Few columns, where vectors hold several steps of the sum, one after the other or with a full
// panel before them; segments of a window's row, and of a tap where the window is dilated.
std::vector<Case> stepped_cases() {
    std::vector<Case> cases;
    for (const std::uint32_t in : {1U, 2U, 5U, 12U, 16U, 31U, 48U}) {
        for (const std::uint32_t out : {1U, 2U, 4U, 7U, 8U, 17U, 19U, 24U}) {
            const std::string name = std::to_string(in) + "_to_" + std::to_string(out);
            Case point{"stepped_" + name, 1, 29, in, out, 1, 1};
            point.residual = in % 2 == 0 ? out : out / 2;
            point.activation = out % 2 == 0 ? kRelu : kSwish;
            cases.push_back(point);
            Case window{"stepped_window_" + name, 3, 9, in, out, 3, 2};
            window.padding = {1, 1, 1, 0};
            window.strides = {1, 2}; // not one for planes
            window.dilations = {1, in == 12 ? 2U : 1U};
            window.activation.kind = out == 4 ? UnaryKind::Sigmoid : UnaryKind::Identity;
            cases.push_back(window);
        }
    }
    for (std::uint32_t pixels = 1; pixels <= 14; ++pixels) {
        for (const std::uint32_t out : {1U, 3U, 6U}) {
            cases.push_back(
                {"stepped_pixels_" + std::to_string(pixels) + "_to_" + std::to_string(out), 1,
                 pixels, 32, out, 1, 1});
        }
    }
    return cases;
}

std::vector<Case> depthwise_cases() {
    using A4 = std::array<std::uint32_t, 4>;
    std::vector<Case> cases;
    for (const std::uint32_t channels :
         {1U, 3U, 4U, 7U, 8U, 12U, 16U, 17U, 24U, 28U, 37U, 42U, 96U}) {
        for (const std::uint32_t kernel : {3U, 5U}) {
            for (const std::uint32_t stride : {1U, 2U}) {
                const std::uint32_t pad = kernel / 2;
                Case c{"depthwise_" + std::to_string(kernel) + "x" + std::to_string(kernel) +
                           "_stride_" + std::to_string(stride) + "_of_" + std::to_string(channels),
                       7,
                       19,
                       channels,
                       channels,
                       kernel,
                       kernel};
                c.padding = stride == 1 ? A4{pad, pad, pad, pad} : A4{pad - 1, pad, pad - 1, pad};
                c.strides = {stride, stride};
                c.groups = channels;
                c.layout = Layout::Ihwo;
                c.residual = channels % 2 == 0 ? channels : channels / 2;
                c.activation = kernel == 3 ? kRelu : kSwish;
                cases.push_back(c);
            }
        }
    }
    for (std::uint32_t width = 1; width <= 20; ++width) {
        for (const std::uint32_t stride : {1U, 2U}) {
            Case c{"depthwise_width_" + std::to_string(width) + "_stride_" + std::to_string(stride),
                   3,
                   width,
                   24,
                   24,
                   3,
                   3};
            c.padding = {1, 1, 1, 1};
            c.strides = {stride, stride};
            c.groups = 24;
            c.layout = Layout::Ihwo;
            cases.push_back(c);
        }
    }
    // Runs of tiles of 8 or 6 pixels, whose first and last columns may lie in the padding.
    for (const std::uint32_t width : {6U, 7U, 8U, 9U, 12U, 13U, 16U, 24U, 25U, 48U, 50U}) {
        for (const std::uint32_t stride : {1U, 2U}) {
            for (const std::uint32_t sides : {0U, 1U, 2U, 3U}) {
                Case c{"depthwise_width_" + std::to_string(width) + "_stride_" +
                           std::to_string(stride) + "_sides_" + std::to_string(sides),
                       5,
                       width,
                       24,
                       24,
                       3,
                       3};
                c.padding = {1, stride - 1, sides % 2, sides / 2};
                c.strides = {stride, stride};
                c.groups = 24;
                c.layout = Layout::Ihwo;
                c.residual = 24;
                c.activation = kRelu;
                cases.push_back(c);
            }
        }
    }
    const auto add = [&](std::string name, auto&& change) {
        Case c{std::move(name), 11, 13, 20, 20, 3, 3};
        c.padding = {1, 1, 1, 1};
        c.groups = 20;
        c.layout = Layout::Ihwo;
        change(c);
        cases.push_back(c);
    };
    add("depthwise_multiplier_2", [](Case& c) { c.out = 40; });
    add("depthwise_dilated", [](Case& c) { c.dilations = {2, 3}; });
    add("depthwise_stride_3", [](Case& c) { c.strides = {3, 3}; });
    add("depthwise_strides_differ", [](Case& c) { c.strides = {1, 2}; });
    add("depthwise_pointwise", [](Case& c) {
        c.kernel_x = c.kernel_y = 1;
        c.padding = {};
    });
    add("depthwise_1x3", [](Case& c) { c.kernel_y = 1; });
    add("depthwise_7x7", [](Case& c) {
        c.kernel_x = c.kernel_y = 7;
        c.padding = {3, 3, 3, 3};
    });
    add("depthwise_padding_beyond", [](Case& c) { c.padding = {4, 4, 5, 6}; });
    add("depthwise_no_bias", [](Case& c) { c.bias = false; });
    add("depthwise_batch_2_threads", [](Case& c) {
        c.batch = 2;
        c.height = 100;
        c.width = 101;
        c.threads = 2;
    });
    add("depthwise_oihw", [](Case& c) { c.layout = Layout::Oihw; });
    add("depthwise_sigmoid", [](Case& c) { c.activation = {.kind = UnaryKind::Sigmoid}; });
    return cases;
}

std::vector<Case> few_channel_cases() {
    std::vector<Case> cases;
    for (const std::uint32_t in : {1U, 3U, 4U, 6U, 8U, 16U}) {
        for (const std::uint32_t out : {1U, 2U, 3U, 4U}) {
            Case c{
                "few_" + std::to_string(in) + "_to_" + std::to_string(out), 6, 53, in, out, 3, 3};
            c.padding = {1, 1, 1, 1};
            c.activation = out == 4 ? kRelu : ops::Activation{};
            c.residual = in == 6 ? out : 0;
            cases.push_back(c);
        }
    }
    for (const std::uint32_t width :
         {1U, 7U, 8U, 9U, 15U, 16U, 17U, 23U, 24U, 25U, 48U, 49U, 320U}) {
        Case c{"few_width_" + std::to_string(width), 4, width, 8, 4, 3, 3};
        c.padding = {1, 1, 1, 1};
        cases.push_back(c);
    }
    Case wide{"few_5x5_asymmetric", 9, 41, 4, 4, 5, 5};
    wide.padding = {2, 1, 0, 3};
    cases.push_back(wide);
    Case threads{"few_threads", 90, 160, 8, 4, 3, 3};
    threads.padding = {1, 1, 1, 1};
    threads.threads = 2;
    threads.batch = 2;
    cases.push_back(threads);
    cases.push_back({"few_no_padding", 9, 41, 4, 4, 3, 3});
    return cases;
}

std::vector<Case> activation_cases() {
    std::vector<Case> cases;
    for (const ops::Activation activation :
         {ops::Activation{.kind = UnaryKind::Relu},
          ops::Activation{.kind = UnaryKind::Clamp, .alpha = -0.5, .beta = 1.5},
          ops::Activation{.kind = UnaryKind::LeakyRelu, .alpha = 0.2},
          ops::Activation{.kind = UnaryKind::Elu, .alpha = 0.7},
          ops::Activation{.kind = UnaryKind::HardSwish},
          ops::Activation{.kind = UnaryKind::HardSigmoid, .alpha = 0.2, .beta = 0.5},
          ops::Activation{.kind = UnaryKind::Sigmoid}, ops::Activation{.kind = UnaryKind::Tanh},
          ops::Activation{.kind = UnaryKind::Linear, .alpha = 2.0, .beta = -1.0}}) {
        for (const std::uint32_t groups : {1U, 13U}) {
            Case c{std::string("activation_") + std::string(ops::name(activation.kind)) +
                       "_groups_" + std::to_string(groups),
                   5,
                   14,
                   13,
                   13,
                   3,
                   3};
            c.padding = {1, 1, 1, 1};
            c.groups = groups;
            c.activation = activation;
            c.residual = 9;
            cases.push_back(c);
        }
    }
    return cases;
}

// Large enough for Winograd's filtering; sizes that are no multiple of its tiles.
std::vector<Case> winograd_cases() {
    Case plain{"winograd_3x3", 37, 41, 32, 48, 3, 3, {1, 1, 1, 1}};
    plain.residual = 48;
    plain.activation = kRelu;
    Case odd{"winograd_3x3_odd_channels", 30, 25, 67, 45, 3, 3};
    odd.batch = 2;
    odd.bias = false;
    Case wide{"winograd_5x5", 29, 31, 40, 36, 5, 5, {2, 2, 2, 2}};
    wide.layout = Layout::Hwio;
    wide.threads = 2;
    Case uneven{"winograd_5x5_uneven_padding", 26, 45, 33, 64, 5, 5, {0, 4, 3, 1}};
    uneven.activation = {.kind = UnaryKind::Sigmoid};
    uneven.residual = 64;
    Case padded{"winograd_3x3_much_padding", 16, 23, 64, 32, 3, 3, {2, 2, 0, 2}};
    padded.activation = {.kind = UnaryKind::Clamp, .alpha = -0.5, .beta = 1.5};
    padded.threads = 2;
    return {plain, odd, wide, uneven, padded};
}

TEST(Winograd, takes_large_pictures_of_many_channels) {
    const auto shape = [](std::size_t size, std::size_t channels, std::size_t kernel) {
        cpu::ConvShape s{};
        s.batch = s.groups = s.stride_x = s.stride_y = s.dilation_x = s.dilation_y = 1;
        s.in_height = s.in_width = s.out_height = s.out_width = size;
        s.in_channels = s.out_channels = channels;
        s.kernel_height = s.kernel_width = kernel;
        s.pad_top = s.pad_left = kernel / 2;
        return s;
    };
    for (const Case& c : winograd_cases()) { // so that the cases above test what they are named for
        EXPECT_TRUE(cpu::suits_winograd(shape_of(c))) << c.name;
    }
    EXPECT_TRUE(cpu::suits_winograd(shape(64, 64, 3)));
    EXPECT_FALSE(cpu::suits_winograd(shape(64, 8, 3)));  // the transforms would cost more
    EXPECT_FALSE(cpu::suits_winograd(shape(4, 256, 3))); // so would the weights
    EXPECT_FALSE(cpu::suits_winograd(shape(64, 64, 1)));
    cpu::ConvShape beside = shape(64, 64, 3);
    beside.pad_top = 3; // the first row of windows sees none of the picture
    EXPECT_FALSE(cpu::suits_winograd(beside));
    cpu::ConvShape strided = shape(64, 64, 3);
    strided.stride_y = 2;
    EXPECT_FALSE(cpu::suits_winograd(strided));
}

const auto kName = [](const ::testing::TestParamInfo<Case>& test) { return test.param.name; };
INSTANTIATE_TEST_SUITE_P(Dense, Conv2dTest, ::testing::ValuesIn(dense_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Stepped, Conv2dTest, ::testing::ValuesIn(stepped_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Depthwise, Conv2dTest, ::testing::ValuesIn(depthwise_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Winograd, Conv2dTest, ::testing::ValuesIn(winograd_cases()), kName);
INSTANTIATE_TEST_SUITE_P(FewChannels, Conv2dTest, ::testing::ValuesIn(few_channel_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Activations, Conv2dTest, ::testing::ValuesIn(activation_cases()), kName);

TEST(Conv2d, declines_what_it_has_no_kernel_for) {
    Random random(3);
    std::vector<NodeInput> inputs = {{{1, 4, 4, 4}, random.floats(64)},
                                     {{4, 1, 1, 4}, random.floats(16), true}};
    ops::Conv2d op{.filter_layout = Layout::Ohwi};
    op.input_layout = ops::InputLayout::Nchw;
    graph::Graph graph = one_node_graph(op, inputs);
    EXPECT_FALSE(cpu::backend().supports(graph, graph.nodes()[0]));
    op.input_layout = ops::InputLayout::Nhwc;
    graph = one_node_graph(op, inputs);
    EXPECT_TRUE(cpu::backend().supports(graph, graph.nodes()[0]));
    inputs[1].constant = false;
    graph = one_node_graph(op, inputs);
    EXPECT_FALSE(cpu::backend().supports(graph, graph.nodes()[0]));
}

} // namespace
} // namespace sluice::test
