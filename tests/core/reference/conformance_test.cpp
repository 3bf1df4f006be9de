// SPDX-License-Identifier: Apache-2.0
// WebNN's conformance vectors on the reference backend, and on the CPU backend before it.
#include <array>
#include <cctype>
#include <format>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/cpu/backend.h"
#include "core/reference/backend.h"
#include "tests/support/conformance_folder.h"
#include "tests/support/vectors.h"

namespace sluice::testing {
namespace {

const std::vector<VectorTest>& vectors() {
    static const std::vector<VectorTest> all = [] {
        const auto folder = conformance_folder("vectors");
        return folder ? load_vectors(*folder) : std::vector<VectorTest>{};
    }();
    return all;
}

// Names of tests as GoogleTest allows them, made unique by their number.
std::string test_name(const ::testing::TestParamInfo<std::size_t>& info) {
    std::string name = std::format("{:04}_{}_{}", info.index, vectors()[info.param].file,
                                   vectors()[info.param].name);
    for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
            c = '_';
        }
    }
    return name;
}

// Vectors of 2025-03 that the specification has left behind, or that were wrong then: by name, why.
std::string_view superseded(const std::string& name) {
    if (name == "l2Pool2d float32 4D tensor options.roundingType=ceil" ||
        name == "l2Pool2d float32 4D tensor options.outputSizes ignores "
                "options.roundingType=floor") {
        return "the expected values at the right edge lack the square root";
    }
    if (name == "dequantizeLinear int8 4D constant tensor broadcasting scale and zeroPoint") {
        return "scale and zeroPoint must have the input's rank since 2025-04";
    }
    return {};
}

class Conformance : public ::testing::TestWithParam<std::size_t> {
protected:
    static void judge(std::span<const runtime::Backend* const> backends) {
        const VectorTest& test = vectors()[GetParam()];
        if (const std::string_view reason = superseded(test.name); !reason.empty()) {
            GTEST_SKIP() << test.name << ": " << reason;
        }
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

INSTANTIATE_TEST_SUITE_P(Webnn, Conformance, ::testing::Range<std::size_t>(0, vectors().size()),
                         test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conformance);

TEST(ConformanceData, is_there) {
    if (!conformance_folder("vectors")) {
        GTEST_SKIP() << no_conformance_data("vectors");
    }
    EXPECT_FALSE(vectors().empty());
}

} // namespace
} // namespace sluice::testing
