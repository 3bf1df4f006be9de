// SPDX-License-Identifier: Apache-2.0
// Counting of operations, percentiles, and the process's own accounts.
#include "pipelines/cli/cost.h"

#include <algorithm>
#include <cmath>

#include <sys/resource.h>

namespace sluice::cli {
namespace {

std::uint64_t elements(const graph::Graph& graph, graph::OperandId id) {
    return graph.desc(id).element_count();
}

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

} // namespace

std::uint64_t flop_of(const graph::Graph& graph, const graph::Node& node) {
    if (const auto* conv = std::get_if<ops::Conv2d>(&node.attributes)) {
        const auto filter =
            ops::filter_dims(graph.desc(node.inputs[1]).shape(), conv->filter_layout);
        return 2 * elements(graph, node.outputs[0]) * filter.input_channels * filter.height *
               filter.width;
    }
    if (const auto* conv = std::get_if<ops::ConvTranspose2d>(&node.attributes)) {
        // Every input element meets every tap of its group's output channels.
        const auto filter =
            ops::filter_dims(graph.desc(node.inputs[1]).shape(), conv->filter_layout);
        return 2 * elements(graph, node.inputs[0]) * filter.output_channels * filter.height *
               filter.width;
    }
    if (const auto* gemm = std::get_if<ops::Gemm>(&node.attributes)) {
        const graph::Shape& a = graph.desc(node.inputs[0]).shape();
        return 2 * elements(graph, node.outputs[0]) * a[gemm->a_transpose ? 0 : 1];
    }
    if (std::holds_alternative<ops::Matmul>(node.attributes)) {
        const graph::Shape& a = graph.desc(node.inputs[0]).shape();
        return 2 * elements(graph, node.outputs[0]) * a[a.rank() - 1];
    }
    return 0;
}

std::uint64_t flop_of(const graph::Graph& graph) {
    std::uint64_t sum = 0;
    for (const graph::Node& node : graph.nodes()) {
        sum += flop_of(graph, node);
    }
    return sum;
}

double percentile(const std::vector<double>& sorted, double percent) {
    const auto count = static_cast<double>(sorted.size());
    const double rank = std::ceil(percent / 100.0 * count);
    const auto index = static_cast<std::size_t>(std::clamp(rank, 1.0, count)) - 1;
    return sorted[index];
}

std::uint64_t peak_rss_bytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

} // namespace sluice::cli
