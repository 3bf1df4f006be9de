// SPDX-License-Identifier: Apache-2.0
// Mappings of ONNX operators that ONNX's own tests reach badly: older versions, computed shapes,
// quantised weights. Expected values are worked out here.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include "core/specializations.h"
#include "tests/models/onnx_writer.h"
#include "tests/models/run_graph.h"

namespace sluice::models::test {
namespace {

namespace fs = std::filesystem;
using onnx_schema::Tensor;

std::vector<RunOutput> run(const OnnxWriter& writer,
                           const std::vector<std::vector<float>>& inputs) {
    return run_graph(bytes_as_file(writer.finish()), inputs);
}

// Before version 13 everything behind the axis is one row.
TEST(OnnxOperators, softmax_flattens_before_version_13) {
    for (const std::int64_t opset : {11, 13}) {
        OnnxWriter w(opset);
        w.input("x", {1, 2, 2});
        set_int(w.node("Softmax", {"x"}, {"y"}), "axis", 1);
        w.output("y");
        const auto outputs = run(w, {{0, 1, 2, 3}});
        ASSERT_EQ(outputs.size(), 1);
        std::vector<float> expected;
        for (const double x : {0.0, 1.0, 2.0, 3.0}) {
            const double row = std::exp(0.0) + std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
            const double column = std::fmod(x, 2.0) == 0.0 ? std::exp(0.0) + std::exp(2.0)
                                                           : std::exp(1.0) + std::exp(3.0);
            expected.push_back(static_cast<float>(std::exp(x) / (opset < 13 ? row : column)));
        }
        expect_near(outputs[0].floats(), expected, 1e-6F);
    }
}

TEST(OnnxOperators, clip_takes_bounds_as_attributes_constants_and_tensors) {
    OnnxWriter old(10);
    old.input("x", {3});
    auto& node = old.node("Clip", {"x"}, {"y"});
    auto& attribute = *node.add_attribute();
    attribute.set_name("max");
    attribute.set_type(onnx_schema::Attribute::FLOAT);
    attribute.set_f(0.5F);
    old.output("y");
    EXPECT_EQ(run(old, {{-3, 0, 3}})[0].floats(), (std::vector<float>{-3, 0, 0.5F}));

    OnnxWriter w;
    w.input("x", {3}).input("high", {}).floats("low", {}, {-1});
    w.node("Clip", {"x", "low"}, {"y"});
    w.node("Clip", {"x", "low", "high"}, {"z"});
    w.output("y").output("z");
    const auto outputs = run(w, {{-3, 0, 3}, {2}});
    ASSERT_EQ(outputs.size(), 2);
    EXPECT_EQ(outputs[0].floats(), (std::vector<float>{-1, 0, 3}));
    EXPECT_EQ(outputs[1].floats(), (std::vector<float>{-1, 0, 2}));
}

// The export of a view: Shape, Gather, arithmetic, Concat, Reshape.
TEST(OnnxOperators, shapes_are_computed_through_long_chains) {
    OnnxWriter w(13);
    w.input("x", {2, 6, 4}).ints("one", {1}).ints("two", {2}).ints("zero", {0}).ints("rest", {-1});
    w.node("Shape", {"x"}, {"s"});
    set_int(w.node("Gather", {"s", "one"}, {"d"}), "axis", 0);
    w.node("Div", {"d", "two"}, {"half"});
    w.node("Mul", {"half", "one"}, {"same"});
    w.node("Gather", {"s", "zero"}, {"batch"});
    w.node("Equal", {"same", "rest"}, {"is_rest"});
    w.node("Where", {"is_rest", "one", "same"}, {"chosen"});
    set_int(w.node("Cast", {"chosen"}, {"int"}), "to", Tensor::INT32);
    set_int(w.node("Cast", {"int"}, {"long"}), "to", Tensor::INT64);
    set_int(w.node("Concat", {"batch", "long", "rest"}, {"shape"}), "axis", 0);
    w.node("Reshape", {"x", "shape"}, {"y"});
    w.output("y");
    const auto model = load_model(bytes_as_file(w.finish()), "test");
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->graph.nodes().size(), 1);
    EXPECT_EQ(graph::to_string(model->graph.desc(model->graph.outputs()[0].id)), "float32[2,3,8]");
}

// Dimensions that the file only names are bound when the shapes are known: at the first run.
TEST(OnnxOperators, named_dimensions_are_bound_by_shape) {
    OnnxWriter w;
    w.named_input("x", {"rows", "columns"}).floats("one", {1}, {1});
    w.node("Add", {"x", "one"}, {"y"});
    w.output("y");
    const FileBytes file = bytes_as_file(w.finish());
    int loads = 0;
    Specializations all(
        [&](std::span<const graph::Shape> inputs) -> Result<graph::Graph> {
            ++loads;
            LoadOptions options;
            options.shapes["x"] = {inputs[0].begin(), inputs[0].end()};
            SLUICE_TRY_ASSIGN(LoadedModel model, load_model(file, "test", options));
            return std::move(model.graph);
        },
        {.device = DeviceKind::Reference, .threads = 1});
    for (const graph::Shape& shape : {graph::Shape{2, 3}, graph::Shape{4, 1}, graph::Shape{2, 3}}) {
        const auto executable = all.of(std::array{shape});
        ASSERT_TRUE(executable) << executable.error().message;
        EXPECT_EQ((*executable)->outputs()[0].desc.shape(), shape);
    }
    EXPECT_EQ(loads, 2);
}

TEST(OnnxOperators, weights_are_dequantized_by_channel) {
    OnnxWriter w(13);
    w.input("x", {1, 2});
    auto& weights = w.constant("w", {2, 2}, Tensor::INT8);
    for (const int value : {-128, 1, 2, 127}) {
        weights.add_int32_data(value);
    }
    w.floats("scale", {2}, {1, 0.25F});
    auto& zero = w.constant("zero", {2}, Tensor::INT8);
    zero.add_int32_data(0);
    zero.add_int32_data(1);
    set_int(w.node("DequantizeLinear", {"w", "scale", "zero"}, {"f"}), "axis", 1);
    w.node("MatMul", {"x", "f"}, {"y"});
    w.output("y");
    // [[-128, 0], [2, 31.5]]
    EXPECT_EQ(run(w, {{1, 2}})[0].floats(), (std::vector<float>{-124, 63}));
}

TEST(OnnxOperators, the_largest_and_smallest_come_in_order) {
    OnnxWriter w;
    w.input("x", {3, 2}).ints("k", {2});
    set_int(w.node("TopK", {"x", "k"}, {"values", "places"}), "axis", 0);
    auto& smallest = w.node("TopK", {"x", "k"}, {"low", "at"});
    set_int(smallest, "axis", 0);
    set_int(smallest, "largest", 0);
    w.output("values").output("places").output("low").output("at");
    const auto outputs = run(w, {{5, 1, 7, 1, 6, 3}}); // columns 5 7 6 and 1 1 3
    ASSERT_EQ(outputs.size(), 4);
    EXPECT_EQ(outputs[0].shape, (std::vector<std::uint32_t>{2, 2}));
    EXPECT_EQ(outputs[0].floats(), (std::vector<float>{7, 3, 6, 1}));
    EXPECT_EQ(outputs[1].as<std::int64_t>(), (std::vector<std::int64_t>{1, 2, 2, 0}));
    EXPECT_EQ(outputs[2].floats(), (std::vector<float>{5, 1, 6, 1}));
    EXPECT_EQ(outputs[3].as<std::int64_t>(), (std::vector<std::int64_t>{0, 0, 2, 1}));
}

TEST(OnnxOperators, the_largest_are_found_one_by_one_within_limits) {
    const auto says = [](std::int64_t length, std::int64_t count, std::string_view message) {
        OnnxWriter w;
        w.input("x", {length}).ints("k", {count});
        w.node("TopK", {"x", "k"}, {"values", "places"});
        w.output("values");
        const auto model = load_model(bytes_as_file(w.finish()), "test");
        ASSERT_FALSE(model);
        EXPECT_TRUE(model.error().message.contains(message)) << model.error().message;
    };
    says(3, 4, "the 4 largest of float32[3]");
    says(3, 0, "the 0 largest of float32[3]");
    says(1000, 257, "WebNN does not sort; at most 256");
}

TEST(OnnxOperators, resize_weighs_by_corners) {
    OnnxWriter w;
    w.input("x", {1, 1, 1, 3}).ints("sizes", {1, 1, 1, 5});
    auto& node = w.node("Resize", {"x", "", "", "sizes"}, {"y"});
    set_text(node, "mode", "linear");
    set_text(node, "coordinate_transformation_mode", "align_corners");
    w.output("y");
    EXPECT_EQ(run(w, {{0, 10, 40}})[0].floats(), (std::vector<float>{0, 5, 10, 25, 40}));
}

TEST(OnnxOperators, half_pixel_resizing_is_one_operator) {
    OnnxWriter w;
    w.input("x", {1, 1, 2, 2}).floats("scales", {4}, {1, 1, 2, 2});
    set_text(w.node("Resize", {"x", "", "scales"}, {"y"}), "mode", "linear");
    w.output("y");
    const auto model = load_model(bytes_as_file(w.finish()), "test");
    ASSERT_TRUE(model) << model.error().message;
    ASSERT_EQ(model->graph.nodes().size(), 1);
    EXPECT_EQ(graph::title(model->graph, model->graph.nodes()[0]), "resample2d 'y'");
}

// Zeros beyond the ends, as auto_pad adds them, differ between upper and lower for an even window.
TEST(OnnxOperators, convolution_pads_upper_or_lower) {
    for (const bool upper : {true, false}) {
        OnnxWriter w;
        w.input("x", {1, 1, 3}).floats("f", {1, 1, 2}, {1, 10});
        set_text(w.node("Conv", {"x", "f"}, {"y"}), "auto_pad",
                 upper ? "SAME_UPPER" : "SAME_LOWER");
        w.output("y");
        EXPECT_EQ(run(w, {{1, 2, 3}})[0].floats(),
                  upper ? (std::vector<float>{21, 32, 3}) : (std::vector<float>{10, 21, 32}));
    }
}

// BlazeFace-front as its authors publish it and as another converter wrote it.
TEST(OnnxOperators, blaze_face_agrees_with_its_tflite_twin) {
    const auto find = [](const char* variable, const std::string& folder, const std::string& name) {
        const char* const given = std::getenv(variable);
        const char* const home = std::getenv("HOME");
        const fs::path cache = fs::path(home == nullptr ? "/" : home) / ".cache/sluice" / folder;
        return (given != nullptr ? fs::path(given) : cache) / name;
    };
    const fs::path twin = find("SLUICE_FOOTAGE_PATH", "footage", "blazeface_front_128.onnx");
    const fs::path original =
        find("SLUICE_MODEL_PATH", "models", "face-detection-short-range.tflite");
    if (!fs::exists(twin) || !fs::exists(original)) {
        GTEST_SKIP() << twin << " or " << original << " is not there";
    }
    std::vector<float> picture(128UL * 128 * 3);
    std::mt19937 engine(3);
    for (float& value : picture) {
        value = static_cast<float>(engine() % 2001) / 1000.0F - 1.0F;
    }
    const auto ours = run_graph(*map_file(original), {picture});
    const auto theirs = run_graph(*map_file(twin), {picture});
    ASSERT_EQ(ours.size(), 2);
    ASSERT_EQ(theirs.size(), 4);
    // The twin leaves the two scales apart: 512 anchors and 384.
    const auto joined = [&](std::size_t width) {
        std::vector<float> all;
        for (const std::uint32_t rows : {512U, 384U}) {
            for (const RunOutput& output : theirs) {
                if (output.shape ==
                    std::vector<std::uint32_t>{1, rows, static_cast<std::uint32_t>(width)}) {
                    const auto values = output.floats();
                    all.insert(all.end(), values.begin(), values.end());
                }
            }
        }
        return all;
    };
    for (const RunOutput& output : ours) {
        expect_near(joined(output.shape.back()), output.floats(), 1e-4F);
    }
}

} // namespace
} // namespace sluice::models::test
