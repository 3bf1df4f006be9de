// SPDX-License-Identifier: Apache-2.0
// Ctrl-C as a flag, so that long work can clean up.
#pragma once

namespace sluice::cli {

// From now on SIGINT and SIGTERM set the flag; a second one ends the program at once.
void catch_interrupts();
[[nodiscard]] bool was_interrupted();

} // namespace sluice::cli
