// SPDX-License-Identifier: Apache-2.0
// Backend: something that can run nodes. Host backends lower nodes to kernels.
#pragma once

#include <memory>
#include <string_view>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/kernel.h"

namespace sluice::runtime {

// Stateless and immortal: implementations are constants of the process.
class Backend {
public:
    virtual ~Backend() = default;

    [[nodiscard]] virtual std::string_view name() const = 0; // "cpu", "reference"
    // Success, or Unsupported with the reason.
    [[nodiscard]] virtual Status supports(const graph::Graph& graph,
                                          const graph::Node& node) const = 0;
    [[nodiscard]] virtual Result<std::unique_ptr<Kernel>> lower(const graph::Graph& graph,
                                                                const graph::Node& node) const = 0;

protected:
    Backend() = default;
};

} // namespace sluice::runtime
