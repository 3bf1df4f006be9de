// SPDX-License-Identifier: Apache-2.0
// WebNN's conformance vectors on the Vulkan backend, what it leaves out on the host.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu/backend.h"
#include "core/reference/backend.h"
#include "core/vulkan/backend.h"
#include "tests/support/conformance_folder.h"
#include "tests/support/must.h"
#include "tests/support/vectors.h"
#include "tests/support/vulkan_device.h"

namespace sluice::testing {
namespace {

std::string test_name(const ::testing::TestParamInfo<std::size_t>& info) {
    return vector_test_name(all_vectors()[info.param], info.index);
}

// "gatherND" as the list of operators has it: "gather_nd".
std::string snake_case(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto c = static_cast<unsigned char>(name[i]);
        const bool starts = std::isupper(c) != 0 && i > 0 &&
                            std::isupper(static_cast<unsigned char>(name[i - 1])) == 0;
        out += starts ? "_" : "";
        out.push_back(static_cast<char>(std::tolower(c)));
    }
    return out;
}

// Operators of the list that the backend leaves to others.
bool lacks_kernel(std::string_view webnn_name) {
    struct Row {
        std::string_view name;
        bool has_kernel;
    };
    constexpr std::array kRows{
#define SLUICE_OP(file, Type, cpu, vulkan) Row{#file, (vulkan) == 1},
#include "core/ops/ops.def"
#undef SLUICE_OP
    };
    const std::string name = snake_case(webnn_name);
    return std::ranges::any_of(kRows,
                               [&](const Row& row) { return row.name == name && !row.has_kernel; });
}

// Operators with a kernel, on floats, each tensor within what one binding holds.
bool must_be_on_device(const VectorTest& test, const vulkan::DeviceProfile& profile) {
    const auto fits = [&](const auto& named) {
        const VectorTensor& tensor = named.second;
        return (tensor.type == "float32" || tensor.type == "float16") &&
               tensor.bytes.size() <= profile.max_storage_range;
    };
    const auto lacks = [](const auto& op) {
        return lacks_kernel(op.at("name").template get<std::string>());
    };
    return std::ranges::none_of(test.operators, lacks) && std::ranges::all_of(test.inputs, fits) &&
           std::ranges::all_of(test.outputs, fits);
}

class VulkanConformance : public VulkanTest, public ::testing::WithParamInterface<std::size_t> {
protected:
    // The device and its pipelines are shared by all vectors.
    static void SetUpTestSuite() {
        if (auto opened = vulkan::Device::open(vulkan_selector())) {
            shared_device_ = std::move(*opened);
        }
    }
    static void TearDownTestSuite() { shared_device_.reset(); }

private:
    static inline std::shared_ptr<vulkan::Device> shared_device_;
};

TEST_P(VulkanConformance, agrees) {
    const VectorTest& test = all_vectors()[GetParam()];
    const auto backend = must(vulkan::make_backend(device_));
    const std::array<const runtime::Backend*, 3> backends{backend.get(), &cpu::backend(),
                                                          &reference::backend()};
    const VectorOutcome outcome = run_vector(test, backends);
    switch (outcome.kind) {
    case VectorOutcome::Kind::Passed: break;
    case VectorOutcome::Kind::Failed: FAIL() << test.name << ": " << outcome.reason;
    case VectorOutcome::Kind::Skipped: GTEST_SKIP() << test.name << ": " << outcome.reason;
    }
    // Constants only leave no step.
    if (must_be_on_device(test, device_->profile()) && !outcome.backend.empty()) {
        EXPECT_EQ(outcome.backend, "vulkan") << test.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Webnn, VulkanConformance,
                         ::testing::Range<std::size_t>(0, all_vectors().size()), test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(VulkanConformance);

} // namespace
} // namespace sluice::testing
