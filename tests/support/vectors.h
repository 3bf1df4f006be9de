// SPDX-License-Identifier: Apache-2.0
// WebNN's conformance vectors: graphs with inputs, expected outputs and tolerances, read from JSON
// files that lie beside the checkout.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/runtime/backend.h"

namespace sluice::testing {

struct VectorTensor {
    std::string type; // WebNN's name; also of types that we do not have
    std::vector<std::uint32_t> dims;
    bool is_constant = false;
    std::vector<std::byte> bytes;
};

// One test of one file.
struct VectorTest {
    std::string file; // "conv2d"
    std::string name;
    nlohmann::json operators;
    std::map<std::string, VectorTensor> inputs;
    std::map<std::string, VectorTensor> outputs;
    bool in_ulp = true; // else absolute
    double tolerance = 0.0;
    std::string broken; // why the data itself is unusable, if it is
};

struct VectorOutcome {
    enum class Kind { Passed, Failed, Skipped } kind = Kind::Passed;
    std::string reason;
    std::string backend; // of the last step that ran
};

// Every test of every file, in the order of names.
[[nodiscard]] std::vector<VectorTest> load_vectors(const std::filesystem::path& folder);

// Those beside the checkout, loaded once; none where they are not there.
[[nodiscard]] const std::vector<VectorTest>& all_vectors();

// A name as GoogleTest allows it, made unique by a number.
[[nodiscard]] std::string vector_test_name(const VectorTest& test, std::size_t number);

// Builds the test's graph, compiles it for the backends, runs it and compares. Skipped, with the
// reason, where the graph needs an operator, option or data type that the builder does not have,
// and where the specification has left the vector behind.
[[nodiscard]] VectorOutcome run_vector(const VectorTest& test,
                                       std::span<const runtime::Backend* const> backends);

} // namespace sluice::testing
