// SPDX-License-Identifier: Apache-2.0
// The limits table covers every type and rank that the specification requires.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <ranges>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/ops/limits.h"
#include "tests/support/conformance_folder.h"

namespace sluice::testing {
namespace {

using nlohmann::json;
using ops::OperandLimits;

// Without case, underscores and what is not a letter or a digit.
std::string plain(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
    }
    return out;
}

// Whether the rows of "reduction-reducemax-reducemin" are those of an operator of ours.
bool is_meant(std::string_view key, std::string_view op) {
    if (key == "elementwise-binary") {
        static constexpr std::string_view kArithmetic = "add sub mul div max min pow";
        return std::ranges::contains(kArithmetic | std::views::split(' '), op,
                                     [](auto word) { return std::string_view(word); });
    }
    return std::ranges::contains(key | std::views::split('-'), plain(op),
                                 [](auto word) { return plain(std::string_view(word)); });
}

const OperandLimits* find_row(std::string_view op, std::string name) {
    name = name.substr(0, name.find(" if ")).substr(0, name.find('\''));
    if (const std::size_t list = name.find("s["); list != std::string::npos) {
        name.erase(list, 1); // output 1 of "outputs[1]"
    }
    for (const OperandLimits& row : ops::op_support_limits(op)) {
        if (plain(row.operand) == plain(name)) {
            return &row;
        }
    }
    return nullptr;
}

void expect_covered(std::string_view op, const json& cells, std::size_t i) {
    const OperandLimits* row = find_row(op, cells[i]);
    ASSERT_NE(row, nullptr) << op << ' ' << cells[i];
    const auto types = cells[i + 2].get<std::string>();
    for (const auto word : types | std::views::split(std::string_view(", "))) {
        const auto type = graph::data_type_from_name(std::string_view(word));
        ASSERT_TRUE(type) << types;
        EXPECT_TRUE(row->types.contains(*type)) << op << ' ' << row->operand << ' ' << types;
    }
    const auto ranks = cells[i + 4].get<std::string>(); // "4" or "0 to 5"
    std::size_t low = 0;
    std::from_chars(ranks.data(), ranks.data() + ranks.size(), low);
    std::size_t high = low;
    if (const std::size_t to = ranks.find(" to "); to != std::string::npos) {
        std::from_chars(ranks.data() + to + 4, ranks.data() + ranks.size(), high);
    }
    EXPECT_LE(row->least_rank, low) << op << ' ' << row->operand;
    EXPECT_GE(row->most_rank, high) << op << ' ' << row->operand;
}

TEST(SpecLimits, required_types_and_ranks_are_covered) {
    const auto file = conformance_folder("vectors");
    if (!file) {
        GTEST_SKIP() << no_conformance_data("vectors");
    }
    std::ifstream stream(file->parent_path() / "tensor_limits.json");
    const json tables = json::parse(stream, nullptr, false);
    ASSERT_TRUE(tables.is_object());
    std::set<std::string_view> covered;
    for (const auto& [key, table] : tables.items()) {
        json cells = json::array(); // five an operand, however the rows are cut
        for (const json& row : table) {
            cells.insert(cells.end(), row.begin(), row.end());
        }
        for (const OperandLimits& row : ops::op_support_limits()) {
            if (!is_meant(key, row.op) || !covered.insert(row.op).second) {
                continue;
            }
            for (std::size_t i = 0; i < cells.size(); i += 5) {
                expect_covered(row.op, cells, i);
            }
        }
    }
    EXPECT_EQ(covered.size(), 95U);
}

} // namespace
} // namespace sluice::testing
