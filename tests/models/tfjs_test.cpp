// SPDX-License-Identifier: Apache-2.0
// TensorFlow.js models written by the test: numbers against sums by hand, and what is refused.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/float16.h"
#include "models/loaders/loader.h"
#include "tests/models/run_graph.h"

namespace sluice::models::test {
namespace {

// A folder for one test's weights.
class Tfjs : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "sluice-tfjs-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& name, std::span<const std::byte> bytes) const {
        std::ofstream file(folder_ / name, std::ios::binary);
        file.write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    }
    void write_floats(const std::string& name, const std::vector<float>& values) const {
        write(name, std::as_bytes(std::span(values)));
    }
    static FileBytes bytes_of(const std::string& text) {
        auto owner = std::make_shared<std::string>(text);
        const auto bytes = std::as_bytes(std::span(owner->data(), owner->size()));
        return {.owner = std::move(owner), .bytes = bytes};
    }
    [[nodiscard]] LoadOptions beside() const { return {.folder = folder_}; }
    [[nodiscard]] Result<LoadedModel> load(const std::string& text) const {
        return load_model(bytes_of(text), "model.json", beside());
    }
    [[nodiscard]] std::string refusal(const std::string& text) const {
        const auto model = load(text);
        return model ? "loaded" : model.error().message;
    }
    [[nodiscard]] std::vector<RunOutput> run(const std::string& text,
                                             const std::vector<std::vector<float>>& inputs) const {
        return run_graph(bytes_of(text), inputs, beside());
    }

    std::filesystem::path folder_;
};

std::string graph_model(std::string_view nodes, std::string_view weights,
                        std::string_view paths = R"("w.bin")") {
    return std::format(
        R"({{"format": "graph-model", "modelTopology": {{"node": [{}]}},
            "weightsManifest": [{{"paths": [{}], "weights": [{}]}}]}})",
        nodes, paths, weights);
}

std::string layers_model(std::string_view config, std::string_view class_name,
                         std::string_view weights) {
    return std::format(
        R"({{"format": "layers-model",
            "modelTopology": {{"model_config": {{"class_name": "{}", "config": {}}}}},
            "weightsManifest": [{{"paths": ["w.bin"], "weights": [{}]}}]}})",
        class_name, config, weights);
}

// A picture of 2x2 pixels with one channel.
constexpr std::string_view kPicture =
    R"({"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"},
        "shape": {"shape": {"dim": [{"size": "-1"}, {"size": "2"}, {"size": "2"}, {"size": "1"}]}}}})";
// "NHWC", "SAME", "VALID", "BiasAdd" and "Relu" as the format has texts: base64.
constexpr std::string_view kConvolution =
    R"({"name": "y", "op": "_FusedConv2D", "input": ["x", "k", "b"], "attr": {
        "data_format": {"s": "TkhXQw=="}, "padding": {"s": "U0FNRQ=="},
        "strides": {"list": {"i": ["1", "1", "1", "1"]}},
        "fused_ops": {"list": {"s": ["Qmlhc0FkZA==", "UmVsdQ=="]}}}})";
constexpr std::string_view kFilterNodes =
    R"({"name": "k", "op": "Const"}, {"name": "b", "op": "Const"})";

TEST_F(Tfjs, fused_convolution_computes_bias_and_relu) {
    // 1x1 with two outputs: x * 2 - 3 and x * -1 + 1, negative ones cut.
    write_floats("w.bin", {2.0F, -1.0F, -3.0F, 1.0F});
    const auto outputs =
        run(graph_model(std::format("{}, {}, {}", kPicture, kFilterNodes, kConvolution),
                        R"({"name": "k", "shape": [1, 1, 1, 2], "dtype": "float32"},
                       {"name": "b", "shape": [2], "dtype": "float32"})"),
            {{0.0F, 1.0F, 2.0F, 3.0F}});
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(outputs[0].shape, (std::vector<std::uint32_t>{1, 2, 2, 2}));
    expect_near(outputs[0].floats(), {0, 1, 0, 0, 1, 0, 3, 0});
}

