// SPDX-License-Identifier: Apache-2.0
// Reductions on the CPU: what their vectors must not show.
#include <algorithm>
#include <vector>

#include "core/ops/reduce.h"
#include "tests/core/cpu/conv_support.h"

namespace sluice::test {
namespace {

// The last columns do not fill a vector. A classifier's classes that tie must tie there, too.
TEST(Reduce, gives_equal_columns_equal_sums) {
    for (const std::uint32_t rows : {2U, 3U, 13U, 169U, 300U}) {
        for (const std::uint32_t columns : {3U, 17U, 31U, 1000U}) {
            Random random(rows);
            const std::vector<float> column = random.floats(rows);
            NodeInput x{{rows, columns}, {}};
            for (const float value : column) {
                x.values.insert(x.values.end(), columns, value);
            }
            const ops::Reduce op{.kind = ops::ReduceKind::Sum, .axes = {0}};
            for_each_instruction_set([&] {
                const std::vector<float> sums = run_on_cpu(op, std::span(&x, 1), 1);
                EXPECT_EQ(std::ranges::count(sums, sums[0]), columns) << rows << " rows";
            });
        }
    }
}

} // namespace
} // namespace sluice::test
