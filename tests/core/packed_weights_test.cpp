// SPDX-License-Identifier: Apache-2.0
// Networks compiled with the packed weights of an earlier process give the same results.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "core/base/confidential.h"
#include "core/engine.h"
#include "core/graph/builder.h"
#include "tests/support/must.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using graph::DataType;
using graph::OperandId;
using graph::TensorDesc;
using testing::must;

class KeptWeights : public ::testing::Test {
protected:
    KeptWeights() {
        std::string name = (fs::temp_directory_path() / "sluice-kept-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        ::setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
        ::unsetenv("SLUICE_PACKED_CACHE");
    }
    ~KeptWeights() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
        ::unsetenv("SLUICE_PACKED_CACHE");
        ::unsetenv("SLUICE_CPU_WINOGRAD");
    }

    static OperandId constant(graph::GraphBuilder& builder, const graph::Shape& shape, float seed) {
        std::vector<float> values(shape.element_count());
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = 0.01F * std::sin(seed + static_cast<float>(i));
        }
        return must(builder.constant(must(TensorDesc::create(DataType::Float32, shape)),
                                     graph::ConstantData::copy<float>(values)));
    }

    // A 3x3 and a 1x1 convolution, a transposed one and a matrix product: 1.9 MiB of weights.
    static graph::Graph network(float seed = 1.0F, std::uint32_t padding = 1) {
        graph::GraphBuilder builder;
        const auto x =
            must(builder.input("x", must(TensorDesc::create(DataType::Float32, {1, 12, 12, 64}))));
        ops::Conv2d conv;
        conv.input_layout = ops::InputLayout::Nhwc;
        conv.filter_layout = ops::Conv2dFilterLayout::Ohwi;
        const auto b = must(builder.conv2d(x, constant(builder, {512, 1, 1, 64}, seed), conv));
        conv.padding = {padding, padding, padding, padding};
        const auto a = must(builder.conv2d(b, constant(builder, {64, 3, 3, 512}, 2.0F), conv));
        ops::ConvTranspose2d up;
        up.input_layout = ops::InputLayout::Nhwc;
        up.filter_layout = ops::ConvTranspose2dFilterLayout::Ohwi;
        up.strides = {2, 2};
        const auto c = must(builder.conv_transpose2d(a, constant(builder, {96, 2, 2, 64}, 3), up));
        const auto d = must(builder.matmul(c, constant(builder, {96, 640}, 4.0F)));
        return must(builder.build({{.name = "y", .id = d}}));
    }

    static std::vector<float> run(graph::Graph graph) {
        const auto compiled = must(compile(std::move(graph), {.device = DeviceKind::Cpu}));
        const auto x = compiled->input_floats(0);
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = std::cos(static_cast<float>(i));
        }
        must(compiled->run());
        const auto y = compiled->output_floats(0);
        return {y.begin(), y.end()};
    }

    [[nodiscard]] std::set<fs::path> files() const {
        std::set<fs::path> found;
        for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
            if (entry.is_regular_file()) {
                found.insert(entry.path());
            }
        }
        return found;
    }

    fs::path folder_;
};

TEST_F(KeptWeights, give_what_packing_them_anew_gives) {
    ::setenv("SLUICE_PACKED_CACHE", "off", 1);
    const std::vector<float> expected = run(network());
    EXPECT_TRUE(files().empty());
    ::unsetenv("SLUICE_PACKED_CACHE");
    EXPECT_EQ(run(network()), expected);
    ASSERT_EQ(files().size(), 1U);
    const auto written = fs::last_write_time(*files().begin());
    const auto node = [&] { // the file's identity: whether it was written again
        struct stat status{};
        EXPECT_EQ(::stat(files().begin()->c_str(), &status), 0);
        return status.st_ino;
    };
    const auto before = node();
    EXPECT_EQ(run(network()), expected);
    EXPECT_EQ(files().size(), 1U);
    EXPECT_EQ(node(), before);
    EXPECT_GE(fs::last_write_time(*files().begin()), written);
}

TEST_F(KeptWeights, are_read_from_the_file) {
    const std::vector<float> expected = run(network());
    // The same under a name that the other constants would have: it must not be taken for theirs.
    const fs::path first = *files().begin();
    const std::vector<float> other = run(network(5.0F));
    ASSERT_NE(other, expected);
    ASSERT_EQ(files().size(), 2U);
    auto all = files();
    all.erase(first);
    fs::copy_file(first, *all.begin(), fs::copy_options::overwrite_existing);
    EXPECT_EQ(run(network(5.0F)), other);
    EXPECT_EQ(run(network()), expected);
}

TEST_F(KeptWeights, are_told_apart_by_one_bit_of_one_constant_and_by_attributes) {
    run(network(1.0F));
    run(network(std::nextafter(1.0F, 2.0F)));
    run(network(1.0F, 0));
    EXPECT_EQ(files().size(), 3U);
    ::setenv("SLUICE_CPU_WINOGRAD", "allow", 1);
    const auto allowed = run(network());
    ::setenv("SLUICE_CPU_WINOGRAD", "off", 1);
    const auto refused = run(network());
    ASSERT_EQ(allowed.size(), refused.size());
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        ASSERT_NEAR(allowed[i], refused[i], 1e-3F) << i;
    }
    EXPECT_EQ(files().size(), 4U);
}

TEST_F(KeptWeights, are_made_anew_where_the_file_is_damaged) {
    const std::vector<float> expected = run(network());
    const fs::path file = *files().begin();
    const auto size = fs::file_size(file);
    fs::resize_file(file, size / 2);
    EXPECT_EQ(run(network()), expected);
    EXPECT_EQ(fs::file_size(file), size);
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary)
        .seekp(static_cast<std::streamoff>(size / 2))
        .write("damage", 6);
    EXPECT_EQ(run(network()), expected);
}

TEST_F(KeptWeights, are_not_those_of_confidential_networks) {
    const graph::Graph graph = network();
    for (const graph::Operand& operand : graph.operands()) {
        mark_confidential(operand.data.owner);
    }
    run(graph);
    EXPECT_TRUE(files().empty());
    run(network());
    EXPECT_EQ(files().size(), 1U) << "another network of the same process is kept";
}

TEST_F(KeptWeights, are_not_those_of_small_networks_nor_of_the_reference) {
    const auto reference =
        must(compile(network(), {.device = DeviceChoice(DeviceKind::Reference)}));
    graph::GraphBuilder builder;
    const auto x =
        must(builder.input("x", must(TensorDesc::create(DataType::Float32, {1, 4, 4, 8}))));
    const auto y = must(builder.matmul(x, constant(builder, {8, 8}, 1.0F)));
    run(must(builder.build({{.name = "y", .id = y}})));
    EXPECT_TRUE(files().empty());
}

} // namespace
} // namespace sluice
