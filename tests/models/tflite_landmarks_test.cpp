// SPDX-License-Identifier: Apache-2.0
// MediaPipe's operators on landmarks, against their definitions in double precision.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numbers>
#include <string_view>
#include <vector>

#include <flatbuffers/flexbuffers.h>

#include "tests/models/run_graph.h"
#include "tests/models/tflite_writer.h"

namespace sluice::models::test {
namespace {

using Options = std::vector<std::uint8_t>;
using Point = std::array<double, 2>;

Options options_of(const std::function<void(flexbuffers::Builder&)>& fill) {
    flexbuffers::Builder builder;
    builder.Map([&] { fill(builder); });
    builder.Finish();
    return builder.GetBuffer();
}

// A rectangle that holds the points `subset`, turned so that the way from `left` to `right` has the
// angle `target`.
struct Crop {
    std::int32_t left = 0;
    std::int32_t right = 1;
    double target = 0.0;
    std::vector<std::int32_t> subset{0, 1, 2, 3};
    std::int32_t width = 16;
    std::int32_t height = 8;
    double scale_x = 1.5;
    double scale_y = 2.0;

    [[nodiscard]] Options options() const {
        return options_of([this](flexbuffers::Builder& map) {
            map.Int("left_rotation_idx", left);
            map.Int("right_rotation_idx", right);
            map.Float("target_rotation_radians", static_cast<float>(target));
            map.TypedVector("subset_idxs", [&] {
                for (const std::int32_t index : subset) {
                    map.Int(index);
                }
            });
            map.Int("output_width", width);
            map.Int("output_height", height);
            map.Float("scale_x", static_cast<float>(scale_x));
            map.Float("scale_y", static_cast<float>(scale_y));
        });
    }

