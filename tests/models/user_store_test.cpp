// SPDX-License-Identifier: Apache-2.0
// Models that a user adds: found by name, verified, described by what their files say.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/graph/builder.h"
#include "models/loaders/modelinfo.h"
#include "models/loaders/webnn/webnn_writer.h"
#include "models/store/model_key.h"
#include "models/store/seal.h"
#include "models/store/store.h"
#include "models/store/user_store.h"
#include "tests/models/onnx_writer.h"
#include "tests/support/must.h"

namespace sluice::models {
namespace {

namespace fs = std::filesystem;
using testing::must;

class UserStore : public ::testing::Test {
protected:
    UserStore() {
        std::string name = (fs::temp_directory_path() / "sluice-user-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        ::setenv("XDG_DATA_HOME", (folder_ / "data").c_str(), 1);
    }
    ~UserStore() override {
        ::unsetenv("XDG_DATA_HOME");
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    fs::path write(const std::string& name, std::span<const std::byte> bytes) {
        std::ofstream(folder_ / name, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        return folder_ / name;
    }
    fs::path write(const std::string& name, std::string_view text) {
        return write(name, std::as_bytes(std::span(text)));
    }

    // y = x * c over a picture of 2x2, with its weights beside it.
    fs::path write_model(const ModelInfo& info, float factor = 2.0F) {
        graph::GraphBuilder builder;
        const auto desc =
            must(graph::TensorDesc::create(graph::DataType::Float32, graph::Shape{1, 2, 2, 3}));
        const auto scalar =
            must(graph::TensorDesc::create(graph::DataType::Float32, graph::Shape{}));
        const std::array<float, 1> values{factor};
        const auto x = must(builder.input("picture", desc));
        const auto c = must(builder.constant(
            scalar, graph::ConstantData::copy(std::span<const float>(values)), "c"));
        const auto y = must(builder.mul(x, c));
        const auto saved = must(webnn::save(must(builder.build({{"y", y}})), info, "w.bin"));
        write("w.bin", saved.weights);
        return write("My Model.json", saved.description);
    }

    fs::path folder_;
};

ModelInfo told() {
    ModelInfo info;
    info.name = "A model";
    info.license = "MIT";
    info.task = "segmentation";
    info.normalization = Normalization{.mean = 127.5F, .std = 127.5F};
    info.labels = {"ground", "sky"};
    return info;
}

TEST_F(UserStore, keeps_a_model_by_name) {
    const fs::path file = write_model(told());
    const Manifest* const added = must(add_model({.file = file, .source = "file My Model.json"}));
    EXPECT_EQ(added->name, "my-model");
    EXPECT_EQ(added->title, "A model");
    EXPECT_EQ(added->task, "segmentation");
    EXPECT_EQ(added->licence, "MIT");
    EXPECT_EQ(added->format, "webnn");
    EXPECT_EQ(added->labels, told().labels);
    ASSERT_TRUE(added->has_range);
    EXPECT_FLOAT_EQ(added->low, -1.0F);
    EXPECT_FLOAT_EQ(added->high, 1.0F);
    // The original is no longer needed.
    fs::remove(file);
    fs::remove(folder_ / "w.bin");
    const StoredModel opened = must(open_model("my-model"));
    EXPECT_EQ(opened.source.manifest, added);
    EXPECT_EQ(opened.model.graph.inputs()[0].name, "picture");
    EXPECT_EQ(added_models(), std::vector{added});

    std::ifstream text(added->folder / "manifest.json");
    const auto manifest = nlohmann::json::parse(text);
    EXPECT_EQ(manifest["inputs"], nlohmann::json::parse(
                                      R"([{"name": "picture", "dataType": "float32",
                                           "shape": [1, 2, 2, 3]}])"));
    EXPECT_EQ(manifest["outputs"][0]["name"], "y");
    EXPECT_EQ(manifest["sha256"].get<std::string>().size(), 64);
}

TEST_F(UserStore, leaves_open_what_the_file_does_not_say) {
    const Manifest* const added = must(add_model(
        {.file = write_model({}), .name = "plain", .source = "file", .task = "super-resolution"}));
    EXPECT_FALSE(added->has_range);
    EXPECT_TRUE(added->labels.empty());
    EXPECT_EQ(added->task, "super-resolution");
}

TEST_F(UserStore, takes_the_range_from_a_modelinfo) {
    const fs::path file = write_model({});
    write("My Model.modelinfo", "[modelinfo]\nversion=1.0\n\n[picture]\nid=p\ntype=float32\n"
                                "dims=1,2,2,3\ndir=input\nranges=0.0,1.0;0.0,1.0;0.0,1.0\n");
    const Manifest* const added = must(add_model({.file = file, .name = "told", .source = "file"}));
    ASSERT_TRUE(added->has_range);
    EXPECT_FLOAT_EQ(added->low, 0.0F);
    EXPECT_FLOAT_EQ(added->high, 1.0F);
    const StoredModel opened = must(open_model("told"));
    ASSERT_TRUE(opened.model.info.normalization);
    EXPECT_FLOAT_EQ(opened.model.info.normalization->std, 255.0F);
}

// An ONNX file with metadata_props, a size that it only names, and weights in a folder below it.
std::vector<std::byte> onnx_file(const std::map<std::string, std::string>& metadata) {
    test::OnnxWriter w;
    w.named_input("x", {"batch", "length"});
    auto& tensor = w.constant("w", {3}, test::onnx_schema::Tensor::FLOAT);
    tensor.set_data_location(1);
    auto& location = *tensor.add_external_data();
    location.set_key("location");
    location.set_value("below/w.bin");
    w.node("Add", {"x", "w"}, {"y"});
    w.output("y");
    for (const auto& [key, value] : metadata) {
        auto& entry = *w.model().add_metadata_props();
        entry.set_key(key);
        entry.set_value(value);
    }
    return w.finish();
}

TEST_F(UserStore, takes_what_an_onnx_file_says_and_the_sizes_given_for_it) {
    fs::create_directories(folder_ / "below");
    const std::array<float, 3> weights{1.0F, 2.0F, 3.0F};
    write("below/w.bin", std::as_bytes(std::span(weights)));
    const fs::path file = write("net.onnx", onnx_file({{"task", "segmentation"},
                                                       {"names", "{0: 'ground', 1: 'sky'}"},
                                                       {"mean", "0"},
                                                       {"std", "255"}}));
    EXPECT_FALSE(add_model({.file = file, .source = "file"})) << "its sizes are open";
    const Manifest* const added = must(add_model(
        {.file = file, .source = "file", .load = {.dimensions = {{"batch", 2}, {"length", 3}}}}));
    EXPECT_EQ(added->name, "net");
    EXPECT_EQ(added->task, "segmentation");
    EXPECT_EQ(added->labels, (std::vector<std::string>{"ground", "sky"}));
    ASSERT_TRUE(added->has_range);
    EXPECT_FLOAT_EQ(added->high, 1.0F);
    EXPECT_TRUE(fs::exists(added->folder / "below/w.bin"));
    const StoredModel opened = must(open_model("net"));
    EXPECT_EQ(graph::to_string(opened.model.graph.desc(opened.model.graph.inputs()[0].id)),
              "float32[2,3]");
    // The files beside a model go with it into a sealed one.
    const ModelKey key = must(ModelKey::generate());
    write("key", key.to_text());
    const fs::path sealed = write("net.sealed", must(seal_model(file, key)));
    fs::remove_all(folder_ / "below");
    const LoadedModel inside = must(open_file(
        sealed, {.dimensions = {{"batch", 2}, {"length", 3}}, .key = (folder_ / "key").string()}));
    ASSERT_EQ(inside.graph.operands().size(), 3);
}

TEST_F(UserStore, ignores_a_deviation_that_nothing_can_be_divided_by) {
    fs::create_directories(folder_ / "below");
    write("below/w.bin", std::string(12, '\0'));
    for (const char* deviation : {"0", "nan", "inf"}) {
        const fs::path file = write("net.onnx", onnx_file({{"mean", "1"}, {"std", deviation}}));
        const LoadedModel loaded =
            must(open_file(file, {.dimensions = {{"batch", 2}, {"length", 3}}}));
        EXPECT_FALSE(loaded.info.normalization) << deviation;
    }
}

TEST_F(UserStore, refuses_names_that_are_taken_or_none) {
    const fs::path file = write_model(told());
    const auto says = [&](const std::string& name, std::string_view what) {
        const auto added = add_model({.file = file, .name = name, .source = "file"});
        ASSERT_FALSE(added) << name;
        EXPECT_EQ(added.error().code, ErrorCode::InvalidArgument);
        EXPECT_TRUE(added.error().message.contains(what)) << added.error().message;
    };
    says("selfie-segmentation", "the zoo has it");
    says("anime4k-x2-s", "the zoo has it");
    says("../outside", "no name for a model");
    says(".hidden", "no name for a model");
    ASSERT_TRUE(add_model({.file = file, .name = "mine", .source = "file"}));
    says("mine", "remove ");
}

TEST_F(UserStore, leaves_nothing_behind_where_it_fails) {
    const fs::path broken = write("broken.json", R"({"format": "webnn-json", "version": 1})");
    EXPECT_FALSE(add_model({.file = broken, .source = "file"}));
    const fs::path alone = write_model(told());
    fs::remove(folder_ / "w.bin");
    EXPECT_FALSE(add_model({.file = alone, .source = "file"}));
    EXPECT_FALSE(add_model({.file = folder_ / "missing.onnx", .source = "file"}));
    const fs::path store = must(user_store());
    EXPECT_TRUE(!fs::exists(store) || fs::is_empty(store));
}

TEST_F(UserStore, notices_files_that_have_changed) {
    const Manifest* const added =
        must(add_model({.file = write_model(told()), .name = "mine", .source = "file"}));
    for (const char* name : {"w.bin", "My Model.json"}) {
        const fs::path file = added->folder / name;
        const auto size = fs::file_size(file);
        std::fstream content(file, std::ios::in | std::ios::out | std::ios::binary);
        content.seekg(static_cast<std::streamoff>(size / 2));
        const int old = content.get();
        content.seekp(static_cast<std::streamoff>(size / 2));
        content.put(static_cast<char>(old ^ 1));
        content.close();
        const auto opened = open_model("mine");
        ASSERT_FALSE(opened) << name;
        EXPECT_EQ(opened.error().code, ErrorCode::Parse);
        EXPECT_TRUE(opened.error().message.contains("SHA-256")) << opened.error().message;
        std::fstream again(file, std::ios::in | std::ios::out | std::ios::binary);
        again.seekp(static_cast<std::streamoff>(size / 2));
        again.put(static_cast<char>(old));
    }
    EXPECT_TRUE(open_model("mine"));
}

TEST_F(UserStore, ignores_manifests_that_are_none) {
    const fs::path store = must(user_store());
    for (const std::string_view text : {"", "{", "[]", "{}", R"({"sha256": 7, "file": "x"})"}) {
        fs::create_directories(store / "odd");
        std::ofstream(store / "odd" / "manifest.json") << text;
        EXPECT_EQ(find_added("odd"), nullptr) << text;
    }
    EXPECT_TRUE(added_models().empty());
    // A manifest cannot point out of its folder.
    std::ofstream(store / "odd" / "manifest.json")
        << R"({"file": "../../w.bin", "sha256": ")" << std::string(64, '0') << "\"}";
    EXPECT_EQ(find_added("odd"), nullptr);
}

struct Given {
    const char* text;
    bool found;
    float mean;
    float std;
};

TEST(Modelinfo, gives_the_range_of_the_first_input) {
    for (const Given& given : std::initializer_list<Given>{
             {"[a]\ndir=input\nranges=0.0,255.0;0.0,255.0;0.0,255.0\n", true, 0.0F, 1.0F},
             {"[a]\ndir=input\nranges=0,1\n", true, 0.0F, 255.0F},
             {"[a]\ndir = input\nranges = -1.0, 1.0;\r\n", true, 127.5F, 127.5F},
             {"[o]\ndir=output\nranges=0,1\n[a]\nranges=-1,1\ndir=input", true, 127.5F, 127.5F},
             {"[a]\ndir=input\nranges=0,1\n[b]\ndir=input\nranges=-1,1\n", true, 0.0F, 255.0F},
             {"[a]\ndir=input\nranges=0,1;0,2;0,1\n", false, 0, 0}, // one for each channel
             {"[a]\ndir=input\nranges=1,1\n", false, 0, 0},
             {"[a]\ndir=input\nranges=0\n", false, 0, 0},
             {"[a]\ndir=input\nranges=nan,1\n", false, 0, 0},
             {"[a]\ndir=output\nranges=0,1\n", false, 0, 0},
             {"ranges", false, 0, 0},
             {"", false, 0, 0},
         }) {
        SCOPED_TRACE(given.text);
        ModelInfo info;
        apply_modelinfo(given.text, info);
        ASSERT_EQ(info.normalization.has_value(), given.found);
        if (given.found) {
            EXPECT_FLOAT_EQ(info.normalization->mean, given.mean);
            EXPECT_FLOAT_EQ(info.normalization->std, given.std);
        }
    }
}

} // namespace
} // namespace sluice::models
