// SPDX-License-Identifier: Apache-2.0
// Dynamic shapes: one network, compiled for each set of input shapes that occurs.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/recent.h"
#include "core/base/result.h"
#include "core/engine.h"
#include "core/graph/graph.h"
#include "core/runtime/executable.h"

namespace sluice {

// Graphs have fixed shapes; a network that takes several is a function that gives its graph for
// them, such as a loader with the dimensions that its file only names bound to these. Executables
// are kept, the last used ones, so that shapes that alternate are compiled once. Not thread-safe.
class Specializations {
public:
    // The graph for inputs of these shapes, in the order in which the caller names them.
    using Source = std::function<Result<graph::Graph>(std::span<const graph::Shape> inputs)>;

    static constexpr std::size_t kDefaultBound = 4;

    Specializations(Source source, EngineOptions options, std::size_t bound = kDefaultBound)
        : source_(std::move(source)), options_(std::move(options)), executables_(bound) {}

    // Compiled on first use. It lives as long as somebody holds it, kept here or not.
    [[nodiscard]] Result<std::shared_ptr<runtime::Executable>>
    of(std::span<const graph::Shape> inputs);

    [[nodiscard]] std::size_t kept() const { return executables_.size(); }

private:
    Source source_;
    EngineOptions options_;
    Recent<std::vector<graph::Shape>, std::shared_ptr<runtime::Executable>> executables_;
};

} // namespace sluice
