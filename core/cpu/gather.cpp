// SPDX-License-Identifier: Apache-2.0
// gather: blocks of the input picked by indices, each moved as bytes.
#include "core/ops/gather.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <variant>

#include "core/cpu/lowerings.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

// Index `i` on an axis of `size`: from the end where negative, clamped to the axis.
std::size_t index_at(graph::DataType type, const std::byte* indices, std::size_t i,
                     std::int64_t size) {
    std::int64_t value = 0;
    if (type == graph::DataType::Int64) {
        std::memcpy(&value, indices + i * sizeof(value), sizeof(value));
    } else {
        std::uint32_t bits = 0;
        std::memcpy(&bits, indices + i * sizeof(bits), sizeof(bits));
        value = type == graph::DataType::Uint32 ? std::int64_t{bits}
                                                : std::int64_t{static_cast<std::int32_t>(bits)};
    }
    const std::int64_t within = std::clamp(value, -size, size - 1);
    return static_cast<std::size_t>(within < 0 ? within + size : within);
}

} // namespace

Status supports_gather(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {}; // elements of any size are moved as bytes
}

Result<std::unique_ptr<runtime::Kernel>> lower_gather(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const std::uint32_t axis = std::get<ops::Gather>(node.attributes).axis;
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& indices = graph.desc(node.inputs[1]);
    const std::size_t size = x.shape()[axis];
    const std::size_t block = graph::strides_of(x.shape())[axis] * graph::size_of(x.type());
    const std::size_t picks = indices.element_count();
    const std::size_t count = x.byte_size() / (size * block) * picks;
    const std::size_t grain = std::max<std::size_t>(1, kGrainElements * sizeof(float) / block);
    return runtime::make_kernel([=, type = indices.type()](const runtime::KernelIo& io) {
        io.threads.parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                const std::size_t from =
                    i / picks * size +
                    index_at(type, io.inputs[1], i % picks, static_cast<std::int64_t>(size));
                std::memcpy(io.outputs[0] + i * block, io.inputs[0] + from * block, block);
            }
        });
    });
}

} // namespace sluice::cpu
