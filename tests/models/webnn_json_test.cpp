// SPDX-License-Identifier: Apache-2.0
// WebNN JSON: what is saved is loaded as it was, for every operator and every model of the zoo, and
// what is not a pair, or not whole, is refused.
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/graph/builder.h"
#include "core/graph/print.h"
#include "core/reference/backend.h"
#include "core/runtime/executable.h"
#include "models/loaders/loader.h"
#include "models/loaders/webnn/operators.h"
#include "models/loaders/webnn/webnn_loader.h"
#include "models/loaders/webnn/webnn_writer.h"
#include "models/store/store.h"
#include "tests/core/ops_cases/case.h"
#include "tests/support/must.h"

namespace sluice::models::webnn {
namespace {

using nlohmann::json;
using testing::must;

FileBytes file_of(std::span<const std::byte> bytes) {
    const graph::ConstantData owned = graph::ConstantData::own({bytes.begin(), bytes.end()});
    return {.owner = owned.owner, .bytes = owned.bytes};
}
FileBytes file_of(std::string_view text) {
    return file_of(std::as_bytes(std::span(text)));
}

// As a user's files are loaded, by the table of loaders.
Result<LoadedModel> reload(const SavedModel& saved) {
    LoadOptions options;
    options.files["w.bin"] = file_of(saved.weights);
    return load_model(file_of(saved.description), "test", options);
}

// Every constant has the same bytes.
void expect_same_constants(const graph::Graph& a, const graph::Graph& b) {
    ASSERT_EQ(a.operands().size(), b.operands().size());
    for (std::size_t i = 0; i < a.operands().size(); ++i) {
        EXPECT_TRUE(std::ranges::equal(a.operands()[i].data.bytes, b.operands()[i].data.bytes))
            << "operand " << i;
    }
}

using Outputs = std::vector<std::vector<std::byte>>;

// The reference's results for inputs of given bytes, each as long as its input.
Outputs run(graph::Graph graph, const std::vector<std::vector<std::byte>>& inputs) {
    const std::array<const runtime::Backend*, 1> backends{&reference::backend()};
    const auto executable = must(runtime::Executable::compile(
        std::move(graph), {.backends = backends, .threads = 1, .optimize = false}));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        std::ranges::copy(inputs[i], executable->input(i).begin());
    }
    must(executable->run());
    Outputs outputs;
    for (std::size_t i = 0; i < executable->outputs().size(); ++i) {
        const auto bytes = executable->output(i);
        outputs.emplace_back(bytes.begin(), bytes.end());
    }
    return outputs;
}

TEST(WebnnJson, keeps_every_case_of_every_operator) {
    std::set<std::string> used;
    for (const testing::OpCase& test : testing::all_cases()) {
        SCOPED_TRACE(test.name);
        const graph::Graph graph = must(testing::build_case(test));
        const SavedModel saved = must(save(graph, {}, "w.bin"));
        const auto loaded = reload(saved);
        ASSERT_TRUE(loaded) << loaded.error().message << "\n" << saved.description;
        ASSERT_EQ(graph::to_text(loaded->graph), graph::to_text(graph));
        expect_same_constants(loaded->graph, graph);
        // Saved once more: nothing that the text does not show has changed.
        ASSERT_EQ(must(save(loaded->graph, loaded->info, "w.bin")).description, saved.description);
        std::vector<std::vector<std::byte>> inputs;
        for (const testing::CaseOperand& operand : test.operands) {
            if (!operand.is_constant) {
                inputs.push_back(testing::bytes_of(operand));
            }
        }
        ASSERT_EQ(run(loaded->graph, inputs), run(graph, inputs));
        used.insert(method_of(test.attributes));
    }
    // The tables have every operator, and of the families every member.
    for (const std::string& method : methods()) {
        EXPECT_TRUE(used.contains(method)) << method;
    }
}

// A new row of ops.def must be reached by a method of its own.
TEST(WebnnJson, has_a_method_for_every_operator) {
    std::set<ops::OpKind> kinds;
    for (const std::string& method : methods()) {
        const ops::Attributes* const attributes = find_method(method);
        ASSERT_NE(attributes, nullptr) << method;
        EXPECT_EQ(method_of(*attributes), method);
        EXPECT_FALSE(method.contains('_')) << method;
        kinds.insert(ops::kind_of(*attributes));
    }
#define SLUICE_OP(file, Type, cpu, vulkan)                                                         \
    EXPECT_TRUE(kinds.contains(ops::OpKind::Type)) << "no method makes " #Type;
#include "core/ops/ops.def"
#undef SLUICE_OP
    EXPECT_EQ(find_method("conv3d"), nullptr);
    // Those that the specification does not spell like the rest.
    for (const char* name : {"argMax", "gatherND", "isNaN", "isInfinite", "reduceL2", "roundEven",
                             "convTranspose2d", "averagePool2d", "lesserOrEqual"}) {
        EXPECT_NE(find_method(name), nullptr) << name;
    }
}

class WebnnZoo : public ::testing::TestWithParam<std::string> {};

TEST_P(WebnnZoo, keeps_the_model) {
    auto stored = open_model(GetParam(), {.width = 64, .height = 48});
    if (!stored && stored.error().code == ErrorCode::NotFound) {
        GTEST_SKIP() << stored.error().message;
    }
    ASSERT_TRUE(stored) << stored.error().message;
    const graph::Graph& graph = stored->model.graph;
    const SavedModel saved = must(save(graph, stored->model.info, "w.bin"));
    const LoadedModel loaded = must(reload(saved));
    ASSERT_EQ(graph::to_text(loaded.graph), graph::to_text(graph));
    expect_same_constants(loaded.graph, graph);
    EXPECT_EQ(loaded.info.name, stored->model.info.name);
    EXPECT_EQ(loaded.info.labels, stored->model.info.labels);
    ASSERT_EQ(loaded.info.normalization.has_value(), stored->model.info.normalization.has_value());
    // Small networks run here too; the graphs of the others have just been found equal.
    if (graph.operands().size() > 200 || GetParam().contains("face")) {
        return;
    }
    std::vector<std::vector<std::byte>> inputs;
    for (const graph::NamedOperand& input : graph.inputs()) {
        std::vector<float> values(graph.desc(input.id).element_count());
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = static_cast<float>(i * 37 % 101) / 101.0F;
        }
        const auto bytes = std::as_bytes(std::span(values));
        inputs.emplace_back(bytes.begin(), bytes.end());
    }
    EXPECT_EQ(run(loaded.graph, inputs), run(graph, inputs));
}

