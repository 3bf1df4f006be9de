// SPDX-License-Identifier: Apache-2.0
// The ONNX loader and whole files: storage forms, sizes bound at load, metadata, what is refused,
// and hostile bytes.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include <unistd.h>

#include <gtest/gtest.h>

#include "core/base/float16.h"
#include "models/loaders/onnx/onnx_loader.h"
#include "tests/models/onnx_writer.h"
#include "tests/models/run_graph.h"

namespace sluice::models::test {
namespace {

namespace fs = std::filesystem;
using onnx_schema::Tensor;

// Conv, Relu and a shape computed from what they give.
std::vector<std::byte> small_network() {
    OnnxWriter w;
    w.input("x", {1, 1, 4, 4}).floats("filter", {2, 1, 3, 3}, std::vector<float>(18, 0.5F));
    w.floats("bias", {2}, {1, -20}).ints("start", {0}).ints("end", {1}).ints("rest", {-1});
    set_ints(w.node("Conv", {"x", "filter", "bias"}, {"c"}), "pads", {1, 1, 1, 1});
    w.node("Relu", {"c"}, {"r"});
    w.node("Shape", {"r"}, {"shape"});
    w.node("Slice", {"shape", "start", "end"}, {"batch"});
    set_int(w.node("Concat", {"batch", "rest"}, {"flat"}), "axis", 0);
    w.node("Reshape", {"r", "flat"}, {"y"});
    w.output("y");
    return w.finish();
}

Error error_of(const FileBytes& file, const LoadOptions& options = {}) {
    const auto model = load_model(file, "test", options);
    if (model) {
        ADD_FAILURE() << "it loads";
        return {};
    }
    return model.error();
}

TEST(OnnxFile, computes_a_network_without_its_shape_arithmetic) {
    const FileBytes file = bytes_as_file(small_network());
    const auto model = load_model(file, "test");
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->info.format, "onnx");
    EXPECT_EQ(model->graph.nodes().size(), 3); // conv2d, relu, reshape
    const auto outputs = run_graph(file, {std::vector<float>(16, 1.0F)});
    ASSERT_EQ(outputs.size(), 1);
    EXPECT_EQ(outputs[0].shape, (std::vector<std::uint32_t>{1, 32}));
    const auto values = outputs[0].floats();
    EXPECT_EQ(values[0], 3.0F);  // a corner: 4 * 0.5 + 1
    EXPECT_EQ(values[5], 5.5F);  // the middle: 9 * 0.5 + 1
    EXPECT_EQ(values[16], 0.0F); // the second filter: below zero everywhere
}

TEST(OnnxFile, refuses_every_truncation) {
    const std::vector<std::byte> whole = small_network();
    ASSERT_LT(whole.size(), 64U << 10U);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        // A copy of exactly this size, so that the sanitizers see reads past the end.
        const auto file =
            bytes_as_file({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
        const auto model = onnx::load(file, {});
        ASSERT_FALSE(model) << size;
        // Where only the last field, the operator set, is cut off as a whole, a valid file without
        // it is left.
        EXPECT_EQ(model.error().code, ErrorCode::Parse) << size << ": " << model.error().message;
    }
}

TEST(OnnxFile, survives_flipped_bytes) {
    const std::vector<std::byte> whole = small_network();
    std::mt19937 engine(1);
    for (int round = 0; round < 4000; ++round) {
        std::vector<std::byte> bytes = whole;
        for (int flips = 0; flips < 3; ++flips) {
            bytes[engine() % bytes.size()] = static_cast<std::byte>(engine());
        }
        const auto model = onnx::load(bytes_as_file(std::move(bytes)), {});
        if (!model) {
            EXPECT_FALSE(model.error().message.empty());
            EXPECT_NE(model.error().code, ErrorCode::Internal) << model.error().message;
        }
    }
}

TEST(OnnxFile, is_told_by_its_content) {
    const auto format = [](const FileBytes& file) -> std::string_view {
        for (const LoaderEntry& entry : loaders()) {
            if (entry.sniff(file.bytes)) {
                return entry.format;
            }
        }
        return "";
    };
    EXPECT_EQ(format(bytes_as_file(small_network())), "onnx");
    for (const std::string_view other : {"{\"layers\": {}}", "\x08\x00\x00\x00TFL2aaaaaaaa",
                                         "hello", "\x89PNG\r\n\x1a\n", "PK\x03\x04", "    ", ""}) {
        const auto bytes = std::as_bytes(std::span(other));
        EXPECT_EQ(format(bytes_as_file({bytes.begin(), bytes.end()})), "") << other;
    }
}

TEST(OnnxFile, lists_all_missing_operators_at_once) {
    OnnxWriter w;
    w.input("x", {2, 3});
    w.node("Frobnicate", {"x"}, {"a"}).set_name("first");
    w.node("Unique", {"x"}, {"b"});
    auto& custom = w.node("Foo", {"x"}, {"c"});
    custom.set_domain("com.example");
    w.node("Relu", {"a"}, {"d"}); // follows what is missing, and is none of its own
    auto& pool = w.node("BitShift", {"x", "x"}, {"e"});
    set_text(pool, "direction", "LEFT");
    w.output("d");
    const Error error = error_of(bytes_as_file(w.finish()));
    EXPECT_EQ(error.code, ErrorCode::Unsupported);
    EXPECT_EQ(
        error.message,
        "loading test: 4 operators are not supported: Frobnicate (node 0 'first'), Unique (node "
        "1 'b': the size of its result depends on values), com.example.Foo (node 2 'c'), BitShift "
        "(node 4 'e': WebNN "
        "has no operators on bits)");
}

TEST(OnnxFile, tells_the_shapes_of_what_it_cannot_map) {
    OnnxWriter w;
    w.input("x", {1, 2, 3, 4, 5}).floats("f", {1, 2, 1, 1, 1}, {1, 1});
    w.node("Conv", {"x", "f"}, {"y"});
    w.output("y");
    const Error error = error_of(bytes_as_file(w.finish()));
    EXPECT_EQ(error.code, ErrorCode::Unsupported);
    EXPECT_EQ(error.message,
              "loading test: 1 operator is not supported: Conv (node 0 'y' of float32[1,2,3,4,5], "
              "float32[1,2,1,1,1]: a window of 3 dimensions, WebNN's have 2)");
}

// --- Sizes and values bound at load time

std::vector<std::byte> named_sizes() {
    OnnxWriter w;
    w.named_input("x", {"batch", "length"}).named_input("z", {"batch", ""});
    w.node("Relu", {"x"}, {"y"});
    w.output("y");
    return w.finish();
}

TEST(OnnxFile, names_all_sizes_that_are_missing) {
    const Error error = error_of(bytes_as_file(named_sizes()), {.dimensions = {{"batch", 2}}});
    EXPECT_EQ(error.code, ErrorCode::InvalidArgument);
    EXPECT_EQ(error.message, "loading test: sizes are missing: dimension 1 'length' of input 'x', "
                             "dimension 1 '' of input 'z'; bind the names (--dim NAME=SIZE), or "
                             "give the inputs shapes");
}

TEST(OnnxFile, binds_names_to_sizes) {
    const auto model =
        load_model(bytes_as_file(named_sizes()), "test",
                   {.dimensions = {{"batch", 2}, {"length", 5}}, .shapes = {{"z", {2, 7}}}});
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(graph::to_string(model->graph.desc(model->graph.inputs()[0].id)), "float32[2,5]");
    EXPECT_EQ(graph::to_string(model->graph.desc(model->graph.inputs()[1].id)), "float32[2,7]");
}

TEST(OnnxFile, refuses_shapes_that_contradict_the_file) {
    OnnxWriter w;
    w.input("x", {1, 3});
    w.node("Relu", {"x"}, {"y"});
    w.output("y");
    const FileBytes file = bytes_as_file(w.finish());
    EXPECT_NE(error_of(file, {.shapes = {{"x", {1, 4}}}})
                  .message.find("input 'x': dimension 1 is given as 4, the file says 3"),
              std::string::npos);
    EXPECT_NE(error_of(file, {.shapes = {{"x", {3}}}}).message.find("1 dimensions for one of 2"),
              std::string::npos);
}

TEST(OnnxFile, takes_values_of_inputs_that_shapes_depend_on) {
    OnnxWriter w;
    w.input("x", {2, 3}).input("shape", {1}, Tensor::INT64);
    w.node("Reshape", {"x", "shape"}, {"y"});
    w.output("y");
    const FileBytes file = bytes_as_file(w.finish());
    EXPECT_NE(error_of(file).message.find("'shape' must be known at load time; give its value"),
              std::string::npos);
    const std::int64_t six = 6;
    const auto model = load_model(
        file, "test",
        {.values = {{"shape", graph::ConstantData::copy(std::span<const std::int64_t>(&six, 1))}}});
    ASSERT_TRUE(model) << model.error().message;
    ASSERT_EQ(model->graph.inputs().size(), 1);
    EXPECT_EQ(graph::to_string(model->graph.desc(model->graph.outputs()[0].id)), "float32[6]");
}

TEST(OnnxFile, takes_numbers_as_the_type_of_their_input) {
    OnnxWriter w;
    w.input("x", {2, 3}).input("shape", {2}, Tensor::INT64).input("add", {}, Tensor::FLOAT);
    w.node("Reshape", {"x", "shape"}, {"r"});
    w.node("Add", {"r", "add"}, {"y"});
    w.output("y");
    const FileBytes file = bytes_as_file(w.finish());
    const auto model = load_model(file, "test", {.numbers = {{"shape", {3, 2}}}});
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->bound, std::vector<std::string>{"shape"});
    EXPECT_EQ(model->graph.inputs().size(), 2);
    EXPECT_EQ(graph::to_string(model->graph.desc(model->graph.outputs()[0].id)), "float32[3,2]");
    const auto both =
        run_graph(file, {{0, 1, 2, 3, 4, 5}}, {.numbers = {{"shape", {3, 2}}, {"add", {0.5}}}});
    ASSERT_EQ(both.size(), 1);
    expect_near(both[0].floats(), {0.5, 1.5, 2.5, 3.5, 4.5, 5.5});
    const auto says = [&](const std::string& name, const std::vector<double>& numbers,
                          std::string_view words) {
        const std::string message = error_of(file, {.numbers = {{name, numbers}}}).message;
        EXPECT_NE(message.find(words), std::string::npos) << message;
    };
    says("shape", {1, 2, 3}, "input 'shape': 3 numbers for int64[2]; give one for all or 2");
    says("shape", {2.5}, "input 'shape': 2.5 is no int64");
    says("shape", {9223372036854775808.0}, "is no int64");
    says("shap", {6}, "the model has no input 'shap' (it has: add, shape, x)");
}

// --- Storage forms

TEST(OnnxFile, reads_every_form_of_constants) {
    OnnxWriter w;
    w.input("x", {2});
    const auto add = [&](const std::string& name, Tensor& tensor) {
        static_cast<void>(tensor);
        w.node("Cast", {name}, {name + "_f"});
        auto& cast = *w.graph().mutable_node(w.graph().node_size() - 1);
        set_int(cast, "to", Tensor::FLOAT);
        w.node("Add", {"x", name + "_f"}, {name + "_y"});
        w.output(name + "_y");
    };
    const auto raw = [](Tensor& tensor, const auto& values) {
        tensor.set_raw_data(values.data(), values.size() * sizeof(values[0]));
    };
    auto& raw_floats = w.constant("raw", {2}, Tensor::FLOAT);
    raw(raw_floats, std::vector<float>{0.5F, -2.0F});
    add("raw", raw_floats);
    auto& halves = w.constant("half", {2}, Tensor::FLOAT16);
    halves.add_int32_data(float_to_float16(0.1F));
    halves.add_int32_data(float_to_float16(-60000.0F));
    add("half", halves);
    auto& brain = w.constant("brain", {2}, Tensor::BFLOAT16);
    raw(brain, std::vector<std::uint16_t>{0x3FC0, 0xC000}); // 1.5, -2
    add("brain", brain);
    auto& doubles = w.constant("double", {2}, Tensor::DOUBLE);
    doubles.add_double_data(0.25);
    doubles.add_double_data(1e300);
    add("double", doubles);
    auto& bytes = w.constant("byte", {2}, Tensor::INT8);
    bytes.add_int32_data(-128);
    bytes.add_int32_data(127);
    add("byte", bytes);
    auto& words = w.constant("word", {2}, Tensor::UINT16);
    raw(words, std::vector<std::uint16_t>{65535, 1});
    add("word", words);
    auto& truth = w.constant("truth", {2}, Tensor::BOOL);
    truth.add_int32_data(1);
    truth.add_int32_data(0);
    add("truth", truth);
    auto& wide = w.constant("wide", {2}, Tensor::UINT64);
    wide.add_uint64_data(1ULL << 63U);
    wide.add_uint64_data(3);
    add("wide", wide);
    const auto outputs = run_graph(bytes_as_file(w.finish()), {{0, 0}});
    ASSERT_EQ(outputs.size(), 8);
    const std::vector<std::vector<float>> expected{{0.5F, -2},  {0.0999755859375F, -60000},
                                                   {1.5F, -2},  {0.25F, INFINITY},
                                                   {-128, 127}, {65535, 1},
                                                   {1, 0},      {9223372036854775808.0F, 3}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(outputs[i].floats(), expected[i]) << i;
    }
}

class OnnxExternal : public testing::Test {
protected:
    OnnxExternal() {
        std::string name = (fs::temp_directory_path() / "sluice-onnx-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        fs::create_directories(folder_ / "model/weights");
        const std::vector<float> values{9, 1, 2, 9};
        for (const std::string place : {"secret.bin", "model/weights/w.bin"}) {
            std::ofstream(folder_ / place, std::ios::binary)
                .write(reinterpret_cast<const char*>(values.data()), 16);
        }
    }
    ~OnnxExternal() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    // A model that adds two floats of an external file.
    fs::path write(const std::map<std::string, std::string>& entries) {
        OnnxWriter w;
        w.input("x", {2});
        auto& tensor = w.constant("w", {2}, Tensor::FLOAT);
        tensor.set_data_location(1);
        for (const auto& [key, value] : entries) {
            auto& entry = *tensor.add_external_data();
            entry.set_key(key);
            entry.set_value(value);
        }
        w.node("Add", {"x", "w"}, {"y"});
        w.output("y");
        const auto bytes = w.finish();
        const fs::path path = folder_ / "model/model.onnx";
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        return path;
    }
    Error refusal(const std::map<std::string, std::string>& entries) {
        const auto model = load_model(write(entries));
        EXPECT_FALSE(model);
        return model ? Error{} : model.error();
    }

    fs::path folder_;
};

TEST_F(OnnxExternal, reads_files_beside_the_model) {
    const auto model =
        load_model(write({{"location", "weights/w.bin"}, {"offset", "4"}, {"length", "8"}}));
    ASSERT_TRUE(model) << model.error().message;
    const auto executable = compile(model->graph, {.device = DeviceKind::Reference});
    ASSERT_TRUE(executable);
    (*executable)->input_floats(0)[0] = 10;
    (*executable)->input_floats(0)[1] = 20;
    ASSERT_TRUE((*executable)->run());
    EXPECT_EQ((*executable)->output_floats(0)[0], 11);
    EXPECT_EQ((*executable)->output_floats(0)[1], 22);
}

TEST_F(OnnxExternal, stays_within_the_folder_of_the_model) {
    EXPECT_NE(refusal({{"location", "../secret.bin"}, {"length", "8"}})
                  .message.find("'../secret.bin', which is outside the model's folder"),
              std::string::npos);
    EXPECT_NE(refusal({{"location", (folder_ / "secret.bin").string()}, {"length", "8"}})
                  .message.find("which is no relative path"),
              std::string::npos);
    fs::create_symlink("../secret.bin", folder_ / "model/link.bin");
    EXPECT_NE(refusal({{"location", "link.bin"}, {"length", "8"}}).message.find("outside"),
              std::string::npos);
    fs::create_symlink("..", folder_ / "model/up");
    EXPECT_NE(refusal({{"location", "up/secret.bin"}, {"length", "8"}}).message.find("outside"),
              std::string::npos);
}

TEST_F(OnnxExternal, says_what_is_wrong_with_a_place) {
    EXPECT_EQ(refusal({{"location", "none.bin"}}).code, ErrorCode::NotFound);
    EXPECT_NE(refusal({{"location", "weights/w.bin"}, {"offset", "12"}, {"length", "8"}})
                  .message.find("external data at 12 of 'weights/w.bin', which has 16 bytes"),
              std::string::npos);
    EXPECT_NE(refusal({{"location", "weights/w.bin"}, {"offset", "x"}})
                  .message.find("the offset 'x' of external data is no number"),
              std::string::npos);
    EXPECT_NE(
        refusal({{"location", "weights/w.bin"}}).message.find("16 bytes for 2 elements of float32"),
        std::string::npos);
    const auto mapped = map_file(write({{"location", "weights/w.bin"}, {"length", "8"}}));
    ASSERT_TRUE(mapped);
    EXPECT_NE(error_of(*mapped).message.find("load the model from a path"), std::string::npos);
}

TEST(OnnxFile, tells_what_its_metadata_says) {
    OnnxWriter w;
    w.input("x", {1});
    w.node("Relu", {"x"}, {"y"});
    w.output("y");
    w.model().set_doc_string("A network for tests.");
    const auto add = [&](const std::string& key, const std::string& value) {
        auto& entry = *w.model().add_metadata_props();
        entry.set_key(key);
        entry.set_value(value);
    };
    add("license", "Apache-2.0");
    add("names", "{0: 'one', 1: \"two\"}");
    add("mean", "127.5");
    add("std", "64");
    const auto model = load_model(bytes_as_file(w.finish()), "test");
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->info.name, "test");
    EXPECT_EQ(model->info.description, "A network for tests.");
    EXPECT_EQ(model->info.license, "Apache-2.0");
    EXPECT_EQ(model->info.labels, (std::vector<std::string>{"one", "two"}));
    ASSERT_TRUE(model->info.normalization);
    EXPECT_EQ(model->info.normalization->mean, 127.5F);
    EXPECT_EQ(model->info.normalization->std, 64.0F);
}

// --- Control flow

onnx_schema::Graph& add_branch(onnx_schema::Node& node, const std::string& name) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx_schema::Attribute::GRAPH);
    attribute.mutable_g()->add_output()->set_name("inner");
    return *attribute.mutable_g();
}

