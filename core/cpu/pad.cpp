// SPDX-License-Identifier: Apache-2.0
// pad with a constant, row by row.
#include "core/ops/pad.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <variant>

#include "core/cpu/lowerings.h"
#include "core/ops/quantization.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

struct Axis {
    std::size_t size, before, after; // of the input; padding on either side
};

struct Geometry {
    // Outermost first. An axis without padding is part of the axis before it, so that the last one
    // is the longest row that lies together in both tensors.
    std::array<Axis, graph::kMaxRank> axes{};
    std::size_t rank = 0;
    std::size_t rows = 1; // of the output
    double value = 0.0;

    [[nodiscard]] std::size_t row_size() const {
        const Axis& last = axes[rank - 1];
        return last.before + last.size + last.after;
    }
};

Geometry geometry_of(const ops::Pad& op, const graph::Shape& x) {
    Geometry g{.axes = {{{1, 0, 0}}}, .rank = 1, .rows = 1, .value = op.value};
    for (std::size_t i = 0; i < x.rank(); ++i) {
        Axis& last = g.axes[g.rank - 1];
        if (op.beginning[i] == 0 && op.ending[i] == 0) {
            last = {last.size * x[i], last.before * x[i], last.after * x[i]};
        } else if (last.size == 1 && last.before == 0 && last.after == 0) {
            last = {x[i], op.beginning[i], op.ending[i]};
        } else {
            g.axes[g.rank++] = {x[i], op.beginning[i], op.ending[i]};
        }
    }
    for (std::size_t i = 0; i + 1 < g.rank; ++i) {
        g.rows *= g.axes[i].before + g.axes[i].size + g.axes[i].after;
    }
    return g;
}

template <typename T>
void pad_row(const Geometry& g, const T* x, T* y, std::size_t row) {
    std::size_t rest = row;
    std::size_t offset = 0;
    std::size_t stride = 1; // of the input, in rows
    bool inside = true;
    for (std::size_t i = g.rank - 1; i-- > 0;) {
        const Axis& axis = g.axes[i];
        const std::size_t size = axis.before + axis.size + axis.after;
        // Before the tensor this wraps to a huge value.
        const std::size_t index = rest % size - axis.before;
        rest /= size;
        inside = inside && index < axis.size;
        offset += inside ? index * stride : 0;
        stride *= axis.size;
    }
    const Axis& last = g.axes[g.rank - 1];
    const T value = static_cast<T>(g.value);
    T* to = y + row * g.row_size();
    if (!inside) {
        std::fill_n(to, g.row_size(), value);
        return;
    }
    std::fill_n(to, last.before, value);
    std::memcpy(to + last.before, x + offset * last.size, last.size * sizeof(T));
    std::fill_n(to + last.before + last.size, last.after, value);
}

template <typename T>
Result<std::unique_ptr<runtime::Kernel>> pad_kernel(const Geometry& g) {
    const std::size_t grain = std::max<std::size_t>(1, kGrainElements / g.row_size());
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        io.threads.parallel_for(g.rows, grain, [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) {
                pad_row(g, io.input<T>(0), io.output<T>(0), row);
            }
        });
    });
}

} // namespace

Status supports_pad(const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::Pad>(node.attributes);
    const graph::DataType type = graph.desc(node.inputs[0]).type();
    if (!ops::is_byte(type)) {
        SLUICE_TRY(require_float32(graph, node));
    } else if (!(op.value >= (type == graph::DataType::Int8 ? -128.0 : 0.0) &&
                 op.value <= (type == graph::DataType::Int8 ? 127.0 : 255.0))) {
        return fail(ErrorCode::Unsupported, "padding with {} of {} has no kernel", op.value,
                    graph::name(type));
    }
    if (op.mode != ops::PaddingMode::Constant) {
        return fail(ErrorCode::Unsupported, "only constant padding has a kernel");
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_pad(const graph::Graph& graph,
                                                   const graph::Node& node) {
    const Geometry g =
        geometry_of(std::get<ops::Pad>(node.attributes), graph.desc(node.inputs[0]).shape());
    switch (graph.desc(node.inputs[0]).type()) {
    case graph::DataType::Int8: return pad_kernel<std::int8_t>(g);
    case graph::DataType::Uint8: return pad_kernel<std::uint8_t>(g);
    default: return pad_kernel<float>(g);
    }
}

} // namespace sluice::cpu