TEST_F(Tfjs, the_largest_come_in_order_and_the_first_of_equals_first) {
    const std::array<std::int32_t, 2> integers{2, 1}; // how many, and the axis to join them along
    write("w.bin", std::as_bytes(std::span(integers)));
    const auto outputs = run(graph_model(std::format(R"({}, {{"name": "k", "op": "Const"}},
                    {{"name": "axis", "op": "Const"}},
                    {{"name": "rows", "op": "Squeeze", "input": ["x"],
                      "attr": {{"squeeze_dims": {{"list": {{"i": ["0", "3"]}}}}}}}},
                    {{"name": "t", "op": "TopKV2", "input": ["rows", "k"],
                      "attr": {{"sorted": {{"b": true}}}}}},
                    {{"name": "places", "op": "Cast", "input": ["t:1"],
                      "attr": {{"DstT": {{"type": "DT_FLOAT"}}}}}},
                    {{"name": "y", "op": "ConcatV2", "input": ["t", "places", "axis"]}})",
                                                     kPicture),
                                         R"({"name": "k", "shape": [], "dtype": "int32"},
               {"name": "axis", "shape": [], "dtype": "int32"})"),
                             {{5.0F, 7.0F, 3.0F, 3.0F}});
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(outputs[0].shape, (std::vector<std::uint32_t>{2, 4}));
    // Of each row: values, then places.
    expect_near(outputs[0].floats(), {7, 5, 1, 0, 3, 3, 0, 1});
}

TEST_F(Tfjs, sparse_tables_become_dense) {
    // 2 at 1 and 8 at 3, otherwise 0.5, of four; added to a picture of one row.
    const std::array<std::int32_t, 3> places{1, 3, 4};
    std::vector<std::byte> bytes;
    std::ranges::copy(std::as_bytes(std::span(places)), std::back_inserter(bytes));
    const std::array<float, 3> floats{2.0F, 8.0F, 0.5F};
    std::ranges::copy(std::as_bytes(std::span(floats)), std::back_inserter(bytes));
    const std::array<std::int32_t, 2> flat{1, 4};
    std::ranges::copy(std::as_bytes(std::span(flat)), std::back_inserter(bytes));
    write("w.bin", bytes);
    const auto outputs = run(graph_model(std::format(R"({}, {{"name": "i", "op": "Const"}},
                    {{"name": "n", "op": "Const"}}, {{"name": "v", "op": "Const"}},
                    {{"name": "d", "op": "Const"}}, {{"name": "f", "op": "Const"}},
                    {{"name": "row", "op": "Reshape", "input": ["x", "f"]}},
                    {{"name": "s", "op": "SparseToDense", "input": ["i", "n", "v", "d"]}},
                    {{"name": "y", "op": "AddV2", "input": ["row", "s"]}})",
                                                     kPicture),
                                         R"({"name": "i", "shape": [2, 1], "dtype": "int32"},
               {"name": "n", "shape": [1], "dtype": "int32"},
               {"name": "v", "shape": [2], "dtype": "float32"},
               {"name": "d", "shape": [], "dtype": "float32"},
               {"name": "f", "shape": [2], "dtype": "int32"})"),
                             {{10.0F, 20.0F, 30.0F, 40.0F}});
    ASSERT_EQ(outputs.size(), 1U);
    expect_near(outputs[0].floats(), {10.5F, 22.0F, 30.5F, 48.0F});
}

