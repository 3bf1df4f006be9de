// SPDX-License-Identifier: Apache-2.0
// One method call of WebNN JSON as the attributes and the operands of a node.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/attributes.h"

namespace sluice::models::webnn {

struct Call {
    ops::Attributes attributes;
    std::vector<std::uint32_t> inputs; // places in the list of operands; not yet checked
};

// Parse names what is missing, of the wrong type or unknown. `attributes` is what find_method()
// gave for the call's method.
[[nodiscard]] Result<Call> read_call(const nlohmann::json& call, const ops::Attributes& attributes);

// The members of objects, with messages that name the key.
[[nodiscard]] Result<std::uint32_t> read_number(const nlohmann::json& object, const char* key);
[[nodiscard]] Result<std::string> read_text(const nlohmann::json& object, const char* key);
// MLOperandDescriptor: dataType and shape.
[[nodiscard]] Result<graph::TensorDesc> read_desc(const nlohmann::json& object);

} // namespace sluice::models::webnn
