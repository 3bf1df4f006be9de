// SPDX-License-Identifier: Apache-2.0
// Backend: something that can run nodes. Host backends lower nodes to kernels one by one, or
// runs of them where that is better; device backends lower segments.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/kernel.h"
#include "core/runtime/segment.h"

namespace sluice::runtime {

// Host backends are stateless constants of the process. A device's backend holds its device; the
// executables that it made keep the device alive, not the backend.
class Backend {
public:
    virtual ~Backend() = default;

    [[nodiscard]] virtual std::string_view name() const = 0; // "cpu", "reference"
    // Success, or Unsupported with the reason.
    [[nodiscard]] virtual Status supports(const graph::Graph& graph,
                                          const graph::Node& node) const = 0;
    [[nodiscard]] virtual Result<std::unique_ptr<Kernel>> lower(const graph::Graph& graph,
                                                                const graph::Node& node) const = 0;

    // Host backends: how many nodes from `first` on, which it supports one and all, it runs as one
    // step; at least 1. Where it is more, lower_run() is called instead of lower().
    [[nodiscard]] virtual std::size_t run_length(const graph::Graph& /*graph*/,
                                                 std::size_t /*first*/) const {
        return 1;
    }
    // The kernel's inputs and outputs are those of the segment.
    [[nodiscard]] virtual Result<std::unique_ptr<Kernel>>
    lower_run(const graph::Graph& /*graph*/, const Segment& /*segment*/) const {
        return fail(ErrorCode::Internal, "the {} backend has no kernels of several nodes", name());
    }

    // Device backends: true, and lower() is not called.
    [[nodiscard]] virtual bool lowers_segments() const { return false; }
    [[nodiscard]] virtual Result<std::unique_ptr<SegmentKernel>>
    lower_segment(const graph::Graph& /*graph*/, const Segment& /*segment*/) const {
        return fail(ErrorCode::Internal, "the {} backend lowers nodes one by one", name());
    }

protected:
    Backend() = default;
};

} // namespace sluice::runtime
