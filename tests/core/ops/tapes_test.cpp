// SPDX-License-Identifier: Apache-2.0
// The WebNN validation tests of web-platform-tests, replayed against GraphBuilder.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/ops/tape.h"
#include "tests/support/conformance_folder.h"

namespace sluice::testing {
namespace {

namespace fs = std::filesystem;

// Calls of 2025-03 that a rule has changed for, by a piece of their test's name: which rule.
std::string_view superseded(const std::string& name) {
    if (name.contains("minValue is -Infinity")) {
        return "clamp takes infinite limits since they are of type MLNumber";
    }
    if (name.contains("pad for scalar input")) {
        return "pad takes scalars, as tensor_limits.json requires";
    }
    if (name == "[convTranspose2d] Test with padding=1, groups=3.") {
        return "groups must divide the input channels: a third of a channel has no meaning";
    }
    return {};
}

struct Score {
    std::size_t agree = 0;
    std::size_t superseded = 0;
    std::map<std::string, std::size_t> skipped; // by reason
    std::vector<std::string> disagreements;
};

void replay(const nlohmann::json& tape, Score& score) {
    for (const auto& test : tape["tests"]) {
        TapePlayer player;
        for (const auto& call : tape["setup"]) {
            (void)player.play(call);
        }
        for (const auto& call : test["calls"]) {
            const Outcome outcome = player.play(call);
            switch (outcome.verdict) {
            case Verdict::Agrees: ++score.agree; break;
            case Verdict::Skipped: ++score.skipped[outcome.why]; break;
            case Verdict::Disagrees:
                if (const auto rule = superseded(test["name"]); !rule.empty()) {
                    ++score.superseded;
                    std::cout << "disagrees: " << test["name"] << ": " << rule << '\n';
                    break;
                }
                score.disagreements.push_back(test["name"].get<std::string>() + ": " +
                                              call.dump().substr(0, 160) + ": " + outcome.why);
                break;
            }
        }
    }
}

TEST(Tapes, builder_agrees_with_the_validation_tests) {
    const auto folder = conformance_folder("tapes");
    if (!folder) {
        GTEST_SKIP() << no_conformance_data("tapes");
    }
    Score score;
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(*folder)) {
        if (entry.path().extension() == ".gz") {
            const auto tape = read_tape(entry.path());
            ASSERT_TRUE(tape) << entry.path();
            replay(*tape, score);
            ++files;
        }
    }
    for (const auto& [reason, count] : score.skipped) {
        std::cout << "skipped " << count << ": " << reason << '\n';
    }
    for (const std::string& line : score.disagreements) {
        std::cout << "disagrees: " << line << '\n';
    }
    const std::size_t replayed = score.agree + score.superseded + score.disagreements.size();
    std::cout << files << " tapes, " << replayed << " calls replayed, " << replayed - score.agree
              << " disagree\n";
    // For docs/conformance.md.
    RecordProperty("passed", static_cast<int>(score.agree));
    RecordProperty("failed", static_cast<int>(score.disagreements.size()));
    RecordProperty("superseded", static_cast<int>(score.superseded));
    EXPECT_GT(replayed, 42000U) << "too little of the tapes was understood";
    EXPECT_TRUE(score.disagreements.empty()) << "no rule has changed for these";
}

} // namespace
} // namespace sluice::testing
