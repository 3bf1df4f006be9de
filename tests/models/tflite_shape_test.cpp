// SPDX-License-Identifier: Apache-2.0
// TFLite operators that move, join, cut, pad, resize and reduce, against written-out results.
#include <cmath>
#include <numeric>

#include "tests/models/run_graph.h"
#include "tests/models/tflite_writer.h"

namespace sluice::models::test {
namespace {

using Dims = std::vector<std::uint32_t>;

std::vector<float> counting(std::size_t count) {
    std::vector<float> values(count);
    std::iota(values.begin(), values.end(), 0.0F);
    return values;
}

TEST(TfliteShape, reshape_takes_its_shape_from_input_option_or_output) {
    TfliteWriter writer;
    const auto x = writer.tensor({2, 6});
    const auto shape = writer.ints({3, -1});
    const auto by_input = writer.tensor({3, 4});
    const auto by_option = writer.tensor({4, 3});
    const auto by_output = writer.tensor({12, 1});
    const std::vector<std::int32_t> option{-1, 3};
    writer.op(BuiltinOperator::RESHAPE, {x, shape}, {by_input});
    writer.op(BuiltinOperator::RESHAPE, {x}, {by_option},
              schema::CreateReshapeOptions(writer.fbb(), writer.fbb().CreateVector(option)));
    writer.op(BuiltinOperator::RESHAPE, {x}, {by_output});
    const auto outputs =
        run_graph(file_of(writer.finish({x}, {by_input, by_option, by_output})), {counting(12)});
    ASSERT_EQ(outputs.size(), 3);
    EXPECT_EQ(outputs[0].shape, (Dims{3, 4}));
    EXPECT_EQ(outputs[1].shape, (Dims{4, 3}));
    EXPECT_EQ(outputs[2].shape, (Dims{12, 1}));
    expect_near(outputs[0].floats(), counting(12));
}

TEST(TfliteShape, squeezes_and_expands) {
    TfliteWriter writer;
    const auto x = writer.tensor({1, 2, 1, 3});
    const auto all = writer.tensor({2, 3});
    const auto one = writer.tensor({1, 2, 3});
    const auto axis = writer.ints({-1});
    const auto wider = writer.tensor({2, 3, 1});
    const std::vector<std::int32_t> dims{2};
    writer.op(BuiltinOperator::SQUEEZE, {x}, {all}, schema::CreateSqueezeOptions(writer.fbb()));
    writer.op(BuiltinOperator::SQUEEZE, {x}, {one},
              schema::CreateSqueezeOptions(writer.fbb(), writer.fbb().CreateVector(dims)));
    writer.op(BuiltinOperator::EXPAND_DIMS, {all, axis}, {wider});
    const auto outputs = run_graph(file_of(writer.finish({x}, {all, one, wider})), {counting(6)});
    ASSERT_EQ(outputs.size(), 3);
    EXPECT_EQ(outputs[0].shape, (Dims{2, 3}));
    EXPECT_EQ(outputs[1].shape, (Dims{1, 2, 3}));
    EXPECT_EQ(outputs[2].shape, (Dims{2, 3, 1}));
}

TEST(TfliteShape, transposes_and_tiles_and_broadcasts) {
    TfliteWriter writer;
    const auto x = writer.tensor({2, 3});
    const auto order = writer.ints({1, 0});
    const auto multiples = writer.ints({2, 2});
    const auto target = writer.ints({2, 2, 3});
    const auto turned = writer.tensor({3, 2});
    const auto tiled = writer.tensor({4, 6});
    const auto wide = writer.tensor({2, 2, 3});
    writer.op(BuiltinOperator::TRANSPOSE, {x, order}, {turned});
    writer.op(BuiltinOperator::TILE, {x, multiples}, {tiled});
    writer.op(BuiltinOperator::BROADCAST_TO, {x, target}, {wide});
    const auto outputs =
        run_graph(file_of(writer.finish({x}, {turned, tiled, wide})), {counting(6)});
    ASSERT_EQ(outputs.size(), 3);
    expect_near(outputs[0].floats(), {0, 3, 1, 4, 2, 5});
    expect_near(outputs[1].floats(),
                {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5, 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
    expect_near(outputs[2].floats(), {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5});
}

TEST(TfliteShape, joins_and_packs) {
    TfliteWriter writer;
    const auto a = writer.tensor({1, 2});
    const auto b = writer.floats({1, 2}, {7, 8});
    const auto joined = writer.tensor({1, 4});
    const auto packed = writer.tensor({1, 2, 2});
    writer.op(BuiltinOperator::CONCATENATION, {a, b}, {joined},
              schema::CreateConcatenationOptions(writer.fbb(), -1));
    writer.op(BuiltinOperator::PACK, {a, b}, {packed},
              schema::CreatePackOptions(writer.fbb(), 2, 2));
    const auto outputs = run_graph(file_of(writer.finish({a}, {joined, packed})), {{1, 2}});
    ASSERT_EQ(outputs.size(), 2);
    expect_near(outputs[0].floats(), {1, 2, 7, 8});
    expect_near(outputs[1].floats(), {1, 7, 2, 8});
}

TEST(TfliteShape, splits_and_unpacks) {
    TfliteWriter writer;
    const auto x = writer.tensor({2, 4});
    const auto axis = writer.constant<std::int32_t>({}, TensorType::INT32, {1});
    const auto sizes = writer.ints({1, -1});
    const auto left = writer.tensor({2, 2});
    const auto right = writer.tensor({2, 2});
    const auto narrow = writer.tensor({2, 1});
    const auto rest = writer.tensor({2, 3});
    const auto first = writer.tensor({4});
    const auto second = writer.tensor({4});
    writer.op(BuiltinOperator::SPLIT, {axis, x}, {left, right});
    writer.op(BuiltinOperator::SPLIT_V, {x, sizes, axis}, {narrow, rest});
    writer.op(BuiltinOperator::UNPACK, {x}, {first, second},
              schema::CreateUnpackOptions(writer.fbb(), 2, 0));
    const auto outputs = run_graph(
        file_of(writer.finish({x}, {left, right, narrow, rest, first, second})), {counting(8)});
    ASSERT_EQ(outputs.size(), 6);
    expect_near(outputs[0].floats(), {0, 1, 4, 5});
    expect_near(outputs[1].floats(), {2, 3, 6, 7});
    expect_near(outputs[2].floats(), {0, 4});
    expect_near(outputs[3].floats(), {1, 2, 3, 5, 6, 7});
    expect_near(outputs[4].floats(), {0, 1, 2, 3});
    expect_near(outputs[5].floats(), {4, 5, 6, 7});
    EXPECT_EQ(outputs[5].shape, (Dims{4}));
}

TEST(TfliteShape, slices_from_begin_to_size) {
    TfliteWriter writer;
    const auto x = writer.tensor({3, 4});
    const auto begin = writer.ints({1, 2});
    const auto size = writer.ints({-1, 1});
    const auto y = writer.tensor({2, 1});
    writer.op(BuiltinOperator::SLICE, {x, begin, size}, {y});
    const auto outputs = run_graph(file_of(writer.finish({x}, {y})), {counting(12)});
    ASSERT_EQ(outputs.size(), 1);
    expect_near(outputs[0].floats(), {6, 10});
}

struct StridedCase {
    std::string_view what; // numpy's notation
    std::vector<std::int32_t> begin, end, strides;
    int begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_mask;
    Dims shape;
    std::vector<float> expected;
};

TEST(TfliteShape, strided_slice_knows_all_masks) {
    // x = arange(24).reshape(2, 3, 4)
    const StridedCase cases[] = {
        {"x[0:1, 1:3, 0:4:2]",
         {0, 1, 0},
         {1, 3, 4},
         {1, 1, 2},
         0,
         0,
         0,
         0,
         0,
         {1, 2, 2},
         {4, 6, 8, 10}},
        {"x[:, -1:, :]",
         {9, -1, 9},
         {0, 0, 0},
         {1, 1, 1},
         5,
         7,
         0,
         0,
         0,
         {2, 1, 4},
         {8, 9, 10, 11, 20, 21, 22, 23}},
        {"x[1, :, 2]", {1, 0, 2}, {2, 0, 3}, {1, 1, 1}, 2, 2, 0, 0, 5, {3}, {14, 18, 22}},
        {"x[..., 1]", {0, 1}, {0, 2}, {1, 1}, 0, 0, 1, 0, 2, {2, 3}, {1, 5, 9, 13, 17, 21}},
        {"x[1:, None, 0:2]",
         {1, 0, 0},
         {2, 0, 2},
         {1, 1, 1},
         0,
         0,
         0,
         2,
         0,
         {1, 1, 2, 4},
         {12, 13, 14, 15, 16, 17, 18, 19}},
        {"x[1:9]",
         {1},
         {9},
         {1},
         0,
         0,
         0,
         0,
         0,
         {1, 3, 4},
         {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
    };
    for (const StridedCase& c : cases) {
        SCOPED_TRACE(c.what);
        TfliteWriter writer;
        const auto x = writer.tensor({2, 3, 4});
        const auto begin = writer.ints(c.begin);
        const auto end = writer.ints(c.end);
        const auto strides = writer.ints(c.strides);
        const auto y = writer.tensor({c.shape.begin(), c.shape.end()});
        writer.op(BuiltinOperator::STRIDED_SLICE, {x, begin, end, strides}, {y},
                  schema::CreateStridedSliceOptions(writer.fbb(), c.begin_mask, c.end_mask,
                                                    c.ellipsis_mask, c.new_axis_mask,
                                                    c.shrink_mask));
        const auto outputs = run_graph(file_of(writer.finish({x}, {y})), {counting(24)});
        ASSERT_EQ(outputs.size(), 1);
        EXPECT_EQ(outputs[0].shape, c.shape);
        expect_near(outputs[0].floats(), c.expected);
    }
}

TEST(TfliteShape, moves_depth_to_space_and_back) {
    TfliteWriter writer;
    const auto x = writer.tensor({1, 1, 2, 8});
    const auto large = writer.tensor({1, 2, 4, 2});
    const auto back = writer.tensor({1, 1, 2, 8});
    writer.op(BuiltinOperator::DEPTH_TO_SPACE, {x}, {large},
              schema::CreateDepthToSpaceOptions(writer.fbb(), 2));
    writer.op(BuiltinOperator::SPACE_TO_DEPTH, {large}, {back},
              schema::CreateSpaceToDepthOptions(writer.fbb(), 2));
    const auto outputs = run_graph(file_of(writer.finish({x}, {large, back})), {counting(16)});
    ASSERT_EQ(outputs.size(), 2);
    // Pixel (row, column) of block b takes channels 2 * (2 * row + column) onwards of pixel b.
    expect_near(outputs[0].floats(), {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15});
    expect_near(outputs[1].floats(), counting(16));
}

TEST(TfliteShape, pads_with_zero_value_or_mirror) {
    TfliteWriter writer;
    const auto x = writer.tensor({1, 3});
    const auto amounts = writer.constant<std::int32_t>({2, 2}, TensorType::INT32, {1, 0, 2, 1});
    const auto sides = writer.constant<std::int32_t>({2, 2}, TensorType::INT32, {0, 0, 2, 1});
    const auto border = writer.constant<std::int64_t>({2, 2}, TensorType::INT64, {0, 0, 1, 1});
    const auto value = writer.floats({1}, {9});
    const auto zero = writer.tensor({2, 6});
    const auto nine = writer.tensor({2, 6});
    const auto reflected = writer.tensor({1, 6});
    const auto symmetric = writer.tensor({1, 5});
    writer.op(BuiltinOperator::PAD, {x, amounts}, {zero});
    writer.op(BuiltinOperator::PADV2, {x, amounts, value}, {nine});
    writer.op(BuiltinOperator::MIRROR_PAD, {x, sides}, {reflected},
              schema::CreateMirrorPadOptions(writer.fbb(), schema::MirrorPadMode::REFLECT));
    writer.op(BuiltinOperator::MIRROR_PAD, {x, border}, {symmetric},
              schema::CreateMirrorPadOptions(writer.fbb(), schema::MirrorPadMode::SYMMETRIC));
    const auto outputs =
        run_graph(file_of(writer.finish({x}, {zero, nine, reflected, symmetric})), {{1, 2, 3}});
    ASSERT_EQ(outputs.size(), 4);
    expect_near(outputs[0].floats(), {0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0});
    expect_near(outputs[1].floats(), {9, 9, 9, 9, 9, 9, 9, 9, 1, 2, 3, 9});
    expect_near(outputs[2].floats(), {3, 2, 1, 2, 3, 2});
    expect_near(outputs[3].floats(), {1, 1, 2, 3, 3});
}

// --- Reductions

TEST(TfliteShape, reduces_over_axes) {
    struct Case {
        BuiltinOperator op;
        std::vector<float> rows, all;
    };
    // Over the last axis of [[1, 2, 3], [4, 5, -6]], and over both.
    const Case cases[] = {
        {BuiltinOperator::SUM, {6, 3}, {9}},
        {BuiltinOperator::MEAN, {2, 1}, {1.5F}},
        {BuiltinOperator::REDUCE_MAX, {3, 5}, {5}},
        {BuiltinOperator::REDUCE_MIN, {1, -6}, {-6}},
        {BuiltinOperator::REDUCE_PROD, {6, -120}, {-720}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(schema::EnumNameBuiltinOperator(c.op));
        TfliteWriter writer;
        const auto x = writer.tensor({2, 3});
        const auto last = writer.ints({-1});
        const auto both = writer.ints({0, 1});
        const auto rows = writer.tensor({2, 1});
        const auto all = writer.tensor({});
        writer.op(c.op, {x, last}, {rows}, schema::CreateReducerOptions(writer.fbb(), true));
        writer.op(c.op, {x, both}, {all}, schema::CreateReducerOptions(writer.fbb(), false));
        const auto outputs =
            run_graph(file_of(writer.finish({x}, {rows, all})), {{1, 2, 3, 4, 5, -6}});
        ASSERT_EQ(outputs.size(), 2);
        EXPECT_EQ(outputs[0].shape, (Dims{2, 1}));
        EXPECT_TRUE(outputs[1].shape.empty());
        expect_near(outputs[0].floats(), c.rows);
        expect_near(outputs[1].floats(), c.all);
    }
}

TEST(TfliteShape, softmax_and_its_log_and_the_l2_norm) {
    const std::vector<float> x{1, 2, 4, -100, 0, 100};
    TfliteWriter writer;
    const auto input = writer.tensor({2, 3});
    const auto soft = writer.tensor({2, 3});
    const auto sharp = writer.tensor({2, 3});
    const auto logarithm = writer.tensor({2, 3});
    const auto unit = writer.tensor({2, 3});
    writer.op(BuiltinOperator::SOFTMAX, {input}, {soft},
              schema::CreateSoftmaxOptions(writer.fbb(), 1));
    writer.op(BuiltinOperator::SOFTMAX, {input}, {sharp},
              schema::CreateSoftmaxOptions(writer.fbb(), 0.5F));
    writer.op(BuiltinOperator::LOG_SOFTMAX, {input}, {logarithm});
    writer.op(BuiltinOperator::L2_NORMALIZATION, {input}, {unit});
    const auto outputs =
        run_graph(file_of(writer.finish({input}, {soft, sharp, logarithm, unit})), {x});
    ASSERT_EQ(outputs.size(), 4);
    for (std::size_t row = 0; row < 2; ++row) {
        const auto at = [&](std::size_t i) { return static_cast<double>(x[row * 3 + i]); };
        const double top = std::fmax(at(0), std::fmax(at(1), at(2)));
        double sum = 0;
        double half = 0;
        double square = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            sum += std::exp(at(i) - top);
            half += std::exp((at(i) - top) / 2);
            square += at(i) * at(i);
        }
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_NEAR(outputs[0].floats()[row * 3 + i], std::exp(at(i) - top) / sum, 1e-6);
            EXPECT_NEAR(outputs[1].floats()[row * 3 + i], std::exp((at(i) - top) / 2) / half, 1e-6);
            EXPECT_NEAR(outputs[2].floats()[row * 3 + i], at(i) - top - std::log(sum), 1e-4);
            EXPECT_NEAR(outputs[3].floats()[row * 3 + i], at(i) / std::sqrt(square), 1e-6);
        }
    }
}

TEST(TfliteShape, finds_the_largest_and_smallest) {
    TfliteWriter writer;
    const auto x = writer.tensor({2, 3});
    const auto axis = writer.ints({1});
    const auto largest = writer.tensor({2}, TensorType::INT32);
    const auto smallest = writer.tensor({2}, TensorType::INT64);
    writer.op(BuiltinOperator::ARG_MAX, {x, axis}, {largest});
    writer.op(BuiltinOperator::ARG_MIN, {x, axis}, {smallest});
    const auto outputs =
        run_graph(file_of(writer.finish({x}, {largest, smallest})), {{3, 9, 1, 4, 4, 2}});
    ASSERT_EQ(outputs.size(), 2);
    EXPECT_EQ(outputs[0].as<std::int32_t>(), (std::vector<std::int32_t>{1, 0}));
    EXPECT_EQ(outputs[1].as<std::int64_t>(), (std::vector<std::int64_t>{2, 2}));
}

TEST(TfliteShape, finds_the_largest_in_order) {
    TfliteWriter writer;
    const auto x = writer.tensor({2, 3});
    const auto count = writer.ints({2});
    const auto values = writer.tensor({2, 2});
    const auto places = writer.tensor({2, 2}, TensorType::INT32);
    writer.op(BuiltinOperator::TOPK_V2, {x, count}, {values, places});
    const auto outputs =
        run_graph(file_of(writer.finish({x}, {values, places})), {{3, 9, 1, 4, 4, 2}});
    ASSERT_EQ(outputs.size(), 2);
    EXPECT_EQ(outputs[0].floats(), (std::vector<float>{9, 3, 4, 4}));
    EXPECT_EQ(outputs[1].as<std::int32_t>(), (std::vector<std::int32_t>{1, 0, 0, 1}));
}

// --- Resizing

struct ResizeCase {
    int from, to;
    bool align_corners, half_pixel;
};

constexpr ResizeCase kResizeCases[] = {
    {4, 8, false, true},  {4, 6, false, true},  {6, 4, false, true},  {8, 4, false, true},
    {4, 8, false, false}, {4, 6, false, false}, {6, 4, false, false}, {8, 4, false, false},
    {4, 8, true, false},  {4, 7, true, false},  {7, 3, true, false},  {5, 5, true, false},
    {1, 4, true, false},  {4, 1, false, false},
};

// TensorFlow's mapping of output position i, before rounding or interpolating.
double source(const ResizeCase& c, int i, bool nearest) {
    if (c.align_corners && c.to > 1) {
        return i * (c.from - 1.0) / (c.to - 1.0);
    }
    const double scale = static_cast<double>(c.from) / c.to;
    return c.half_pixel ? (i + 0.5) * scale - (nearest ? 0.0 : 0.5) : i * scale;
}

TEST(TfliteShape, resizes_bilinearly_in_all_conventions) {
    const std::vector<float> line{3, -1, 4, 1, -5, 9, 2, 6};
    for (const ResizeCase& c : kResizeCases) {
        SCOPED_TRACE(::testing::Message() << c.from << " to " << c.to << " align "
                                          << c.align_corners << " half " << c.half_pixel);
        // The same line as a column (resized) with two channels, beside a width of 3.
        std::vector<float> picture;
        for (int y = 0; y < c.from; ++y) {
            for (int i = 0; i < 6; ++i) {
                picture.push_back(line[static_cast<std::size_t>(y)] * static_cast<float>(i + 1));
            }
        }
        std::vector<float> expected;
        for (int y = 0; y < c.to; ++y) {
            const double at = std::clamp(source(c, y, false), 0.0, c.from - 1.0);
            const auto low = static_cast<std::size_t>(at);
            const std::size_t high = std::min(low + 1, static_cast<std::size_t>(c.from - 1));
            const double part = at - static_cast<double>(low);
            for (int i = 0; i < 6; ++i) {
                expected.push_back(static_cast<float>((static_cast<double>(line[low]) * (1 - part) +
                                                       static_cast<double>(line[high]) * part) *
                                                      (i + 1)));
            }
        }
        TfliteWriter writer;
        const auto x = writer.tensor({1, c.from, 3, 2});
        const auto size = writer.ints({c.to, 3});
        const auto y = writer.tensor({1, c.to, 3, 2});
        writer.op(BuiltinOperator::RESIZE_BILINEAR, {x, size}, {y},
                  schema::CreateResizeBilinearOptions(writer.fbb(), c.align_corners, c.half_pixel));
        const auto outputs = run_graph(file_of(writer.finish({x}, {y})), {picture});
        ASSERT_EQ(outputs.size(), 1);
        expect_near(outputs[0].floats(), expected, 1e-4F);
    }
}

TEST(TfliteShape, resizes_to_the_nearest_in_all_conventions) {
    const std::vector<float> line{3, -1, 4, 1, -5, 9, 2, 6};
    for (const ResizeCase& c : kResizeCases) {
        SCOPED_TRACE(::testing::Message() << c.from << " to " << c.to << " align "
                                          << c.align_corners << " half " << c.half_pixel);
        // The line lies along the width here, under a height that doubles.
        std::vector<float> expected;
        for (int repeat = 0; repeat < 2; ++repeat) {
            for (int i = 0; i < c.to; ++i) {
                const double at = source(c, i, true);
                const double index = c.align_corners ? std::round(at) : std::floor(at);
                expected.push_back(
                    line[static_cast<std::size_t>(std::clamp(index, 0.0, c.from - 1.0))]);
            }
        }
        TfliteWriter writer;
        const auto x = writer.tensor({1, 1, c.from, 1});
        const auto size = writer.ints({2, c.to});
        const auto y = writer.tensor({1, 2, c.to, 1});
        writer.op(BuiltinOperator::RESIZE_NEAREST_NEIGHBOR, {x, size}, {y},
                  schema::CreateResizeNearestNeighborOptions(writer.fbb(), c.align_corners,
                                                             c.half_pixel));
        const auto outputs =
            run_graph(file_of(writer.finish({x}, {y})), {{line.begin(), line.begin() + c.from}});
        ASSERT_EQ(outputs.size(), 1);
        expect_near(outputs[0].floats(), expected);
    }
}

} // namespace
} // namespace sluice::models::test
