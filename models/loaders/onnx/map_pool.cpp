// SPDX-License-Identifier: Apache-2.0
// Mappings of pooling. WebNN never averages its padding, so that elements which a rounded-up last
// window lacks can be given as padding, axis by axis.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/pad.h"
#include "core/ops/pool2d.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/window.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;
using ops::PoolKind;

namespace {

struct Pool {
    OperandId x;
    Window window;
    bool rounds_up = false;
};

Result<Pool> pool_of(Operation& op) {
    Pool pool{};
    SLUICE_TRY_ASSIGN(pool.x, op.input(0));
    SLUICE_TRY_ASSIGN(pool.window, window_of(op, pool.x, {}));
    SLUICE_TRY_ASSIGN(const std::int64_t ceil_mode, op.integer("ceil_mode", 0));
    pool.rounds_up = ceil_mode != 0;
    if (pool.window.flat) {
        SLUICE_TRY_ASSIGN(pool.x, raised(op, pool.x));
    }
    const Shape shape = op.shape(pool.x);
    SLUICE_TRY(resolve_same(pool.window, {shape[2], shape[3]}));
    return pool;
}

// Zeros instead of the window's padding, so that they count.
Status pad_explicitly(Operation& op, Pool& pool) {
    auto& [height, width] = pool.window.axes;
    if (height.pad_begin + height.pad_end + width.pad_begin + width.pad_end == 0) {
        return {};
    }
    SLUICE_TRY_ASSIGN(pool.x,
                      op.build().pad(pool.x,
                                     {.beginning = {0, 0, height.pad_begin, width.pad_begin},
                                      .ending = {0, 0, height.pad_end, width.pad_end}},
                                     op.label()));
    for (Along& along : pool.window.axes) {
        along.pad_begin = 0;
        along.pad_end = 0;
    }
    return {};
}

// A last window that hangs over the end is kept where it starts before the padding behind does.
void round_up(Pool& pool, const std::array<std::uint32_t, 2>& input) {
    for (std::size_t i = 0; i < 2; ++i) {
        Along& along = pool.window.axes[i];
        const std::uint64_t padded = std::uint64_t{input[i]} + along.pad_begin + along.pad_end;
        if (padded < along.extent()) {
            continue; // the builder says so
        }
        const std::uint64_t over = (padded - along.extent()) % along.stride;
        const std::uint64_t next = (padded - along.extent()) / along.stride + 1; // one more window
        if (over != 0 && next * along.stride < std::uint64_t{input[i]} + along.pad_begin) {
            along.pad_end += static_cast<std::uint32_t>(along.stride - over);
        }
    }
}

Result<OperandId> pooled(Operation& op, Pool& pool, PoolKind kind) {
    const Shape shape = op.shape(pool.x);
    if (pool.rounds_up) {
        round_up(pool, {shape[2], shape[3]});
    }
    const auto& [height, width] = pool.window.axes;
    SLUICE_TRY_ASSIGN(const OperandId y,
                      op.build().pool2d(pool.x,
                                        {.kind = kind,
                                         .window = {height.size, width.size},
                                         .padding = {height.pad_begin, height.pad_end,
                                                     width.pad_begin, width.pad_end},
                                         .strides = {height.stride, width.stride},
                                         .dilations = {height.dilation, width.dilation}},
                                        op.label()));
    return pool.window.flat ? lowered(op, y) : Result<OperandId>(y);
}

// A reduction over all axes behind batch and channels.
Result<Outputs> global(Operation& op, ops::ReduceKind kind) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    const std::size_t rank = op.shape(x).rank();
    if (rank < 3) {
        return fail(ErrorCode::Parse, "an input of {} dimensions", rank);
    }
    std::vector<std::uint32_t> axes;
    for (std::uint32_t i = 2; i < rank; ++i) {
        axes.push_back(i);
    }
    return op.build().reduce(kind, x, axes, true, op.label());
}

