// SPDX-License-Identifier: Apache-2.0
// Memory whose contents must not reach a disk, nor what is made of them: that of sealed models.
#pragma once

#include <memory>

namespace sluice {

// Remembers the memory by its owner for as long as that has users. Thread-safe.
void mark_confidential(const std::shared_ptr<const void>& owner);
// False for null.
[[nodiscard]] bool is_confidential(const std::shared_ptr<const void>& owner);

} // namespace sluice
