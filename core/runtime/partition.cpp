// SPDX-License-Identifier: Apache-2.0
// Assigns nodes to backends in order of preference.
#include "core/runtime/partition.h"

#include <format>
#include <utility>

namespace sluice::runtime {

Result<std::vector<Assignment>> partition(const graph::Graph& graph,
                                          std::span<const Backend* const> backends) {
    std::vector<Assignment> assignments;
    assignments.reserve(graph.nodes().size());
    std::string problems;
    for (const graph::Node& node : graph.nodes()) {
        Assignment assignment;
        for (const Backend* backend : backends) {
            Status status = backend->supports(graph, node);
            if (status) {
                assignment.backend = backend;
                break;
            }
            assignment.reason += std::format("{}{}: {}", assignment.reason.empty() ? "" : "; ",
                                             backend->name(), status.error().message);
        }
        if (assignment.backend == nullptr) {
            problems += std::format("{}{} ({})", problems.empty() ? "" : ", ", title(graph, node),
                                    assignment.reason);
        }
        assignments.push_back(std::move(assignment));
    }
    if (!problems.empty()) {
        return fail(ErrorCode::Unsupported, "no backend runs {}", problems);
    }
    return assignments;
}

} // namespace sluice::runtime
