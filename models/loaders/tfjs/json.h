// SPDX-License-Identifier: Apache-2.0
// What the readers of model.json share.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace sluice::models::tfjs {

// Empty where `key` is missing or no text. `object` is an object.
[[nodiscard]] inline std::string string_at(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

} // namespace sluice::models::tfjs
