// SPDX-License-Identifier: Apache-2.0
// where: the broadcast choice between two tensors, row by row.
#include "core/ops/where.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/cpu/lowerings.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

// The last axis is a row; an operand's stride along it is 1, or 0 where it is repeated.
struct Choice {
    graph::Shape shape;
    std::array<std::array<std::size_t, graph::kMaxRank>, 3> strides{}; // condition, yes, no
    std::size_t row_size = 1, rows = 1;

    [[nodiscard]] std::array<std::size_t, 3> row_offsets(std::size_t row) const {
        std::array<std::size_t, 3> offsets{};
        for (std::size_t axis = shape.rank() - 1; axis-- > 0;) {
            const std::size_t index = row % shape[axis];
            row /= shape[axis];
            for (std::size_t n = 0; n < 3; ++n) {
                offsets[n] += index * strides[n][axis];
            }
        }
        return offsets;
    }
};

template <typename T>
void choose(const Choice& c, const runtime::KernelIo& io, std::size_t begin, std::size_t end) {
    const std::size_t last = c.shape.rank() - 1;
    const std::size_t condition_step = c.strides[0][last];
    const std::size_t yes_step = c.strides[1][last];
    const std::size_t no_step = c.strides[2][last];
    for (std::size_t row = begin; row < end; ++row) {
        const auto at = c.row_offsets(row);
        const std::uint8_t* const condition = io.input<std::uint8_t>(0) + at[0];
        const T* const yes = io.input<T>(1) + at[1];
        const T* const no = io.input<T>(2) + at[2];
        T* const y = io.output<T>(0) + row * c.row_size;
        for (std::size_t i = 0; i < c.row_size; ++i) {
            const T a = yes[i * yes_step];
            const T b = no[i * no_step];
            y[i] = condition[i * condition_step] != 0 ? a : b;
        }
    }
}

Choice choice_of(const graph::Graph& graph, const graph::Node& node) {
    Choice c;
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    c.shape = y.rank() == 0 ? graph::Shape{1} : y;
    for (std::size_t n = 0; n < 3; ++n) {
        const graph::Shape& x = graph.desc(node.inputs[n]).shape();
        const auto dense = graph::strides_of(x);
        const std::size_t lead = c.shape.rank() - x.rank();
        for (std::size_t axis = 0; axis < x.rank(); ++axis) {
            c.strides[n][lead + axis] = x[axis] == 1 ? 0 : dense[axis];
        }
    }
    c.row_size = c.shape[c.shape.rank() - 1];
    c.rows = y.element_count() / c.row_size;
    return c;
}

template <typename T>
Result<std::unique_ptr<runtime::Kernel>> where_kernel(const Choice& c) {
    const std::size_t grain = std::max<std::size_t>(1, kGrainElements / c.row_size);
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        io.threads.parallel_for(c.rows, grain, [&](std::size_t begin, std::size_t end) {
            choose<T>(c, io, begin, end);
        });
    });
}

} // namespace

Status supports_where(const graph::Graph& /*graph*/, const graph::Node& /*node*/) {
    return {}; // elements of any size are moved as bytes
}

Result<std::unique_ptr<runtime::Kernel>> lower_where(const graph::Graph& graph,
                                                     const graph::Node& node) {
    const Choice c = choice_of(graph, node);
    switch (graph::size_of(graph.desc(node.outputs[0]).type())) {
    case 1: return where_kernel<std::uint8_t>(c);
    case 2: return where_kernel<std::uint16_t>(c);
    case 4: return where_kernel<std::uint32_t>(c);
    default: return where_kernel<std::uint64_t>(c);
    }
}

} // namespace sluice::cpu