INSTANTIATE_TEST_SUITE_P(Models, WebnnZoo, ::testing::ValuesIn([] {
                             std::vector<std::string> names;
                             for (const Manifest& manifest : zoo()) {
                                 names.push_back(manifest.name);
                             }
                             return names;
                         }()),
                         [](const auto& row) {
                             std::string name = row.param;
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

// y = clamp(conv2d(x, w) + b): constants, an option that is no number, a label, metadata.
SavedModel small_model() {
    graph::GraphBuilder builder;
    const auto desc = [](const graph::Shape& shape) {
        return must(graph::TensorDesc::create(graph::DataType::Float32, shape));
    };
    const auto constant = [&](const graph::Shape& shape, float first) {
        std::vector<float> values(shape.element_count());
        std::ranges::generate(values, [&] { return first += 0.5F; });
        return must(builder.constant(
            desc(shape), graph::ConstantData::copy(std::span<const float>(values)), "c"));
    };
    const auto x = must(builder.input("x", desc({1, 2, 4, 4})));
    const auto w = constant({3, 2, 3, 3}, -4.0F);
    const auto b = constant({3}, 1.0F);
    const auto y = must(builder.conv2d(x, w, {.padding = {1, 1, 1, 1}}, b, "stem"));
    const auto z = must(builder.unary({.kind = ops::UnaryKind::Clamp,
                                       .alpha = 0.0,
                                       .beta = std::numeric_limits<double>::infinity()},
                                      y));
    ModelInfo info;
    info.name = "small";
    info.task = "segmentation";
    info.normalization = Normalization{.mean = 127.5F, .std = 127.5F};
    info.labels = {"one", "two"};
    return must(save(must(builder.build({{"z", z}})), info, "w.bin"));
}

TEST(WebnnJson, uses_the_names_of_the_specification) {
    const json document = json::parse(small_model().description);
    const json& conv = document["operators"][0];
    EXPECT_EQ(conv["method"], "conv2d");
    EXPECT_EQ(conv["arguments"], json::parse(R"({"input": 0, "filter": 1})"));
    EXPECT_EQ(conv["options"], json::parse(R"({"bias": 2, "padding": [1,1,1,1], "strides": [1,1],
        "dilations": [1,1], "groups": 1, "inputLayout": "nchw", "filterLayout": "oihw"})"));
    EXPECT_EQ(document["operators"][1]["options"],
              json::parse(R"({"minValue": 0.0, "maxValue": "Infinity"})"));
    EXPECT_EQ(document["operands"][1]["dataType"], "float32");
    EXPECT_EQ(document["operands"][2]["byteOffset"], 256); // 54 floats, rounded up to 64 bytes
}

TEST(WebnnJson, keeps_what_a_model_says_about_itself) {
    const LoadedModel loaded = must(reload(small_model()));
    EXPECT_EQ(loaded.info.format, "webnn");
    EXPECT_EQ(loaded.info.name, "small");
    EXPECT_EQ(loaded.info.task, "segmentation");
    EXPECT_EQ(loaded.info.labels, (std::vector<std::string>{"one", "two"}));
    ASSERT_TRUE(loaded.info.normalization);
    EXPECT_EQ(loaded.info.normalization->mean, 127.5F);
}

TEST(WebnnJson, fills_absent_options_with_the_specifications_defaults) {
    const auto loaded =
        load_model(file_of(std::string_view(R"({"format": "webnn-json", "version": 1,
        "operands": [{"kind": "input", "name": "x", "dataType": "float32", "shape": [2]},
                     {"dataType": "float32", "shape": [2]}, {"dataType": "float32", "shape": [2]}],
        "operators": [{"method": "leakyRelu", "arguments": {"input": 0}, "outputs": [1]},
                      {"method": "clamp", "arguments": {"input": 1}, "outputs": [2]}],
        "outputs": [{"name": "y", "operand": 2}]})")),
                   "test");
    ASSERT_TRUE(loaded) << loaded.error().message;
    const std::string text = graph::to_text(loaded->graph);
    EXPECT_NE(text.find("leaky_relu(%0) alpha=0.01"), std::string::npos) << text;
    EXPECT_NE(text.find("clamp(%1) min=-inf max=inf"), std::string::npos) << text;
}

TEST(WebnnJson, refuses_weights_that_are_not_the_descriptions) {
    SavedModel saved = small_model();
    for (std::size_t i = 0; i < saved.weights.size(); i += 17) {
        saved.weights[i] ^= std::byte{1};
        const auto loaded = reload(saved);
        ASSERT_FALSE(loaded) << i;
        EXPECT_EQ(loaded.error().code, ErrorCode::Parse);
        EXPECT_NE(loaded.error().message.find("no pair"), std::string::npos)
            << loaded.error().message;
        saved.weights[i] ^= std::byte{1};
    }
    EXPECT_TRUE(reload(saved));
    saved.weights.pop_back();
    EXPECT_FALSE(reload(saved));
    // Without its file: told where it should be.
    const auto alone = load_model(file_of(saved.description), "test");
    ASSERT_FALSE(alone);
    EXPECT_NE(alone.error().message.find("'w.bin'"), std::string::npos) << alone.error().message;
}

TEST(WebnnJson, refuses_truncation_at_every_byte) {
    const SavedModel saved = small_model();
    const FileBytes weights = file_of(saved.weights);
    const std::string_view whole = saved.description;
    const std::size_t last = whole.find_last_of('}');
    for (std::size_t size = 0; size <= last; ++size) {
        const auto text = whole.substr(0, size);
        ASSERT_FALSE(load_with_weights(std::as_bytes(std::span(text)), weights)) << size;
        LoadOptions options;
        options.files["w.bin"] = weights;
        ASSERT_FALSE(load_model(file_of(text), "test", options)) << size;
    }
}

struct Broken {
    const char* path;  // a JSON pointer
    const char* value; // "": removed
    const char* says;
};

TEST(WebnnJson, says_what_is_wrong_and_where) {
    const SavedModel saved = small_model();
    for (const Broken& broken : std::initializer_list<Broken>{
             {"/version", "2", "version 2"},
             {"/operands", "", "'operands' is missing"},
             {"/operators/0/method", "\"conv3d\"", "conv3d (operator 0 'stem')"},
             {"/operators/0/method", "", "operator 0: the text 'method' is missing"},
             {"/operators/0/arguments/filter", "", "operator 0 (conv2d 'stem'): 'filter'"},
             {"/operators/0/arguments/filter", "99", "operand 99 of 5"},
             {"/operators/0/arguments/input", "4", "operand 4 is used before"},
             {"/operators/0/options/strides", "[1]", "'strides' is [1], not a list of 2"},
             {"/operators/0/options/strides", "[-1, 1]", "not a whole number"},
             {"/operators/0/options/groups", "2", "in 2 groups"},
             {"/operators/0/options/inputLayout", "\"nwhc\"", "not one of 'nchw', 'nhwc'"},
             {"/operators/0/options/stride", "[1, 1]", "there is no 'stride' in its options"},
             {"/operators/0/outputs", "[3, 4]", "2 outputs, there should be 1"},
             {"/operators/0/outputs", "[5]", "none of the 5 operands"},
             {"/operators/0/outputs", "[0]", "operand 0 has a producer already"},
             {"/operators/1/options/minValue", "\"little\"", "not a number"},
             {"/operators/1/outputs", "[3]", "operand 3 has a producer already"},
             {"/operands/0/kind", "\"tensor\"", "kind 'tensor'"},
             {"/operands/0/dataType", "\"float64\"", "'float32', 'float16'"},
             {"/operands/1/byteOffset", "1", "not aligned"},
             {"/operands/1/byteOffset", "256", "216 bytes at 256 of the weights, which have 320"},
             {"/operands/1/byteOffset", "18446744073709551612", "of the weights"},
             {"/operands/3/shape", "[1,3,4,5]", "but the operator gives float32[1,3,4,4]"},
             {"/outputs/0/operand", "0", "is an input or a constant"},
             {"/outputs/0/name", "\"\"", "empty name"},
         }) {
        SCOPED_TRACE(std::string(broken.path) + " = " + broken.value);
        json document = json::parse(saved.description);
        const json::json_pointer pointer(broken.path);
        if (*broken.value == '\0') {
            document[pointer.parent_pointer()].erase(pointer.back());
        } else {
            document[pointer] = json::parse(broken.value);
        }
        const std::string text = document.dump();
        const auto loaded =
            load_with_weights(std::as_bytes(std::span(text)), file_of(saved.weights));
        ASSERT_FALSE(loaded);
        EXPECT_NE(loaded.error().message.find(broken.says), std::string::npos)
            << loaded.error().message;
        EXPECT_NE(loaded.error().code, ErrorCode::Internal);
    }
}

TEST(WebnnJson, lists_all_methods_that_there_are_not) {
    json document = json::parse(small_model().description);
    document["operators"][0]["method"] = "conv3d";
    document["operators"][1]["method"] = "mish";
    const std::string text = document.dump();
    const auto loaded = load_with_weights(std::as_bytes(std::span(text)), {});
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::Unsupported);
    EXPECT_NE(loaded.error().message.find("2 operators are not supported: conv3d"),
              std::string::npos)
        << loaded.error().message;
    EXPECT_NE(loaded.error().message.find("mish"), std::string::npos);
}

} // namespace
} // namespace sluice::models::webnn
