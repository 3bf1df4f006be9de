// SPDX-License-Identifier: Apache-2.0
// Sizes of inputs that a file leaves open.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/loader.h"

namespace sluice::models::tfjs {

// The shape of the input `name`, of which the file says `dims` (-1: open), closed as tfjs_loader.h
// tells.
[[nodiscard]] Result<graph::Shape>
closed_shape(std::string_view name, std::span<const std::int64_t> dims, const LoadOptions& options);

} // namespace sluice::models::tfjs
