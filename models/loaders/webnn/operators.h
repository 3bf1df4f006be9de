// SPDX-License-Identifier: Apache-2.0
// MLGraphBuilder's methods and the attributes that they stand for.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/ops/attributes.h"

namespace sluice::models::webnn {

// One option of an element-wise function: its name, the value of its absence, and where it is kept.
struct Parameter {
    std::string_view name;
    double absent;
    double ops::Activation::* member;
};
// The options of this function; most have none.
[[nodiscard]] std::span<const Parameter> parameters_of(ops::UnaryKind kind);

// The method that makes such a node: "conv2d", "reduceMean", "argMax", "gatherND".
[[nodiscard]] std::string method_of(const ops::Attributes& attributes);

// What the method makes when all its options are absent; null where there is no such method.
[[nodiscard]] const ops::Attributes* find_method(std::string_view method);
// All methods, sorted.
[[nodiscard]] std::span<const std::string> methods();

} // namespace sluice::models::webnn