TEST_F(Tfjs, shapes_that_are_computed_are_known_at_load) {
    // reshape(x, pack(shape(x)[0], 4)): TensorFlow's way to flatten a batch of any size.
    const std::array<std::int32_t, 5> integers{0, 1, 1, 4, 0};
    write("w.bin", std::as_bytes(std::span(integers).first(4)));
    const auto outputs = run(graph_model(std::format(
                                             R"({}, {{"name": "s", "op": "Shape", "input": ["x"]}},
                    {{"name": "from", "op": "Const"}}, {{"name": "to", "op": "Const"}},
                    {{"name": "step", "op": "Const"}}, {{"name": "four", "op": "Const"}},
                    {{"name": "n", "op": "StridedSlice", "input": ["s", "from", "to", "step"],
                      "attr": {{"shrink_axis_mask": {{"i": "1"}}}}}},
                    {{"name": "p", "op": "Pack", "input": ["n", "four"],
                      "attr": {{"axis": {{"i": "0"}}}}}},
                    {{"name": "r", "op": "Reshape", "input": ["x", "p"]}},
                    {{"name": "y", "op": "Neg", "input": ["r"]}})",
                                             kPicture),
                                         R"({"name": "from", "shape": [1], "dtype": "int32"},
               {"name": "to", "shape": [1], "dtype": "int32"},
               {"name": "step", "shape": [1], "dtype": "int32"},
               {"name": "four", "shape": [], "dtype": "int32"})"),
                             {{1.0F, 2.0F, 3.0F, 4.0F}});
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(outputs[0].shape, (std::vector<std::uint32_t>{1, 4}));
    expect_near(outputs[0].floats(), {-1, -2, -3, -4});
}

TEST_F(Tfjs, quantised_weights_come_as_floats) {
    const std::uint16_t half = float_to_float16(0.5F);
    const std::array<std::uint8_t, 3> bytes{static_cast<std::uint8_t>(half & 0xFFU),
                                            static_cast<std::uint8_t>(half >> 8U), 20};
    write("w.bin", std::as_bytes(std::span(bytes)));
    const auto outputs =
        run(graph_model(std::format(
                            R"({}, {{"name": "h", "op": "Const"}}, {{"name": "q", "op": "Const"}},
                            {{"name": "m", "op": "Mul", "input": ["x", "h"]}},
                            {{"name": "y", "op": "AddV2", "input": ["m", "q"]}})",
                            kPicture),
                        R"({"name": "h", "shape": [], "dtype": "float32",
                        "quantization": {"dtype": "float16", "original_dtype": "float32"}},
                       {"name": "q", "shape": [1], "dtype": "float32",
                        "quantization": {"dtype": "uint8", "scale": 0.25, "min": -1.0,
                                         "original_dtype": "float32"}})"),
            {{0.0F, 1.0F, 2.0F, 3.0F}});
    ASSERT_EQ(outputs.size(), 1U);
    expect_near(outputs[0].floats(), {4.0F, 4.5F, 5.0F, 5.5F}); // x / 2 + (20 / 4 - 1)
}

TEST_F(Tfjs, weights_may_straddle_shards) {
    const std::array<float, 4> values{2.0F, -1.0F, -3.0F, 1.0F};
    const auto bytes = std::as_bytes(std::span(values));
    write("one.bin", bytes.first(6));
    write("two.bin", bytes.subspan(6));
    const auto outputs =
        run(graph_model(std::format("{}, {}, {}", kPicture, kFilterNodes, kConvolution),
                        R"({"name": "k", "shape": [1, 1, 1, 2], "dtype": "float32"},
                       {"name": "b", "shape": [2], "dtype": "float32"})",
                        R"("one.bin", "two.bin")"),
            {{0.0F, 1.0F, 2.0F, 3.0F}});
    ASSERT_EQ(outputs.size(), 1U);
    expect_near(outputs[0].floats(), {0, 1, 0, 0, 1, 0, 3, 0});
}

TEST_F(Tfjs, integers_are_divided_downwards) {
    const std::array<std::int32_t, 1> divisor{-3};
    write("w.bin", std::as_bytes(std::span(divisor)));
    const auto outputs = run(graph_model(std::format(
                                             R"({}, {{"name": "d", "op": "Const"}},
                            {{"name": "i", "op": "Cast", "input": ["x"],
                              "attr": {{"DstT": {{"type": "DT_INT32"}}}}}},
                            {{"name": "q", "op": "FloorDiv", "input": ["i", "d"]}},
                            {{"name": "m", "op": "FloorMod", "input": ["i", "d"]}})",
                                             kPicture),
                                         R"({"name": "d", "shape": [], "dtype": "int32"})"),
                             {{7.0F, -7.0F, 6.0F, -1.0F}});
    ASSERT_EQ(outputs.size(), 2U);
    EXPECT_EQ(outputs[0].as<std::int32_t>(), (std::vector<std::int32_t>{-3, 2, -2, 0}));
    EXPECT_EQ(outputs[1].as<std::int32_t>(), (std::vector<std::int32_t>{-2, -1, 0, -1}));
}

