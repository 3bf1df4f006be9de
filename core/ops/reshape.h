// SPDX-License-Identifier: Apache-2.0
// The same elements under another shape (WebNN reshape).
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

struct Reshape {
    static constexpr std::string_view kName = "reshape";
    graph::Shape shape;
};

// Inputs: x with as many elements.
[[nodiscard]] Result<std::vector<graph::TensorDesc>>
infer(const Reshape& op, std::span<const graph::TensorDesc> inputs);

// The attributes as text, defaults left out.
[[nodiscard]] std::string describe(const Reshape& op);

} // namespace sluice::ops
