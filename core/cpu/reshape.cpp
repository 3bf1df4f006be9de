// SPDX-License-Identifier: Apache-2.0
// reshape: the same bytes; nothing at all where the plan gave both tensors one place.
#include "core/ops/reshape.h"

#include <cstring>

#include "core/cpu/lowerings.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {

Status supports_reshape(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {}; // elements of any size are moved as bytes
}

Result<std::unique_ptr<runtime::Kernel>> lower_reshape(const graph::Graph& graph,
                                                       const graph::Node& node) {
    const std::size_t bytes = graph.desc(node.inputs[0]).byte_size();
    return runtime::make_kernel([bytes](const runtime::KernelIo& io) {
        if (io.outputs[0] == io.inputs[0]) {
            return;
        }
        io.threads.parallel_for(
            bytes, kGrainElements * sizeof(float), [&](std::size_t begin, std::size_t end) {
                std::memcpy(io.outputs[0] + begin, io.inputs[0] + begin, end - begin);
            });
    });
}

} // namespace sluice::cpu
