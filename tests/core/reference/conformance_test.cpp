// SPDX-License-Identifier: Apache-2.0
// WebNN's conformance vectors on the reference backend, and on the CPU backend before it.
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "core/cpu/backend.h"
#include "core/reference/backend.h"
#include "tests/support/conformance_folder.h"
#include "tests/support/vectors.h"

namespace sluice::testing {
namespace {

std::string test_name(const ::testing::TestParamInfo<std::size_t>& info) {
    return vector_test_name(all_vectors()[info.param], info.index);
}

class Conformance : public ::testing::TestWithParam<std::size_t> {
protected:
    static void judge(std::span<const runtime::Backend* const> backends) {
        const VectorTest& test = all_vectors()[GetParam()];
        const VectorOutcome outcome = run_vector(test, backends);
        switch (outcome.kind) {
        case VectorOutcome::Kind::Passed: break;
        case VectorOutcome::Kind::Failed: FAIL() << test.name << ": " << outcome.reason;
        case VectorOutcome::Kind::Skipped: GTEST_SKIP() << test.name << ": " << outcome.reason;
        }
    }
};

TEST_P(Conformance, reference_agrees) {
    const std::array<const runtime::Backend*, 1> backends{&reference::backend()};
    judge(backends);
}

TEST_P(Conformance, cpu_agrees) {
    const std::array<const runtime::Backend*, 2> backends{&cpu::backend(), &reference::backend()};
    judge(backends);
}

INSTANTIATE_TEST_SUITE_P(Webnn, Conformance, ::testing::Range<std::size_t>(0, all_vectors().size()),
                         test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conformance);

TEST(ConformanceData, is_there) {
    if (!conformance_folder("vectors")) {
        GTEST_SKIP() << no_conformance_data("vectors");
    }
    EXPECT_FALSE(all_vectors().empty());
}

} // namespace
} // namespace sluice::testing
