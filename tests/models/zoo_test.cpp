// SPDX-License-Identifier: Apache-2.0
// The zoo's real files, where they have been fetched: they load, and have the shapes of their
// networks' descriptions.
#include <algorithm>
#include <ranges>

#include <gtest/gtest.h>

#include "models/store/store.h"

namespace sluice::models {
namespace {

struct Expected {
    std::string_view model;
    std::string_view input;
    std::vector<std::string_view> outputs;
};

const Expected kExpected[] = {
    {"face-detection-short-range",
     "float32[1,128,128,3]",
     {"float32[1,896,16]", "float32[1,896,1]"}},
    {"face-detection-full-range",
     "float32[1,192,192,3]",
     {"float32[1,2304,16]", "float32[1,2304,1]"}},
    {"face-detection-full-range-sparse",
     "float32[1,192,192,3]",
     {"float32[1,2304,16]", "float32[1,2304,1]"}},
    {"selfie-segmentation-landscape", "float32[1,144,256,3]", {"float32[1,144,256,1]"}},
    {"selfie-segmentation", "float32[1,256,256,3]", {"float32[1,256,256,1]"}},
    {"selfie-multiclass", "float32[1,256,256,3]", {"float32[1,256,256,6]"}},
    {"anime4k-x2-s-rl", "float32[1,90,160,3]", {"float32[1,180,320,1]", "float32[1,180,320,3]"}},
    {"anime4k-x2-s-an", "float32[1,90,160,3]", {"float32[1,180,320,1]", "float32[1,180,320,3]"}},
    {"anime4k-x2-s-3d", "float32[1,90,160,3]", {"float32[1,180,320,1]", "float32[1,180,320,3]"}},
    {"anime4k-x2-m-rl", "float32[1,90,160,3]", {"float32[1,180,320,3]", "float32[1,180,320,3]"}},
    {"anime4k-x2-m-an", "float32[1,90,160,3]", {"float32[1,180,320,3]", "float32[1,180,320,3]"}},
    {"anime4k-x2-m-3d", "float32[1,90,160,3]", {"float32[1,180,320,3]", "float32[1,180,320,3]"}},
    {"anime4k-x2-l-rl", "float32[1,90,160,3]", {"float32[1,180,320,3]", "float32[1,180,320,3]"}},
    {"anime4k-x2-l-an", "float32[1,90,160,3]", {"float32[1,180,320,3]", "float32[1,180,320,3]"}},
    {"anime4k-x2-l-3d", "float32[1,90,160,3]", {"float32[1,180,320,3]", "float32[1,180,320,3]"}},
};

TEST(ZooExpectations, cover_every_model) {
    for (const Manifest& manifest : zoo()) {
        EXPECT_TRUE(std::ranges::contains(kExpected, manifest.name, &Expected::model))
            << manifest.name;
    }
}

class ZooFile : public ::testing::TestWithParam<Expected> {};

TEST_P(ZooFile, has_the_shapes_of_its_network) {
    const Expected& expected = GetParam();
    const auto stored = open_model(expected.model, {.width = 160, .height = 90});
    if (!stored && stored.error().code == ErrorCode::NotFound) {
        GTEST_SKIP() << stored.error().message;
    }
    ASSERT_TRUE(stored) << stored.error().message;
    ASSERT_NE(stored->source.manifest, nullptr);
    const Manifest& manifest = *stored->source.manifest;
    EXPECT_EQ(stored->model.info.format, manifest.format);
    const graph::Graph& graph = stored->model.graph;
    ASSERT_EQ(graph.inputs().size(), 1);
    const graph::TensorDesc& input = graph.desc(graph.inputs()[0].id);
    EXPECT_EQ(graph::to_string(input), expected.input);
    if (manifest.width != 0) {
        EXPECT_EQ(input.shape()[1], manifest.height);
        EXPECT_EQ(input.shape()[2], manifest.width);
    }
    ASSERT_EQ(graph.outputs().size(), expected.outputs.size());
    for (std::size_t i = 0; i < expected.outputs.size(); ++i) {
        EXPECT_EQ(graph::to_string(graph.desc(graph.outputs()[i].id)), expected.outputs[i]);
    }
}

TEST_P(ZooFile, refuses_truncation_without_a_crash) {
    const auto resolved = resolve(GetParam().model);
    if (!resolved && resolved.error().code == ErrorCode::NotFound) {
        GTEST_SKIP() << resolved.error().message;
    }
    ASSERT_TRUE(resolved) << resolved.error().message;
    const auto file = map_file(resolved->path);
    ASSERT_TRUE(file) << file.error().message;
    for (std::size_t i = 0; i < 64; ++i) {
        const std::size_t size = file->bytes.size() * i / 64;
        const auto model =
            load_model({.owner = file->owner, .bytes = file->bytes.first(size)}, "test");
        ASSERT_FALSE(model) << size;
        EXPECT_TRUE(model.error().code == ErrorCode::Parse ||
                    model.error().code == ErrorCode::Unsupported)
            << model.error().message;
    }
}

INSTANTIATE_TEST_SUITE_P(Models, ZooFile, ::testing::ValuesIn(kExpected), [](const auto& row) {
    std::string name(row.param.model);
    std::ranges::replace(name, '-', '_');
    return name;
});

TEST(ZooMetadata, comes_from_the_file) {
    const auto stored = open_model("selfie-multiclass");
    if (!stored && stored.error().code == ErrorCode::NotFound) {
        GTEST_SKIP() << stored.error().message;
    }
    ASSERT_TRUE(stored) << stored.error().message;
    const ModelInfo& info = stored->model.info;
    ASSERT_TRUE(info.normalization);
    EXPECT_EQ(info.normalization->mean, 127.5F);
    EXPECT_EQ(info.normalization->std, 127.5F);
    EXPECT_EQ(info.labels, (std::vector<std::string>{"background", "hair", "body-skin", "face-skin",
                                                     "clothes", "others"}));
}

} // namespace
} // namespace sluice::models
