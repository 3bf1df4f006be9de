// SPDX-License-Identifier: Apache-2.0
// Kernels and tile sizes that a node may as well have: what a tuner times. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/vulkan/profile.h"
#include "core/vulkan/tuning.h"

namespace sluice::vulkan {

struct KernelCandidate {
    std::string name; // kept on disk: "table", "direct 2x64", "tiled medium"
    Tuning tuning;
};

// What the table chose first, as "table", then the others that the device holds. Alone where a
// node's kernel has nothing to choose. Several may come down to the same steps.
[[nodiscard]] std::vector<KernelCandidate>
kernel_candidates(const DeviceProfile& profile, const Tuning& table, const graph::Node& node);

// What nodes of equal kernels have in common: operator, attributes, types and shapes of operands,
// and what the user chose.
[[nodiscard]] std::string kernel_shape(const Tuning& table, const graph::Graph& graph,
                                       const graph::Node& node);

} // namespace sluice::vulkan