void add_branches(OnnxWriter& w) {
    auto& node = w.node("If", {"c"}, {"y"});
    OnnxWriter::node_in(add_branch(node, "then_branch"), "Neg", {"x"}, {"inner"});
    OnnxWriter::node_in(add_branch(node, "else_branch"), "Abs", {"x"}, {"inner"});
    w.output("y");
}

TEST(OnnxFile, takes_the_branch_of_a_known_condition) {
    for (const bool condition : {true, false}) {
        OnnxWriter w;
        w.input("x", {2}).constant("c", {}, Tensor::BOOL).add_int32_data(condition ? 1 : 0);
        add_branches(w);
        const auto outputs = run_graph(bytes_as_file(w.finish()), {{1, -2}});
        ASSERT_EQ(outputs.size(), 1U);
        EXPECT_EQ(outputs[0].floats(),
                  condition ? (std::vector<float>{-1, 2}) : (std::vector<float>{1, 2}));
    }
}

TEST(OnnxFile, chooses_between_the_results_of_branches_whose_condition_is_computed) {
    OnnxWriter w;
    w.input("x", {2}).input("t", {1, 1}).floats("zero", {1, 1}, {0});
    w.node("Greater", {"t", "zero"}, {"c"});
    add_branches(w);
    const FileBytes file = bytes_as_file(w.finish());
    EXPECT_EQ(run_graph(file, {{1, -2}, {1}})[0].floats(), (std::vector<float>{-1, 2}));
    EXPECT_EQ(run_graph(file, {{1, -2}, {-1}})[0].floats(), (std::vector<float>{1, 2}));
}

