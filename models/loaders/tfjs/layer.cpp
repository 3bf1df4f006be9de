// SPDX-License-Identifier: Apache-2.0
// Access to a layer's configuration and weights.
#include "models/loaders/tfjs/layer.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/unary.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/text.h"

namespace sluice::models::tfjs {

using graph::OperandId;
using nlohmann::json;
using ops::UnaryKind;

Result<OperandId> Layer::input() const {
    if (inputs_.empty()) {
        return fail(ErrorCode::Parse, "it has no input");
    }
    return inputs_[0];
}

Result<OperandId> Layer::weight(std::string_view role) {
    const std::string name = label() + "/" + std::string(role);
    std::vector<Value>& values = translation_.values[name];
    if (values.empty()) {
        const Weight* found = translation_.weights.find(name);
        if (found == nullptr) {
            return fail(ErrorCode::Parse, "its weight '{}' is missing", clean_text(name));
        }
        values.push_back({.weight = found});
    }
    return materialize(translation_, values[0], name);
}

Result<std::optional<OperandId>> Layer::weight_if(std::string_view flag, std::string_view role) {
    if (!this->flag(flag, true)) {
        return std::nullopt;
    }
    SLUICE_TRY_ASSIGN(const OperandId found, weight(role));
    return found;
}

const json* Layer::find(std::string_view key) const {
    const auto found = config_.find(std::string(key));
    return found == config_.end() || found->is_null() ? nullptr : &*found;
}

Result<std::int64_t> Layer::integer(std::string_view key, std::int64_t otherwise) const {
    const json* value = find(key);
    if (value == nullptr) {
        return otherwise;
    }
    if (!value->is_number_integer()) {
        return fail(ErrorCode::Parse, "'{}' is no integer", key);
    }
    return value->get<std::int64_t>();
}

Result<double> Layer::real(std::string_view key, double otherwise) const {
    const json* value = find(key);
    if (value == nullptr) {
        return otherwise;
    }
    if (!value->is_number()) {
        return fail(ErrorCode::Parse, "'{}' is no number", key);
    }
    return value->get<double>();
}

bool Layer::flag(std::string_view key, bool otherwise) const {
    const json* value = find(key);
    return value != nullptr && value->is_boolean() ? value->get<bool>() : otherwise;
}

std::string Layer::text(std::string_view key, std::string_view otherwise) const {
    const json* value = find(key);
    return value != nullptr && value->is_string() ? value->get<std::string>()
                                                  : std::string(otherwise);
}

Result<std::vector<std::int64_t>> Layer::integers(std::string_view key) const {
    std::vector<std::int64_t> out;
    const json* value = find(key);
    if (value == nullptr) {
        return out;
    }
    if (value->is_number_integer()) {
        out.push_back(value->get<std::int64_t>());
        return out;
    }
    if (!value->is_array()) {
        return fail(ErrorCode::Parse, "'{}' is no list", key);
    }
    for (const json& item : *value) {
        if (!item.is_number_integer()) {
            return fail(ErrorCode::Parse, "'{}' is no list of integers", key);
        }
        out.push_back(item.get<std::int64_t>());
    }
    return out;
}

Result<std::array<std::int64_t, 2>> Layer::pair(std::string_view key,
                                                std::int64_t otherwise) const {
    SLUICE_TRY_ASSIGN(const auto values, integers(key));
    switch (values.size()) {
    case 0: return std::array{otherwise, otherwise};
    case 1: return std::array{values[0], values[0]};
    case 2: return std::array{values[0], values[1]};
    default: return fail(ErrorCode::Parse, "'{}' has {} entries", key, values.size());
    }
}

Result<std::array<std::int64_t, 4>> Layer::amounts(std::string_view key) const {
    const json* value = find(key);
    const auto is_pair = [](const json& item) {
        return item.is_array() && item.size() == 2 && item[0].is_number_integer() &&
               item[1].is_number_integer();
    };
    if (value != nullptr && value->is_array() && value->size() == 2 && is_pair((*value)[0]) &&
        is_pair((*value)[1])) {
        return std::array{(*value)[0][0].get<std::int64_t>(), (*value)[0][1].get<std::int64_t>(),
                          (*value)[1][0].get<std::int64_t>(), (*value)[1][1].get<std::int64_t>()};
    }
    SLUICE_TRY_ASSIGN(const auto both, pair(key, 0));
    return std::array{both[0], both[0], both[1], both[1]};
}

Status Layer::require_channels_last() const {
    const std::string format = text("data_format", "channels_last");
    if (format != "channels_last") {
        return fail(ErrorCode::Unsupported, "the data format '{}'", clean_text(format));
    }
    return {};
}

Result<OperandId> Layer::activate(OperandId x, std::string_view name) {
    struct Row {
        std::string_view name;
        ops::Activation function;
    };
    static const std::array kFunctions{
        Row{"elu", {.kind = UnaryKind::Elu, .alpha = 1.0}},
        Row{"exponential", {.kind = UnaryKind::Exp}},
        Row{"gelu", {.kind = UnaryKind::Gelu}},
        // clip(0.2 x + 0.5, 0, 1), as Keras 2 and TensorFlow.js define it.
        Row{"hardSigmoid", {.kind = UnaryKind::HardSigmoid, .alpha = 0.2, .beta = 0.5}},
        Row{"hard_sigmoid", {.kind = UnaryKind::HardSigmoid, .alpha = 0.2, .beta = 0.5}},
        Row{"relu", {.kind = UnaryKind::Relu}},
        Row{"relu6", {.kind = UnaryKind::Clamp, .alpha = 0.0, .beta = 6.0}},
        Row{"sigmoid", {.kind = UnaryKind::Sigmoid}},
        Row{"softplus", {.kind = UnaryKind::Softplus}},
        Row{"softsign", {.kind = UnaryKind::Softsign}},
        Row{"tanh", {.kind = UnaryKind::Tanh}},
    };
    if (name.empty() || name == "linear") {
        return x;
    }
    if (name == "softmax") {
        return tensorflow::softmax(*this, x);
    }
    if (name == "swish" || name == "silu") {
        SLUICE_TRY_ASSIGN(const OperandId gate, build().sigmoid(x, label()));
        return build().mul(x, gate, label());
    }
    for (const Row& row : kFunctions) {
        if (row.name == name) {
            return build().unary(row.function, x, label());
        }
    }
    return fail(ErrorCode::Unsupported, "the activation '{}'", clean_text(name));
}

} // namespace sluice::models::tfjs
