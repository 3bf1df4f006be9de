// SPDX-License-Identifier: Apache-2.0
// tile: a strided copy in which every repeated axis is two, the repetitions standing still.
#include "core/ops/tile.h"

#include <variant>

#include "core/cpu/lowerings.h"
#include "core/cpu/strided_copy.h"
#include "core/runtime/function_kernel.h"

namespace sluice::cpu {
namespace {

std::size_t rank_of_copy(const ops::Tile& op) {
    std::size_t rank = op.repetitions.size();
    for (const std::uint32_t repetitions : op.repetitions) {
        rank += repetitions > 1 ? 1 : 0;
    }
    return rank;
}

} // namespace

Status supports_tile(const graph::Graph& /*graph*/, const graph::Node& node) {
    const std::size_t rank = rank_of_copy(std::get<ops::Tile>(node.attributes));
    if (rank > graph::kMaxRank) {
        return fail(ErrorCode::Unsupported, "axes and repeated axes are {}, more than {}", rank,
                    graph::kMaxRank);
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_tile(const graph::Graph& graph,
                                                    const graph::Node& node) {
    const auto& op = std::get<ops::Tile>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const auto from = graph::strides_of(x.shape());
    const auto to = graph::strides_of(graph.desc(node.outputs[0]).shape());
    graph::Shape shape;
    StridedCopy::Strides from_strides{};
    StridedCopy::Strides to_strides{};
    const auto append = [&](std::uint32_t size, std::size_t read, std::size_t write) {
        from_strides[shape.rank()] = read;
        to_strides[shape.rank()] = write;
        shape.push_back(size);
    };
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        if (op.repetitions[axis] > 1) {
            append(op.repetitions[axis], 0, to[axis] * x.shape()[axis]);
        }
        append(x.shape()[axis], from[axis], to[axis]);
    }
    const StridedCopy copy(shape, from_strides, to_strides, graph::size_of(x.type()));
    return runtime::make_kernel(
        [=](const runtime::KernelIo& io) { copy.run(io.outputs[0], io.inputs[0], io.threads); });
}

} // namespace sluice::cpu