TEST(OnnxFile, says_what_keeps_it_from_choosing_between_branches) {
    OnnxWriter w;
    w.input("x", {2}).input("c", {}, Tensor::BOOL);
    auto& node = w.node("If", {"c"}, {"y"});
    OnnxWriter::node_in(add_branch(node, "then_branch"), "Neg", {"x"}, {"inner"});
    auto& other = add_branch(node, "else_branch");
    set_int(OnnxWriter::node_in(other, "Concat", {"x", "x"}, {"inner"}), "axis", 0);
    w.output("y");
    const Error error = error_of(bytes_as_file(w.finish()));
    EXPECT_EQ(error.code, ErrorCode::Unsupported);
    EXPECT_TRUE(error.message.contains(
        "its condition is not known at load time, and its branches give float32[2] and float32[4]"))
        << error.message;
}

// --- What is refused, with what sentence

struct Refusal {
    std::string_view what;
    std::function<void(OnnxWriter&)> write;
    ErrorCode code;
    std::string_view message;
};

const Refusal kRefusals[] = {
    {"an operator set before 7",
     [](OnnxWriter& w) { w.model().mutable_opset_import(0)->set_version(6); },
     ErrorCode::Unsupported, "operator set 6, those from 7 to 24 are supported"},
    {"functions", [](OnnxWriter& w) { w.model().add_functions()->set_name("f"); },
     ErrorCode::Unsupported, "it defines 1 operators of its own ('f')"},
    {"a value that nothing computes", [](OnnxWriter& w) { w.node("Add", {"x", "ghost"}, {"b"}); },
     ErrorCode::Parse, "'ghost' is read before anything computes it"},
    {"a value computed twice", [](OnnxWriter& w) { w.node("Relu", {"x"}, {"y"}); },
     ErrorCode::Parse, "it computes 'y', which exists already"},
    {"shapes that do not broadcast",
     [](OnnxWriter& w) {
         w.floats("c", {3}, {1, 2, 3});
         w.node("Add", {"x", "c"}, {"b"});
     },
     ErrorCode::Parse, "Add node 1 'b' of float32[2,2], float32[3]"},
    {"an attribute of the wrong kind",
     [](OnnxWriter& w) { set_text(w.node("Softmax", {"x"}, {"b"}), "axis", "1"); },
     ErrorCode::Parse, "attribute axis has the kind 3, 2 is needed"},
    {"an axis outside", [](OnnxWriter& w) { set_int(w.node("Softmax", {"x"}, {"b"}), "axis", 2); },
     ErrorCode::Parse, "axis 2 of a tensor of 2 dimensions"},
    {"too many outputs", [](OnnxWriter& w) { w.node("Relu", {"x"}, {"b", "c"}); }, ErrorCode::Parse,
     "it has 2 outputs, 1 are expected"},
    {"a constant of the wrong size",
     [](OnnxWriter& w) {
         w.floats("c", {2}, {1, 2, 3});
         w.node("Add", {"x", "c"}, {"b"});
     },
     ErrorCode::Parse, "constant 'c': 12 bytes for 2 elements of float32"},
    {"a constant of a negative size",
     [](OnnxWriter& w) {
         w.floats("c", {-1}, {1});
         w.node("Add", {"x", "c"}, {"b"});
     },
     ErrorCode::Parse, "the dimension -1 is no size"},
    {"a constant of texts",
     [](OnnxWriter& w) {
         w.constant("c", {1}, Tensor::STRING).add_string_data("a");
         w.node("Add", {"x", "c"}, {"b"});
     },
     ErrorCode::Unsupported, "constants of the type string"},
    {"an input of doubles", [](OnnxWriter& w) { w.input("d", {1}, Tensor::DOUBLE); },
     ErrorCode::Unsupported, "input 'd': the type float64, which WebNN lacks"},
    {"an output that nothing computes", [](OnnxWriter& w) { w.output("ghost"); }, ErrorCode::Parse,
     "'ghost' is an output that nothing computes"},
    {"a loop", [](OnnxWriter& w) { w.node("Loop", {"", "", "x"}, {"b"}); }, ErrorCode::Unsupported,
     "Loop (node 1 'b': graphs have no branches or loops; unroll it in the exporter)"},
    {"a result without elements",
     [](OnnxWriter& w) {
         w.ints("s", {1}).ints("e", {1}).ints("a", {0});
         w.node("Slice", {"x", "s", "e", "a"}, {"b"});
     },
     ErrorCode::Unsupported, "a result without elements"},
    {"indices of maxima",
     [](OnnxWriter& w) {
         w.input("p", {1, 1, 4, 4});
         set_ints(w.node("MaxPool", {"p"}, {"b", "i"}), "kernel_shape", {2, 2});
     },
     ErrorCode::Unsupported, "the indices of the maxima"},
    {"a mode of resizing that has no equivalent",
     [](OnnxWriter& w) {
         w.floats("scales", {2}, {2, 2});
         set_text(w.node("Resize", {"x", "", "scales"}, {"b"}), "coordinate_transformation_mode",
                  "tf_crop_and_resize");
     },
     ErrorCode::Unsupported,
     "the coordinate transformation 'tf_crop_and_resize' has no equivalent in WebNN"},
    {"a constant that expands to gigabytes",
     [](OnnxWriter& w) {
         w.ints("n", {1 << 16});
         for (int i = 0; i < 200; ++i) {
             w.node("ConstantOfShape", {"n"}, {"c" + std::to_string(i)});
         }
     },
     ErrorCode::Unsupported, "more than a file of this size may"},
};

TEST(OnnxFile, says_why_it_refuses) {
    for (const Refusal& refusal : kRefusals) {
        SCOPED_TRACE(refusal.what);
        OnnxWriter w;
        w.input("x", {2, 2});
        w.node("Abs", {"x"}, {"y"});
        w.output("y");
        refusal.write(w);
        const Error error = error_of(bytes_as_file(w.finish()));
        EXPECT_EQ(error.code, refusal.code) << error.message;
        EXPECT_NE(error.message.find(refusal.message), std::string::npos) << error.message;
    }
}

} // namespace
} // namespace sluice::models::test
