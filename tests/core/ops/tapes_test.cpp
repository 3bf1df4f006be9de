// SPDX-License-Identifier: Apache-2.0
// The WebNN validation tests of web-platform-tests, replayed against GraphBuilder.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/ops/tape.h"
#include "tests/support/conformance_folder.h"

namespace sluice::testing {
namespace {

namespace fs = std::filesystem;

struct Score {
    std::size_t agree = 0;
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
    const std::size_t replayed = score.agree + score.disagreements.size();
    std::cout << files << " tapes, " << replayed << " calls replayed, "
              << score.disagreements.size() << " disagree\n";
    EXPECT_GT(replayed, 30000U) << "too little of the tapes was understood";
    EXPECT_GE(score.agree * 100, replayed * 99);
}

} // namespace
} // namespace sluice::testing
