// SPDX-License-Identifier: Apache-2.0
// The light models of ONNX's backend tests: whole classifiers whose weights are all alike.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/models/onnx_node_cases.h"

namespace sluice::models::test {
namespace {

namespace fs = std::filesystem;

// The dummy data of ONNX's runner: i / n.
std::vector<float> ramp(std::size_t n) {
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) {
        values[i] = static_cast<float>(static_cast<double>(i) / static_cast<double>(n));
    }
    return values;
}

// The reference takes minutes for the large ones, which the smaller ones stand for.
std::vector<DeviceKind> light_devices(const std::string& model) {
    const bool small = model == "light_squeezenet" || model == "light_shufflenet";
    return small ? std::vector{DeviceKind::Reference, DeviceKind::Cpu}
                 : std::vector{DeviceKind::Cpu};
}

class OnnxLight : public testing::TestWithParam<std::string> {};

TEST_P(OnnxLight, gives_the_recorded_output) {
    const fs::path folder = onnx_data_folder() / "light";
    const fs::path path = folder / (GetParam() + ".onnx");
    if (!fs::exists(path)) {
        GTEST_SKIP() << "libonnx-testdata is not installed";
    }
    const auto expected = read_case_tensor(folder / (GetParam() + "_output_0.pb"));
    ASSERT_TRUE(expected) << expected.error().message;
    const auto model = load_model(path);
    ASSERT_TRUE(model) << model.error().message;
    for (const DeviceKind device : light_devices(GetParam())) {
        const auto executable = compile(model->graph, {.device = device, .threads = 0});
        ASSERT_TRUE(executable) << executable.error().message;
        for (std::size_t i = 0; i < (*executable)->inputs().size(); ++i) {
            const auto target = (*executable)->input_floats(i);
            std::ranges::copy(ramp(target.size()), target.begin());
        }
        const Status ran = (*executable)->run();
        ASSERT_TRUE(ran) << ran.error().message;
        EXPECT_EQ(compare(*expected, (*executable)->output(0), (*executable)->outputs()[0].desc),
                  "")
            << name(device);
    }
}

INSTANTIATE_TEST_SUITE_P(Models, OnnxLight,
                         testing::Values("light_bvlc_alexnet", "light_densenet121",
                                         "light_inception_v1", "light_inception_v2",
                                         "light_resnet50", "light_shufflenet", "light_squeezenet",
                                         "light_vgg19", "light_zfnet512"),
                         [](const auto& test) { return test.param; });

} // namespace
} // namespace sluice::models::test
