// SPDX-License-Identifier: Apache-2.0
// A graph as text and as Graphviz DOT.
#pragma once

#include <string>

#include "core/graph/graph.h"

namespace sluice::graph {

// A line a node: "%12 float32[1,64,64,24] = conv2d(%11, %3, %4) strides=[2,2] 'stem'", inputs and
// outputs first, constants by shape only.
[[nodiscard]] std::string to_text(const Graph& graph);

// Graphviz: a box a node, an edge a tensor labelled with its shape; constants left out.
[[nodiscard]] std::string to_dot(const Graph& graph);

} // namespace sluice::graph
