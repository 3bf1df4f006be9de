// SPDX-License-Identifier: Apache-2.0
// What a layer's function sees: its configuration, its weights, the graph that is being built; and
// the table of layers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {

class Layer : public tensorflow::Context {
public:
    // `config` is the layer's own, an object that outlives this.
    Layer(Translation& translation, const nlohmann::json& config, std::string name,
          std::vector<graph::OperandId> inputs)
        : Context(translation.builder, translation.budget, std::move(name)),
          translation_(translation), config_(config), inputs_(std::move(inputs)) {}

    [[nodiscard]] const std::vector<graph::OperandId>& inputs() const { return inputs_; }
    // Parse where the layer has no inputs.
    [[nodiscard]] Result<graph::OperandId> input() const;

    // Weight `role` of the layer ("kernel").
    [[nodiscard]] Result<graph::OperandId> weight(std::string_view role);
    // The same where the configuration's flag says that there is one; on where it says nothing.
    [[nodiscard]] Result<std::optional<graph::OperandId>> weight_if(std::string_view flag,
                                                                    std::string_view role);

    // Entries of the configuration; Parse where one has another form.
    [[nodiscard]] Result<std::int64_t> integer(std::string_view key, std::int64_t otherwise) const;
    [[nodiscard]] Result<double> real(std::string_view key, double otherwise) const;
    [[nodiscard]] bool flag(std::string_view key, bool otherwise) const;
    [[nodiscard]] std::string text(std::string_view key, std::string_view otherwise) const;
    [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::string_view key) const;
    // Height and width: a list of two, or one number for both.
    [[nodiscard]] Result<std::array<std::int64_t, 2>> pair(std::string_view key,
                                                           std::int64_t otherwise) const;
    // Before and behind of height and width, as ZeroPadding2D has them.
    [[nodiscard]] Result<std::array<std::int64_t, 4>> amounts(std::string_view key) const;

    // Unsupported where the configuration has channels before height and width.
    [[nodiscard]] Status require_channels_last() const;

    // x under the activation of this name.
    [[nodiscard]] Result<graph::OperandId> activate(graph::OperandId x, std::string_view name);

private:
    [[nodiscard]] const nlohmann::json* find(std::string_view key) const;

    Translation& translation_;
    const nlohmann::json& config_;
    std::vector<graph::OperandId> inputs_;
};

using LayerFunction = Result<graph::OperandId> (*)(Layer&);

// The function of a class of layers, Keras's own or one of those that models bring along; null for
// those that we lack.
[[nodiscard]] LayerFunction find_layer(std::string_view class_name);

} // namespace sluice::models::tfjs
