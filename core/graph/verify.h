// SPDX-License-Identifier: Apache-2.0
// The verifier: what must be true of every graph, after building and after every pass.
#pragma once

#include "core/base/result.h"
#include "core/graph/graph.h"

namespace sluice::graph {

// Checks that ids are in range; every operand has one producer at most and is produced before use;
// constants have as many bytes as their descriptor says; output descriptors equal what infer()
// says; inputs and outputs have unique, non-empty names and there is at least one output. The error
// names the node by its label.
[[nodiscard]] Status verify(const GraphParts& parts);

} // namespace sluice::graph