Result<Outputs> global_pool(Operation& op, PoolKind kind, ops::ReduceKind otherwise) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    if (op.shape(x).rank() != 4) {
        return global(op, otherwise);
    }
    return op.build().pool2d(x, {.kind = kind}, op.label());
}

} // namespace

Result<Outputs> map_average_pool(Operation& op) {
    SLUICE_TRY_ASSIGN(Pool pool, pool_of(op));
    SLUICE_TRY_ASSIGN(const std::int64_t counts_padding, op.integer("count_include_pad", 0));
    if (counts_padding == 0) {
        return pooled(op, pool, PoolKind::Average);
    }
    // The window that hangs over is judged by the padding as it was.
    if (pool.rounds_up) {
        const Shape shape = op.shape(pool.x);
        const Window before = pool.window;
        round_up(pool, {shape[2], shape[3]});
        std::array<std::uint32_t, 2> over{};
        for (std::size_t i = 0; i < 2; ++i) {
            over[i] = pool.window.axes[i].pad_end - before.axes[i].pad_end;
        }
        pool.window = before;
        pool.rounds_up = false;
        SLUICE_TRY(pad_explicitly(op, pool));
        pool.window.axes[0].pad_end = over[0];
        pool.window.axes[1].pad_end = over[1];
    } else {
        SLUICE_TRY(pad_explicitly(op, pool));
    }
    return pooled(op, pool, PoolKind::Average);
}

Result<Outputs> map_max_pool(Operation& op) {
    if (op.has_output(1)) {
        return fail(ErrorCode::Unsupported, "the indices of the maxima, which WebNN does not give");
    }
    SLUICE_TRY_ASSIGN(Pool pool, pool_of(op));
    return pooled(op, pool, PoolKind::Max);
}

// (sum |x|^p)^(1/p); p = 2 is WebNN's l2Pool2d, the others are averages times the window's size.
Result<Outputs> map_lp_pool(Operation& op) {
    SLUICE_TRY_ASSIGN(Pool pool, pool_of(op));
    SLUICE_TRY_ASSIGN(const std::int64_t p, op.integer("p", 2));
    SLUICE_TRY(positive(p, "p"));
    if (p == 2) {
        return pooled(op, pool, PoolKind::L2);
    }
    if (pool.rounds_up) {
        return fail(ErrorCode::Unsupported, "ceil_mode with p = {}", p);
    }
    SLUICE_TRY_ASSIGN(pool.x, op.build().abs(pool.x, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId power, op.number(pool.x, static_cast<double>(p)));
    SLUICE_TRY_ASSIGN(pool.x, op.build().pow(pool.x, power, op.label()));
    SLUICE_TRY(pad_explicitly(op, pool));
    const double size = static_cast<double>(pool.window.axes[0].size) *
                        static_cast<double>(pool.window.axes[1].size);
    SLUICE_TRY_ASSIGN(const OperandId average, pooled(op, pool, PoolKind::Average));
    SLUICE_TRY_ASSIGN(const OperandId count, op.number(average, size));
    SLUICE_TRY_ASSIGN(const OperandId sum, op.build().mul(average, count, op.label()));
    SLUICE_TRY_ASSIGN(const OperandId root, op.number(average, 1.0 / static_cast<double>(p)));
    return op.build().pow(sum, root, op.label());
}

Result<Outputs> map_global_average_pool(Operation& op) {
    return global_pool(op, PoolKind::Average, ops::ReduceKind::Mean);
}

Result<Outputs> map_global_max_pool(Operation& op) {
    return global_pool(op, PoolKind::Max, ops::ReduceKind::Max);
}

Result<Outputs> map_global_lp_pool(Operation& op) {
    SLUICE_TRY_ASSIGN(const std::int64_t p, op.integer("p", 2));
    if (p != 1 && p != 2) {
        return fail(ErrorCode::Unsupported, "p = {}, 1 and 2 are supported", p);
    }
    return global(op, p == 1 ? ops::ReduceKind::L1 : ops::ReduceKind::L2);
}

} // namespace sluice::models::onnx
