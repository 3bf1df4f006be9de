// SPDX-License-Identifier: Apache-2.0
// Broadcast to a larger shape (WebNN expand).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::ops {

struct Expand {
    static constexpr std::string_view kName = "expand";
    graph::Shape shape;
};

// Inputs: x, which must broadcast to `shape`.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Expand& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Expand& op);

} // namespace sluice::ops