    // Where a pixel of the output lies among the landmarks, step by step: from the output's middle,
    // in units of the rectangle, turned back, about the rectangle's middle.
    [[nodiscard]] Point place(const std::vector<float>& landmarks, Point pixel) const {
        const auto at = [&](std::int32_t i, std::size_t axis) {
            return static_cast<double>(landmarks[static_cast<std::size_t>(i) * 3 + axis]);
        };
        const double angle =
            target - std::atan2(at(right, 1) - at(left, 1), at(right, 0) - at(left, 0));
        const auto turned = [](Point p, double by) {
            return Point{p[0] * std::cos(by) - p[1] * std::sin(by),
                         p[0] * std::sin(by) + p[1] * std::cos(by)};
        };
        Point low{1e9, 1e9};
        Point high{-1e9, -1e9};
        for (const std::int32_t i : subset) {
            const Point p = turned({at(i, 0), at(i, 1)}, angle);
            for (std::size_t axis = 0; axis < 2; ++axis) {
                low[axis] = std::fmin(low[axis], p[axis]);
                high[axis] = std::fmax(high[axis], p[axis]);
            }
        }
        const Point middle = turned({(low[0] + high[0]) / 2, (low[1] + high[1]) / 2}, -angle);
        const Point way =
            turned({(pixel[0] - width / 2.0) * scale_x * (high[0] - low[0]) / width,
                    (pixel[1] - height / 2.0) * scale_y * (high[1] - low[1]) / height},
                   -angle);
        return {middle[0] + way[0], middle[1] + way[1]};
    }
};

const std::vector<float> kLandmarks{10, 20, 1, 40, 35, 2, 25, 5, 3, 30, 50, 4, -8, 12, 5};

TEST(TfliteLandmarks, a_matrix_leads_to_the_turned_rectangle) {
    const Crop crops[] = {
        {},
        {.left = 1, .right = 0, .target = 0.7, .subset = {2, 4, 4}},
        {.left = 2, .right = 3, .target = -std::numbers::pi, .width = 5, .height = 9},
        {.left = 2, .right = 2, .target = 0.3}, // no way: the angle 0
    };
    for (const Crop& crop : crops) {
        TfliteWriter w;
        const auto landmarks = w.tensor({1, 5, 3});
        const auto matrix = w.tensor({1, 4, 4});
        w.custom("Landmarks2TransformMatrix", {landmarks}, {matrix}, crop.options());
        const auto m = run_graph(file_of(w.finish({landmarks}, {matrix})), {kLandmarks}).at(0);
        ASSERT_EQ(m.shape, (std::vector<std::uint32_t>{1, 4, 4}));
        const auto v = m.floats();
        for (const Point pixel : {Point{0, 0}, Point{1, 0}, Point{0, 1}, Point{7, 3}}) {
            const Point expected = crop.place(kLandmarks, pixel);
            for (std::size_t row = 0; row < 2; ++row) {
                EXPECT_NEAR(v[row * 4] * pixel[0] + v[row * 4 + 1] * pixel[1] + v[row * 4 + 3],
                            expected[row], 2e-5)
                    << "row " << row << " at " << pixel[0] << ", " << pixel[1];
                EXPECT_EQ(v[row * 4 + 2], 0.0F);
            }
        }
        expect_near({v.begin() + 8, v.end()}, {0, 0, 1, 0, 0, 0, 0, 1});
    }
}

// A matrix that shears, so that rows and columns cannot be taken for each other; its third column
// and rows mean nothing.
const std::vector<float> kMatrix{0.5F, 0.25F, 9, -3, 0.125F, 0.75F, 9, 2, 9, 9, 9, 9, 9, 9, 9, 9};

TEST(TfliteLandmarks, landmarks_move_and_keep_their_depth) {
    for (const std::size_t size : {std::size_t{2}, std::size_t{3}}) {
        TfliteWriter w;
        const auto points = w.tensor({1, 3, static_cast<std::int32_t>(size)});
        const auto matrix = w.tensor({1, 4, 4});
        const auto moved = w.tensor({1, 3, static_cast<std::int32_t>(size)});
        w.custom("TransformLandmarks", {points, matrix}, {moved}, {});
        std::vector<float> values;
        std::vector<float> expected;
        for (std::size_t i = 0; i < 3; ++i) {
            const std::array<float, 3> p{kLandmarks[i * 3], kLandmarks[i * 3 + 1],
                                         kLandmarks[i * 3 + 2]};
            const std::array<float, 3> q{0.5F * p[0] + 0.25F * p[1] - 3,
                                         0.125F * p[0] + 0.75F * p[1] + 2, p[2]};
            values.insert(values.end(), p.begin(), p.begin() + static_cast<std::ptrdiff_t>(size));
            expected.insert(expected.end(), q.begin(),
                            q.begin() + static_cast<std::ptrdiff_t>(size));
        }
        expect_near(run_graph(file_of(w.finish({points, matrix}, {moved})), {values, kMatrix})
                        .at(0)
                        .floats(),
                    expected);
    }
}

TEST(TfliteLandmarks, pixels_come_from_where_the_matrix_leads) {
    constexpr std::size_t kHeight = 4;
    constexpr std::size_t kWidth = 5;
    constexpr std::size_t kChannels = 2;
    std::vector<float> picture(kHeight * kWidth * kChannels);
    for (std::size_t i = 0; i < picture.size(); ++i) {
        picture[i] = static_cast<float>((i * 37) % 23) - 8.0F;
    }
    const std::vector<std::vector<float>> matrices{
        {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, // the picture itself
        {0.5F, 0.25F, 0, 0.3F, -0.125F, 0.5F, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1},
        {2, 0, 0, -3, 0, 2, 0, -2, 0, 0, 1, 0, 0, 0, 0, 1},   // mostly outside
        {0, 1, 0, 0, 1, 0, 0, 0.25F, 0, 0, 1, 0, 0, 0, 0, 1}, // x and y swapped
    };
    for (const auto& m : matrices) {
        TfliteWriter w;
        const auto from = w.tensor({1, kHeight, kWidth, kChannels});
        const auto matrix = w.tensor({1, 4, 4});
        const auto to = w.tensor({1, 3, 6, kChannels});
        w.custom("TransformTensorBilinear", {from, matrix}, {to},
                 options_of([](flexbuffers::Builder& map) {
                     map.Int("output_height", 3);
                     map.Int("output_width", 6);
                 }));
        const auto actual =
            run_graph(file_of(w.finish({from, matrix}, {to})), {picture, m}).at(0).floats();
        std::vector<float> expected;
        for (std::size_t i = 0; i < std::size_t{3} * 6; ++i) {
            // Centres of pixels lead to centres of pixels.
            const double x = static_cast<double>(i % 6) + 0.5;
            const double y = static_cast<double>(i / 6) + 0.5;
            const double at_x = m[0] * x + m[1] * y + m[3] - 0.5;
            const double at_y = m[4] * x + m[5] * y + m[7] - 0.5;
            const bool is_inside =
                at_x >= 0 && at_x <= kWidth - 1.0 && at_y >= 0 && at_y <= kHeight - 1.0;
            for (std::size_t channel = 0; channel < kChannels; ++channel) {
                double sum = 0.0; // of all pixels, by their overlap
                for (std::size_t row = 0; row < kHeight; ++row) {
                    for (std::size_t column = 0; column < kWidth; ++column) {
                        const double share =
                            std::fmax(0.0, 1 - std::fabs(at_x - static_cast<double>(column))) *
                            std::fmax(0.0, 1 - std::fabs(at_y - static_cast<double>(row)));
                        sum += share * picture[(row * kWidth + column) * kChannels + channel];
                    }
                }
                expected.push_back(is_inside ? static_cast<float>(sum) : 0.0F);
            }
        }
        expect_near(actual, expected);
    }
}

TEST(TfliteLandmarks, wrong_options_are_sentences) {
    const auto refused = [](const Options& options, std::string_view words) {
        TfliteWriter w;
        const auto landmarks = w.tensor({1, 5, 3});
        const auto matrix = w.tensor({1, 4, 4});
        w.custom("Landmarks2TransformMatrix", {landmarks}, {matrix}, options);
        const auto model = load_model(file_of(w.finish({landmarks}, {matrix})), "test");
        ASSERT_FALSE(model);
        EXPECT_NE(model.error().message.find(words), std::string::npos) << model.error().message;
    };
    refused({}, "its 0 bytes of options are malformed");
    refused({1, 2, 3}, "options");
    refused(Crop{.left = 5}.options(), "landmark 5 of 5");
    refused(Crop{.right = -1}.options(), "landmark -1 of 5");
    refused(Crop{.subset = {}}.options(), "subset_idxs is empty");
    refused(Crop{.width = 0}.options(), "output_width is 0");
    refused(Crop{.scale_y = -1}.options(), "scale_y is -1");
}

} // namespace
} // namespace sluice::models::test
