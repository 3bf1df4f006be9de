// SPDX-License-Identifier: Apache-2.0
// What tells one build of Sluice from another.
#pragma once

#include <string>

namespace sluice::runtime {

// The linker's build id of the program or library that this code is in, as hexadecimal digits:
// another one after any change of any code in it. Empty where it was linked without.
[[nodiscard]] std::string build_id();

} // namespace sluice::runtime