TEST_F(Tfjs, all_that_is_missing_is_told_at_once) {
    const std::string told =
        refusal(graph_model(std::format(R"({}, {{"name": "a", "op": "Acosh", "input": ["x"]}},
                        {{"name": "b", "op": "Relu", "input": ["a"]}},
                        {{"name": "c", "op": "NonMaxSuppressionV5", "input": ["b"]}})",
                                        kPicture),
                            ""));
    EXPECT_NE(told.find("2 operators are not supported"), std::string::npos) << told;
    EXPECT_NE(told.find("Acosh ('a')"), std::string::npos) << told;
    EXPECT_NE(told.find("NonMaxSuppressionV5 ('c')"), std::string::npos) << told;
}

TEST_F(Tfjs, files_of_weights_are_checked) {
    const std::string nodes = std::format("{}, {}, {}", kPicture, kFilterNodes, kConvolution);
    constexpr std::string_view kWeights =
        R"({"name": "k", "shape": [1, 1, 1, 2], "dtype": "float32"},
           {"name": "b", "shape": [2], "dtype": "float32"})";
    EXPECT_NE(refusal(graph_model(nodes, kWeights)).find("w.bin"), std::string::npos);
    write_floats("w.bin", {1.0F, 2.0F, 3.0F});
    const std::string short_told = refusal(graph_model(nodes, kWeights));
    EXPECT_NE(short_told.find("weight 'b' has 8 bytes, its shards have 4 left"), std::string::npos)
        << short_told;
    // A model in a folder of its own does not see the file above it.
    std::filesystem::create_directory(folder_ / "model");
    const auto above = load_model(bytes_of(graph_model(nodes, kWeights, R"("../w.bin")")),
                                  "model.json", {.folder = folder_ / "model"});
    ASSERT_FALSE(above);
    EXPECT_NE(above.error().message.find("is outside the model's folder"), std::string::npos)
        << above.error().message;
    const auto in_memory = load_model(bytes_of(graph_model(nodes, kWeights)), "model.json");
    ASSERT_FALSE(in_memory);
    EXPECT_NE(in_memory.error().message.find("load the model from a path"), std::string::npos);
}

TEST_F(Tfjs, loops_are_refused) {
    const std::string told = refusal(graph_model(R"({"name": "a", "op": "Relu", "input": ["b"]},
                       {"name": "b", "op": "Relu", "input": ["a"]},
                       {"name": "y", "op": "Relu", "input": ["b"]})",
                                                 ""));
    EXPECT_NE(told.find("a loop through"), std::string::npos) << told;
}

TEST_F(Tfjs, every_truncation_is_an_error) {
    write_floats("w.bin", {2.0F, -1.0F, -3.0F, 1.0F});
    const std::string whole =
        graph_model(std::format("{}, {}, {}", kPicture, kFilterNodes, kConvolution),
                    R"({"name": "k", "shape": [1, 1, 1, 2], "dtype": "float32"},
                       {"name": "b", "shape": [2], "dtype": "float32"})");
    ASSERT_TRUE(load(whole));
    for (std::size_t length = 1; length < whole.size(); ++length) {
        EXPECT_FALSE(load(whole.substr(0, length))) << length;
    }
}

