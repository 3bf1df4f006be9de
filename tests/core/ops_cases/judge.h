// SPDX-License-Identifier: Apache-2.0
// What every backend's run of the tables shares: the cases by number, their names, and the verdict.
#pragma once

#include <cctype>
#include <cmath>
#include <cstddef>
#include <format>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/graph/tensor_desc.h"
#include "tests/core/ops_cases/case.h"
#include "tests/support/compare.h"

namespace sluice::testing {

// All tables, made once.
[[nodiscard]] inline const std::vector<OpCase>& cases() {
    static const std::vector<OpCase> all = all_cases();
    return all;
}

// "0012_conv2d_3x3_s1": a case by its place in cases().
[[nodiscard]] inline std::string test_name(const ::testing::TestParamInfo<std::size_t>& info) {
    std::string name = std::format("{:04}_{}", info.index, cases()[info.param].name);
    for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
            c = '_';
        }
    }
    return name;
}

// Fails where an element is further off than the case allows.
inline void expect_close(const OpCase& test, const Expected& expected,
                         const graph::TensorDesc& desc, std::span<const std::byte> actual) {
    ASSERT_EQ(desc.element_count(), expected.values.size()) << graph::to_string(desc);
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
        const double value = element(desc.type(), actual, i);
        const double wanted = expected.values[i];
        const double allowed = test.absolute + test.relative * expected.magnitudes[i];
        const bool same = std::isnan(wanted)
                              ? std::isnan(value)
                              : value == wanted || std::fabs(value - wanted) <= allowed;
        ASSERT_TRUE(same) << test.name << ": element " << i << " of " << graph::to_string(desc)
                          << " is " << value << ", not " << wanted << "; " << allowed
                          << " off would do";
    }
}

} // namespace sluice::testing
