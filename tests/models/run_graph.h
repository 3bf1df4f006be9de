// SPDX-License-Identifier: Apache-2.0
// Loads a file and runs it on the reference device, for tests that compare numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "core/engine.h"
#include "models/loaders/loader.h"

namespace sluice::models::test {

// What a graph computed: each output's shape and bytes.
struct RunOutput {
    std::vector<std::uint32_t> shape;
    std::vector<std::byte> bytes;

    template <typename T>
    [[nodiscard]] std::vector<T> as() const {
        std::vector<T> values(bytes.size() / sizeof(T));
        std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
        return values;
    }
    [[nodiscard]] std::vector<float> floats() const { return as<float>(); }
};

// The inputs' values, in the order of the graph's inputs. Failures are reported and end in an empty
// result.
inline std::vector<RunOutput> run_graph(const FileBytes& file,
                                        const std::vector<std::vector<float>>& inputs,
                                        const LoadOptions& options = {}) {
    auto model = load_model(file, "test", options);
    if (!model) {
        ADD_FAILURE() << model.error().message;
        return {};
    }
    auto executable =
        compile(std::move(model->graph), {.device = DeviceKind::Reference, .threads = 1});
    if (!executable) {
        ADD_FAILURE() << executable.error().message;
        return {};
    }
    if ((*executable)->inputs().size() != inputs.size()) {
        ADD_FAILURE() << (*executable)->inputs().size() << " inputs";
        return {};
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto target = (*executable)->input_floats(i);
        if (target.size() != inputs[i].size()) {
            ADD_FAILURE() << "input " << i << " has " << target.size() << " elements";
            return {};
        }
        std::ranges::copy(inputs[i], target.begin());
    }
    if (const Status ran = (*executable)->run(); !ran) {
        ADD_FAILURE() << ran.error().message;
        return {};
    }
    std::vector<RunOutput> outputs;
    for (std::size_t i = 0; i < (*executable)->outputs().size(); ++i) {
        const auto& shape = (*executable)->outputs()[i].desc.shape();
        const auto bytes = (*executable)->output(i);
        outputs.push_back({{shape.begin(), shape.end()}, {bytes.begin(), bytes.end()}});
    }
    return outputs;
}

inline void expect_near(const std::vector<float>& actual, const std::vector<float>& expected,
                        float tolerance = 1e-5F) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(actual[i], expected[i], tolerance) << "element " << i;
    }
}

} // namespace sluice::models::test
