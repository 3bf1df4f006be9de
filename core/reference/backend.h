// SPDX-License-Identifier: Apache-2.0
// The reference backend: every operator as naive loops. The oracle, and the last resort.
#pragma once

#include "core/runtime/backend.h"

namespace sluice::reference {

[[nodiscard]] const runtime::Backend& backend();

} // namespace sluice::reference
