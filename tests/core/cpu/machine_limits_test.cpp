// SPDX-License-Identifier: Apache-2.0
// The loops behind the machine's limits do the work that they are credited with.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu/machine_kernel.h"
#include "core/cpu/machine_limits.h"
#include "tests/support/must.h"

namespace sluice::testing {
namespace {

const cpu::MachineKernels& kernels() {
    return cpu::machine_kernels();
}

// x = x * 1 + 1 counts its rounds on top of 0 to 9, in every lane.
TEST(MachineKernels, multiply_and_add_in_every_lane_and_round) {
    const float lanes = static_cast<float>(kernels().multiply_add_lanes) / 10.0F;
    EXPECT_EQ(kernels().multiply_add(1000, 1.0F, 1.0F), (10 * 1000.0F + 45) * lanes);
    EXPECT_EQ(kernels().multiply_add(3, 2.0F, 1.0F), (10 * 7.0F + 45 * 8) * lanes);
}

TEST(MachineKernels, sum_four_products_in_every_lane_and_round) {
    EXPECT_EQ(kernels().dot_products(100, 200, -100),
              100 * 4 * 200 * -100 * static_cast<std::int32_t>(kernels().dot_product_lanes));
}

TEST(MachineKernels, read_every_value) {
    std::vector<std::uint32_t> values(kernels().read_step * 3);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<std::uint32_t>(i * i + 1);
        sum += values[i];
    }
    EXPECT_EQ(kernels().read(values), sum);
}

TEST(MachineLimits, are_told_for_every_kind_of_memory) {
    const cpu::MachineLimits limits = must(cpu::measure_limits(2));
    EXPECT_EQ(limits.threads, 2U);
    EXPECT_GT(limits.float_gflops, 0.0);
    EXPECT_GT(limits.int8_gops, 0.0);
    ASSERT_EQ(limits.reads.size(), 4U);
    for (std::size_t i = 1; i < limits.reads.size(); ++i) {
        EXPECT_GT(limits.reads[i].buffer_bytes, limits.reads[i - 1].buffer_bytes);
        EXPECT_GT(limits.reads[i].gigabytes_per_second, 0.0);
    }
}

TEST(MachineLimits, want_a_sensible_number_of_threads) {
    EXPECT_EQ(cpu::measure_limits(0).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(cpu::measure_limits(5000).error().code, ErrorCode::InvalidArgument);
}

} // namespace
} // namespace sluice::testing
