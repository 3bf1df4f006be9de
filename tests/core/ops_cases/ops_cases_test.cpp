// SPDX-License-Identifier: Apache-2.0
// Every case of every table on the reference and on the CPU backend, with one thread and several.
#include <array>
#include <cstring>
#include <set>

#include <gtest/gtest.h>

#include "core/cpu/backend.h"
#include "core/reference/backend.h"
#include "core/runtime/executable.h"
#include "core/runtime/thread_pool.h"
#include "tests/core/ops_cases/judge.h"
#include "tests/support/instruction_sets.h"
#include "tests/support/must.h"

namespace sluice::testing {
namespace {

// Runs the case twice: a second run finds what the first one left in the arena.
void run_case(const OpCase& test, std::span<const runtime::Backend* const> backends,
              unsigned threads) {
    auto executable = must(runtime::Executable::compile(
        must(build_case(test)), {.backends = backends, .threads = threads, .optimize = false}));
    ASSERT_EQ(executable->steps().size(), 1U);
    if (backends.front()->name() == "cpu" && test.on_cpu) {
        EXPECT_EQ(executable->steps()[0].backend, "cpu")
            << test.name << " fell back: " << executable->steps()[0].reason;
    }
    std::size_t input = 0;
    for (const CaseOperand& operand : test.operands) {
        if (!operand.is_constant) {
            const auto bytes = bytes_of(operand);
            ASSERT_EQ(executable->input(input).size(), bytes.size());
            std::memcpy(executable->input(input++).data(), bytes.data(), bytes.size());
        }
    }
    const std::vector<Expected> expected = test.expected(test);
    ASSERT_EQ(executable->outputs().size(), expected.size());
    for (int run = 0; run < 2; ++run) {
        must(executable->run());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            expect_close(test, expected[i], executable->outputs()[i].desc, executable->output(i));
        }
    }
}

class OpsCases : public ::testing::TestWithParam<std::size_t> {};

TEST_P(OpsCases, reference_agrees) {
    const std::array<const runtime::Backend*, 1> backends{&reference::backend()};
    run_case(cases()[GetParam()], backends, 1);
}

TEST_P(OpsCases, cpu_agrees) {
    const std::array<const runtime::Backend*, 2> backends{&cpu::backend(), &reference::backend()};
    run_case(cases()[GetParam()], backends, 1);
}

TEST_P(OpsCases, cpu_agrees_on_threads) {
    const std::array<const runtime::Backend*, 2> backends{&cpu::backend(), &reference::backend()};
    // Held for all cases, so that its threads are started once.
    static const auto pool = runtime::ThreadPool::shared(3);
    run_case(cases()[GetParam()], backends, pool->threads());
}

// Not just with the best one: AVX2's sums of products of bytes are other instructions than
// AVX-512's, and SSE2 has none.
TEST_P(OpsCases, cpu_agrees_with_every_instruction_set) {
    const std::array<const runtime::Backend*, 2> backends{&cpu::backend(), &reference::backend()};
    for_each_instruction_set([&] { run_case(cases()[GetParam()], backends, 1); });
}

INSTANTIATE_TEST_SUITE_P(Table, OpsCases, ::testing::Range<std::size_t>(0, cases().size()),
                         test_name);

TEST(OpsCasesTable, names_every_case_once_and_every_operator) {
    std::set<std::string> names;
    std::set<std::size_t> kinds;
    for (const OpCase& test : cases()) {
        EXPECT_TRUE(names.insert(test.name).second) << test.name;
        kinds.insert(test.attributes.index());
    }
    EXPECT_EQ(kinds.size(), ops::kOpCount);
}

} // namespace
} // namespace sluice::testing
