// SPDX-License-Identifier: Apache-2.0
// Call tapes of the WebNN validation tests: reading one, and making its builder calls.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/graph/builder.h"

namespace sluice::testing {

// The JSON of a gzip file; nothing where it cannot be read.
[[nodiscard]] std::optional<nlohmann::json> read_tape(const std::filesystem::path& path);

// How the replay of one call went.
enum class Verdict : std::uint8_t { Agrees, Disagrees, Skipped };

struct Outcome {
    Verdict verdict;
    std::string why; // of a disagreement, or the reason for skipping
};

// Replays the calls of one test in order.
class TapePlayer {
public:
    [[nodiscard]] Outcome play(const nlohmann::json& call);

private:
    struct Made {
        std::int64_t builder;
        std::vector<graph::OperandId> operands;
    };

    [[nodiscard]] Outcome play_input(const nlohmann::json& call);
    [[nodiscard]] Outcome play_constant(const nlohmann::json& call);
    [[nodiscard]] Outcome play_op(const nlohmann::json& call);
    [[nodiscard]] Outcome play_build(const nlohmann::json& call);
    [[nodiscard]] Outcome play_expect(const nlohmann::json& call) const;
    // Whether the builder that the call is made on belongs to a context that was destroyed.
    [[nodiscard]] bool is_destroyed(const nlohmann::json& call) const;
    // Keeps what the call made, and compares its success with the tape's.
    [[nodiscard]] Outcome judge(const nlohmann::json& call,
                                const Result<std::vector<graph::OperandId>>& result);

    std::map<std::int64_t, std::unique_ptr<graph::GraphBuilder>> builders_;
    std::map<std::int64_t, std::int64_t> context_of_; // of a builder
    std::set<std::int64_t> destroyed_;                // contexts
    std::set<std::int64_t> built_;                    // builders, whose operands are gone
    std::map<std::int64_t, Made> made_;
};

} // namespace sluice::testing
