// SPDX-License-Identifier: Apache-2.0
// Convolutions, pooling and matrix products of TFLite, against loops written from its definitions.
#include <cmath>
#include <random>

#include "tests/models/run_graph.h"
#include "tests/models/tflite_writer.h"

namespace sluice::models::test {
namespace {

using schema::Padding;
using FusedFunction = schema::ActivationFunctionType;

std::vector<float> random_values(std::size_t count, unsigned seed) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<float> range(-1, 1);
    std::vector<float> values(count);
    for (float& value : values) {
        value = range(engine);
    }
    return values;
}

// A sliding window over one axis, as TensorFlow documents SAME and VALID.
struct Slide {
    int input;
    int kernel;
    int stride;
    int dilation;
    bool same;

    [[nodiscard]] int extent() const { return (kernel - 1) * dilation + 1; }
    [[nodiscard]] int output() const {
        return same ? (input + stride - 1) / stride : (input - extent()) / stride + 1;
    }
    [[nodiscard]] int before() const {
        return same ? std::max((output() - 1) * stride + extent() - input, 0) / 2 : 0;
    }
    // The input position under tap k of step o; may lie outside.
    [[nodiscard]] int at(int o, int k) const { return o * stride + k * dilation - before(); }
};

struct ConvCase {
    int height, width, channels, filters, kernel_h, kernel_w, stride_h, stride_w, dilation_h,
        dilation_w;
    bool same;
    int groups = 1;
};

const ConvCase kConvCases[] = {
    {5, 6, 3, 4, 3, 3, 1, 1, 1, 1, true},   {5, 6, 3, 4, 3, 3, 2, 2, 1, 1, true},
    {8, 8, 2, 3, 3, 3, 2, 2, 1, 1, true},   {7, 5, 2, 3, 3, 2, 1, 2, 1, 1, false},
    {9, 9, 1, 2, 3, 3, 1, 1, 2, 3, true},   {9, 9, 1, 2, 3, 3, 1, 1, 3, 2, false},
    {4, 4, 5, 7, 1, 1, 1, 1, 1, 1, false},  {6, 6, 4, 6, 3, 3, 1, 1, 1, 1, true, 2},
    {11, 13, 2, 2, 5, 4, 3, 2, 1, 1, true},
};

TEST(TfliteConvolution, conv_2d_matches_its_definition) {
    for (const ConvCase& c : kConvCases) {
        SCOPED_TRACE(testing::Message() << c.height << "x" << c.width << " kernel " << c.kernel_h
                                        << "x" << c.kernel_w << " stride " << c.stride_h);
        const Slide rows{c.height, c.kernel_h, c.stride_h, c.dilation_h, c.same};
        const Slide columns{c.width, c.kernel_w, c.stride_w, c.dilation_w, c.same};
        const int depth = c.channels / c.groups;
        const auto x = random_values(static_cast<std::size_t>(c.height * c.width * c.channels), 1);
        const auto w =
            random_values(static_cast<std::size_t>(c.filters * c.kernel_h * c.kernel_w * depth), 2);
        const auto bias = random_values(static_cast<std::size_t>(c.filters), 3);
        std::vector<float> expected;
        for (int oy = 0; oy < rows.output(); ++oy) {
            for (int ox = 0; ox < columns.output(); ++ox) {
                for (int f = 0; f < c.filters; ++f) {
                    const int group = f / (c.filters / c.groups);
                    double sum = static_cast<double>(bias[static_cast<std::size_t>(f)]);
                    for (int ky = 0; ky < c.kernel_h; ++ky) {
                        for (int kx = 0; kx < c.kernel_w; ++kx) {
                            const int y = rows.at(oy, ky);
                            const int xx = columns.at(ox, kx);
                            if (y < 0 || y >= c.height || xx < 0 || xx >= c.width) {
                                continue;
                            }
                            for (int d = 0; d < depth; ++d) {
                                const int in = (y * c.width + xx) * c.channels + group * depth + d;
                                const int tap =
                                    ((f * c.kernel_h + ky) * c.kernel_w + kx) * depth + d;
                                sum += static_cast<double>(x[static_cast<std::size_t>(in)]) *
                                       static_cast<double>(w[static_cast<std::size_t>(tap)]);
                            }
                        }
                    }
                    expected.push_back(static_cast<float>(std::fmax(sum, 0.0)));
                }
            }
        }
        TfliteWriter writer;
        const auto input = writer.tensor({1, c.height, c.width, c.channels});
        const auto filter = writer.floats({c.filters, c.kernel_h, c.kernel_w, depth}, w);
        const auto offset = writer.floats({c.filters}, bias);
        const auto output = writer.tensor({1, rows.output(), columns.output(), c.filters});
        writer.op(BuiltinOperator::CONV_2D, {input, filter, offset}, {output},
                  schema::CreateConv2DOptions(writer.fbb(), c.same ? Padding::SAME : Padding::VALID,
                                              c.stride_w, c.stride_h, FusedFunction::RELU,
                                              c.dilation_w, c.dilation_h));
        const auto outputs = run_graph(file_of(writer.finish({input}, {output})), {x});
        ASSERT_EQ(outputs.size(), 1);
        expect_near(outputs[0].floats(), expected);
    }
}

TEST(TfliteConvolution, depthwise_conv_2d_has_a_multiplier) {
    for (const int multiplier : {1, 3}) {
        const int channels = 2;
        const int filters = channels * multiplier;
        const Slide rows{5, 3, 2, 1, true};
        const Slide columns{6, 3, 2, 1, true};
        const auto x = random_values(5 * 6 * 2, 4);
        const auto w = random_values(static_cast<std::size_t>(9 * filters), 5);
        std::vector<float> expected;
        for (int oy = 0; oy < rows.output(); ++oy) {
            for (int ox = 0; ox < columns.output(); ++ox) {
                for (int f = 0; f < filters; ++f) {
                    double sum = 0;
                    for (int ky = 0; ky < 3; ++ky) {
                        for (int kx = 0; kx < 3; ++kx) {
                            const int y = rows.at(oy, ky);
                            const int xx = columns.at(ox, kx);
                            if (y >= 0 && y < 5 && xx >= 0 && xx < 6) {
                                const int in = (y * 6 + xx) * channels + f / multiplier;
                                const int tap = (ky * 3 + kx) * filters + f;
                                sum += static_cast<double>(x[static_cast<std::size_t>(in)]) *
                                       static_cast<double>(w[static_cast<std::size_t>(tap)]);
                            }
                        }
                    }
                    expected.push_back(static_cast<float>(sum));
                }
            }
        }
        TfliteWriter writer;
        const auto input = writer.tensor({1, 5, 6, channels});
        const auto filter = writer.floats({1, 3, 3, filters}, w);
        const auto output = writer.tensor({1, rows.output(), columns.output(), filters});
        writer.op(BuiltinOperator::DEPTHWISE_CONV_2D, {input, filter, TfliteWriter::kAbsent},
                  {output},
                  schema::CreateDepthwiseConv2DOptions(writer.fbb(), Padding::SAME, 2, 2));
        const auto outputs = run_graph(file_of(writer.finish({input}, {output})), {x});
        ASSERT_EQ(outputs.size(), 1);
        expect_near(outputs[0].floats(), expected);
    }
}

// Every input pixel adds its filter, scaled, to the output; what lies before the padding is cut.
std::vector<float> scatter(const std::vector<float>& x, int height, int width, int channels,
                           const std::vector<float>& w, int filters, int kernel, int stride,
                           int out_height, int out_width, bool same) {
    const int before_y = Slide{out_height, kernel, stride, 1, same}.before();
    const int before_x = Slide{out_width, kernel, stride, 1, same}.before();
    std::vector<float> out(static_cast<std::size_t>(out_height * out_width * filters));
    for (int iy = 0; iy < height; ++iy) {
        for (int ix = 0; ix < width; ++ix) {
            for (int ky = 0; ky < kernel; ++ky) {
                for (int kx = 0; kx < kernel; ++kx) {
                    const int y = iy * stride + ky - before_y;
                    const int xx = ix * stride + kx - before_x;
                    if (y < 0 || y >= out_height || xx < 0 || xx >= out_width) {
                        continue;
                    }
                    for (int f = 0; f < filters; ++f) {
                        for (int c = 0; c < channels; ++c) {
                            const int in = (iy * width + ix) * channels + c;
                            const int tap = ((f * kernel + ky) * kernel + kx) * channels + c;
                            out[static_cast<std::size_t>((y * out_width + xx) * filters + f)] +=
                                x[static_cast<std::size_t>(in)] * w[static_cast<std::size_t>(tap)];
                        }
                    }
                }
            }
        }
    }
    return out;
}

TEST(TfliteConvolution, transpose_conv_makes_the_stated_size) {
    struct Case {
        int kernel, stride, out_height, out_width;
        bool same;
    };
    for (const Case& c :
         {Case{2, 2, 6, 8, true}, Case{3, 2, 6, 8, true}, Case{3, 2, 5, 7, true},
          Case{3, 2, 7, 9, false}, Case{2, 3, 8, 11, false}, Case{4, 2, 6, 8, true}}) {
        SCOPED_TRACE(testing::Message() << "kernel " << c.kernel << " stride " << c.stride << " to "
                                        << c.out_height << "x" << c.out_width);
        const auto x = random_values(3 * 4 * 2, 6);
        const auto w = random_values(static_cast<std::size_t>(3 * c.kernel * c.kernel * 2), 7);
        TfliteWriter writer;
        const auto size = writer.ints({1, c.out_height, c.out_width, 3});
        const auto filter = writer.floats({3, c.kernel, c.kernel, 2}, w);
        const auto input = writer.tensor({1, 3, 4, 2});
        const auto output = writer.tensor({1, c.out_height, c.out_width, 3});
        writer.op(BuiltinOperator::TRANSPOSE_CONV, {size, filter, input}, {output},
                  schema::CreateTransposeConvOptions(
                      writer.fbb(), c.same ? Padding::SAME : Padding::VALID, c.stride, c.stride));
        const auto outputs = run_graph(file_of(writer.finish({input}, {output})), {x});
        ASSERT_EQ(outputs.size(), 1);
        expect_near(outputs[0].floats(), scatter(x, 3, 4, 2, w, 3, c.kernel, c.stride, c.out_height,
                                                 c.out_width, c.same));
    }
}

TEST(TfliteConvolution, mediapipe_transpose_bias_enlarges_by_its_stride) {
    const auto x = random_values(3 * 4 * 2, 8);
    const auto w = random_values(2 * 2 * 2, 9);
    TfliteWriter writer;
    const auto input = writer.tensor({1, 3, 4, 2});
    const auto filter = writer.floats({1, 2, 2, 2}, w);
    const auto bias = writer.floats({1}, {0.5F});
    const auto output = writer.tensor({1, 6, 8, 1});
    writer.custom("Convolution2DTransposeBias", {input, filter, bias}, {output},
                  {1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0});
    const auto outputs = run_graph(file_of(writer.finish({input}, {output})), {x});
    ASSERT_EQ(outputs.size(), 1);
    auto expected = scatter(x, 3, 4, 2, w, 1, 2, 2, 6, 8, true);
    for (float& value : expected) {
        value += 0.5F;
    }
    expect_near(outputs[0].floats(), expected);
}

TEST(TfliteConvolution, pools_without_averaging_padding) {
    struct Case {
        BuiltinOperator op;
        double (*start)();
        double (*step)(double, double);
        double (*finish)(double, int);
    };
    const Case cases[] = {
        {BuiltinOperator::AVERAGE_POOL_2D, [] { return 0.0; },
         [](double sum, double v) { return sum + v; }, [](double sum, int n) { return sum / n; }},
        {BuiltinOperator::MAX_POOL_2D, [] { return -1e30; },
         [](double top, double v) { return std::fmax(top, v); },
         [](double top, int) { return top; }},
        {BuiltinOperator::L2_POOL_2D, [] { return 0.0; },
         [](double sum, double v) { return sum + v * v; },
         [](double sum, int n) { return std::sqrt(sum / n); }},
    };
    const auto x = random_values(5 * 7 * 2, 10);
    for (const Case& c : cases) {
        for (const bool same : {true, false}) {
            SCOPED_TRACE(schema::EnumNameBuiltinOperator(c.op));
            const Slide rows{5, 3, 2, 1, same};
            const Slide columns{7, 2, 2, 1, same};
            std::vector<float> expected;
            for (int oy = 0; oy < rows.output(); ++oy) {
                for (int ox = 0; ox < columns.output(); ++ox) {
                    for (int channel = 0; channel < 2; ++channel) {
                        double value = c.start();
                        int count = 0;
                        for (int ky = 0; ky < 3; ++ky) {
                            for (int kx = 0; kx < 2; ++kx) {
                                const int y = rows.at(oy, ky);
                                const int xx = columns.at(ox, kx);
                                if (y >= 0 && y < 5 && xx >= 0 && xx < 7) {
                                    value = c.step(value,
                                                   static_cast<double>(x[static_cast<std::size_t>(
                                                       (y * 7 + xx) * 2 + channel)]));
                                    ++count;
                                }
                            }
                        }
                        expected.push_back(static_cast<float>(c.finish(value, count)));
                    }
                }
            }
            TfliteWriter writer;
            const auto input = writer.tensor({1, 5, 7, 2});
            const auto output = writer.tensor({1, rows.output(), columns.output(), 2});
            writer.op(c.op, {input}, {output},
                      schema::CreatePool2DOptions(
                          writer.fbb(), same ? Padding::SAME : Padding::VALID, 2, 2, 2, 3));
            const auto outputs = run_graph(file_of(writer.finish({input}, {output})), {x});
            ASSERT_EQ(outputs.size(), 1);
            expect_near(outputs[0].floats(), expected);
        }
    }
}

TEST(TfliteConvolution, fully_connected_flattens_its_input) {
    // 2 rows of 3, though the input has the shape [2,1,3].
    TfliteWriter writer;
    const auto x = writer.tensor({2, 1, 3});
    const auto weights = writer.floats({2, 3}, {1, 2, 3, -1, 0, 1});
    const auto bias = writer.floats({2}, {10, 20});
    const auto flat = writer.tensor({2, 2});
    const auto kept = writer.tensor({2, 1, 2});
    writer.op(BuiltinOperator::FULLY_CONNECTED, {x, weights, bias}, {flat},
              schema::CreateFullyConnectedOptions(writer.fbb()));
    writer.op(BuiltinOperator::FULLY_CONNECTED, {x, weights, TfliteWriter::kAbsent}, {kept},
              schema::CreateFullyConnectedOptions(writer.fbb(), FusedFunction::RELU,
                                                  schema::WeightsFormat::DEFAULT, true));
    const auto outputs = run_graph(file_of(writer.finish({x}, {flat, kept})), {{1, 2, 3, 4, 5, 1}});
    ASSERT_EQ(outputs.size(), 2);
    expect_near(outputs[0].floats(), {24, 22, 27, 17});
    expect_near(outputs[1].floats(), {14, 2, 17, 0});
    EXPECT_EQ(outputs[1].shape, (std::vector<std::uint32_t>{2, 1, 2}));
}

TEST(TfliteConvolution, batch_matmul_may_take_adjoints) {
    // a is [2,3], or its transpose; b is [3,1], or its transpose.
    const std::vector<float> a{1, 2, 3, 4, 5, 6};
    const std::vector<float> a_transposed{1, 4, 2, 5, 3, 6};
    for (const bool adjoint : {false, true}) {
        TfliteWriter writer;
        const auto left = adjoint ? writer.tensor({1, 3, 2}) : writer.tensor({1, 2, 3});
        const auto right = adjoint ? writer.floats({1, 1, 3}, {1, 10, 100})
                                   : writer.floats({1, 3, 1}, {1, 10, 100});
        const auto y = writer.tensor({1, 2, 1});
        writer.op(BuiltinOperator::BATCH_MATMUL, {left, right}, {y},
                  schema::CreateBatchMatMulOptions(writer.fbb(), adjoint, adjoint));
        const auto outputs =
            run_graph(file_of(writer.finish({left}, {y})), {adjoint ? a_transposed : a});
        ASSERT_EQ(outputs.size(), 1);
        expect_near(outputs[0].floats(), {321, 654});
    }
}

} // namespace
} // namespace sluice::models::test