TEST_F(Tfjs, sizes_left_open_are_asked_for) {
    constexpr std::string_view kAnySize =
        R"({"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"},
            "shape": {"shape": {"dim": [{"size": "-1"}, {"size": "-1"}, {"size": "-1"},
                                        {"size": "1"}]}}}},
           {"name": "y", "op": "Relu", "input": ["x"]})";
    const std::string text = graph_model(kAnySize, "");
    const std::string told = refusal(text);
    EXPECT_NE(told.find("input 'x' takes any size along dimension 1"), std::string::npos) << told;
    const auto sized = load_model(bytes_of(text), "model.json", {.width = 5, .height = 3});
    ASSERT_TRUE(sized) << sized.error().message;
    const auto& input = sized->graph.inputs()[0];
    EXPECT_EQ(sized->graph.desc(input.id).shape(), (graph::Shape{1, 3, 5, 1}));
}

TEST_F(Tfjs, sequential_layers_follow_each_other) {
    // dense: (x0 + 2 x1 + 0.5), then a leaky slope of 0.3 below zero.
    write_floats("w.bin", {1.0F, 2.0F, 0.5F});
    const std::string text = layers_model(
        R"({"name": "s", "layers": [
            {"class_name": "Flatten", "config": {"name": "f", "batch_input_shape": [null, 1, 2]}},
            {"class_name": "Dense", "config": {"name": "d", "units": 1, "activation": "linear",
                                               "use_bias": true}},
            {"class_name": "LeakyReLU", "config": {"name": "l", "alpha": 0.3}}]})",
        "Sequential",
        R"({"name": "d/kernel", "shape": [2, 1], "dtype": "float32"},
           {"name": "d/bias", "shape": [1], "dtype": "float32"})");
    const auto positive = run(text, {{1.0F, 2.0F}});
    ASSERT_EQ(positive.size(), 1U);
    expect_near(positive[0].floats(), {5.5F});
    expect_near(run(text, {{-1.0F, -2.0F}})[0].floats(), {-1.35F});
}

TEST_F(Tfjs, functional_layers_know_pixel_shuffle_and_beta) {
    // A 1x1 convolution to four channels, shuffled to 2x2 pixels, times 0.2, plus the same again.
    write_floats("w.bin", {1.0F, 10.0F, 100.0F, 1000.0F});
    const auto outputs =
        run(layers_model(
                R"({"name": "m", "layers": [
                {"class_name": "InputLayer", "config": {"name": "in",
                    "batch_input_shape": [null, 1, 1, 1], "dtype": "float32"}},
                {"class_name": "Conv2D", "name": "c", "config": {"name": "c", "filters": 4,
                    "kernel_size": [1, 1], "strides": [1, 1], "padding": "same",
                    "use_bias": false, "activation": "linear"},
                    "inbound_nodes": [[["in", 0, 0, {}]]]},
                {"class_name": "PixelShuffle2x", "name": "p", "config": {"name": "p"},
                    "inbound_nodes": [[["c", 0, 0, {}]]]},
                {"class_name": "MultiplyBeta", "name": "b", "config": {"name": "b"},
                    "inbound_nodes": [[["p", 0, 0, {}]]]},
                {"class_name": "Add", "name": "a", "config": {"name": "a"},
                    "inbound_nodes": [[["b", 0, 0, {}], ["p", 0, 0, {}]]]}],
                "input_layers": [["in", 0, 0]], "output_layers": [["a", 0, 0]]})",
                "Functional", R"({"name": "c/kernel", "shape": [1, 1, 1, 4], "dtype": "float32"})"),
            {{1.0F}});
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(outputs[0].shape, (std::vector<std::uint32_t>{1, 2, 2, 1}));
    expect_near(outputs[0].floats(), {1.2F, 12.0F, 120.0F, 1200.0F}, 1e-3F);
}

TEST_F(Tfjs, unknown_layers_are_told_with_their_names) {
    const std::string told = refusal(layers_model(
        R"({"layers": [
            {"class_name": "InputLayer", "config": {"name": "in", "batch_input_shape": [1, 2]}},
            {"class_name": "Bidirectional", "config": {"name": "rnn"}}]})",
        "Sequential", ""));
    EXPECT_NE(told.find("Bidirectional (layer 'rnn')"), std::string::npos) << told;
}

} // namespace
} // namespace sluice::models::test
