// SPDX-License-Identifier: Apache-2.0
// softmax of float32 along the last axis.
#include "core/ops/softmax.h"

#include <algorithm>
#include <limits>
#include <variant>

#include "core/cpu/highway.h"
#include "core/cpu/lowerings.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/softmax.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/activation-inl.h" // brings the mathematics of Highway in, in the right order

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {

void softmax_row(const float* x, float* y, std::size_t length) {
    const hn::ScalableTag<float> d;
    const std::size_t lanes = hn::Lanes(d);
    const auto lowest = hn::Set(d, -std::numeric_limits<float>::infinity());
    // Elements past the end count as -infinity, whose exponential is 0.
    const auto load = [&](const float* from, std::size_t i) HWY_ATTR {
        return i + lanes <= length ? hn::LoadU(d, from + i)
                                   : hn::LoadNOr(lowest, d, from + i, length - i);
    };
    auto top = lowest;
    for (std::size_t i = 0; i < length; i += lanes) {
        top = hn::Max(top, load(x, i));
    }
    top = hn::Set(d, hn::ReduceMax(d, top));
    auto sum = hn::Zero(d);
    for (std::size_t i = 0; i < length; i += lanes) {
        const auto e = hn::Exp(d, hn::Sub(load(x, i), top));
        sum = hn::Add(sum, e);
        hn::StoreN(e, d, y + i, std::min(lanes, length - i));
    }
    const auto total = hn::Set(d, hn::ReduceSum(d, sum));
    for (std::size_t i = 0; i < length; i += lanes) {
        const std::size_t count = std::min(lanes, length - i);
        hn::StoreN(hn::Div(hn::LoadN(d, y + i, count), total), d, y + i, count);
    }
}

} // namespace

void softmax_rows(const float* x, float* y, std::size_t length, std::size_t rows) {
    for (std::size_t row = 0; row < rows; ++row) {
        softmax_row(x + row * length, y + row * length, length);
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(softmax_rows);

Status supports_softmax(const graph::Graph& graph, const graph::Node& node) {
    SLUICE_TRY(require_float32(graph, node));
    const auto axis = std::get<ops::Softmax>(node.attributes).axis;
    if (axis + 1 != graph.desc(node.inputs[0]).rank()) {
        return fail(ErrorCode::Unsupported, "axis {} is not the last of {}", axis,
                    graph::to_string(graph.desc(node.inputs[0])));
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_softmax(const graph::Graph& graph,
                                                       const graph::Node& node) {
    const graph::Shape& shape = graph.desc(node.inputs[0]).shape();
    const std::size_t length = shape[shape.rank() - 1];
    const std::size_t rows = shape.element_count() / length;
    const std::size_t grain = std::max<std::size_t>(1, kGrainElements / 4 / length);
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        io.threads.parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(softmax_rows)
            (io.input<float>(0) + begin * length, io.output<float>(0) + begin * length, length,
             end - begin);
        });
    });
}

} // namespace sluice::cpu
#endif
