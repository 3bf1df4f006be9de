// SPDX-License-Identifier: Apache-2.0
// WebNN's conformance vectors on the Vulkan backend, what it leaves out on the host.
#include <algorithm>
#include <array>
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

const std::vector<VectorTest>& vectors() {
    static const std::vector<VectorTest> all = [] {
        const auto folder = conformance_folder("vectors");
        return folder ? load_vectors(*folder) : std::vector<VectorTest>{};
    }();
    return all;
}

std::string test_name(const ::testing::TestParamInfo<std::size_t>& info) {
    return vector_test_name(vectors()[info.param], info.index);
}

// Floats, each tensor within what one binding holds: the backend has all their operators.
bool must_be_on_device(const VectorTest& test, const vulkan::DeviceProfile& profile) {
    const auto fits = [&](const auto& named) {
        const VectorTensor& tensor = named.second;
        return (tensor.type == "float32" || tensor.type == "float16") &&
               tensor.bytes.size() <= profile.max_storage_range;
    };
    return std::ranges::all_of(test.inputs, fits) && std::ranges::all_of(test.outputs, fits);
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
    const VectorTest& test = vectors()[GetParam()];
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
                         ::testing::Range<std::size_t>(0, vectors().size()), test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(VulkanConformance);

} // namespace
} // namespace sluice::testing
