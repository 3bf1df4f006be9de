// SPDX-License-Identifier: Apache-2.0
// lookup: a table of 256 entries, element by element.
#include "core/ops/lookup.h"

#include <cstdint>

#include "core/cpu/lowerings.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

template <typename T>
Result<std::unique_ptr<runtime::Kernel>> lookup_kernel(std::size_t count) {
    return runtime::make_kernel([count](const runtime::KernelIo& io) {
        const auto* const x = io.input<std::uint8_t>(0);
        const T* const table = io.input<T>(1);
        T* const y = io.output<T>(0);
        io.threads.parallel_for(count, kGrainElements, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                y[i] = table[x[i]];
            }
        });
    });
}

} // namespace

Status supports_lookup(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {}; // elements of any size are moved as bytes
}

Result<std::unique_ptr<runtime::Kernel>> lower_lookup(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const std::size_t count = graph.desc(node.inputs[0]).element_count();
    switch (graph::size_of(graph.desc(node.inputs[1]).type())) {
    case 1: return lookup_kernel<std::uint8_t>(count);
    case 2: return lookup_kernel<std::uint16_t>(count);
    case 4: return lookup_kernel<std::uint32_t>(count);
    default: return lookup_kernel<std::uint64_t>(count);
    }
}

} // namespace sluice::cpu
