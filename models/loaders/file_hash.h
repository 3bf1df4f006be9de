// SPDX-License-Identifier: Apache-2.0
// SHA-256 of bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/base/result.h"

namespace sluice::models {

// 64 lower-case hexadecimal digits.
[[nodiscard]] Result<std::string> sha256(std::span<const std::byte> bytes);

} // namespace sluice::models
