// SPDX-License-Identifier: Apache-2.0
// From a conformance vector's JSON calls to a graph.
#pragma once

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "tests/support/vectors.h"

namespace sluice::testing {

// Unsupported names an operator, option or data type that the builder does not have; any other
// error is the builder's.
[[nodiscard]] Result<graph::Graph> build_vector_graph(const VectorTest& test);

} // namespace sluice::testing
