// SPDX-License-Identifier: Apache-2.0
// Reductions over axes. Integers wrap; floats are summed in double.
#include "core/ops/reduce.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {
namespace {

using ops::ReduceKind;

// Calls body with every element of one group: `inner` is the shape of the reduced axes.
template <typename T, typename Body>
void for_each_in_group(const T* group, const graph::Shape& inner, const Strides& strides,
                       Body&& body) {
    for_each_index(inner, std::array<Strides, 1>{strides},
                   [&](const auto& at) { body(widen(group[at[0]])); });
}

template <typename T>
T extreme(ReduceKind kind, const T* group, const graph::Shape& inner, const Strides& strides) {
    Wide<T> best = widen(group[0]);
    for_each_in_group(group, inner, strides, [&](Wide<T> value) {
        // A NaN wins and stays.
        if ((kind == ReduceKind::Max ? value > best : value < best) || is_nan(value)) {
            best = value;
        }
    });
    return narrow<T>(best);
}

template <typename T>
T reduce_float(ReduceKind kind, const T* group, const graph::Shape& inner, const Strides& strides) {
    double sum = 0.0;
    double squares = 0.0;
    double absolutes = 0.0;
    double product = 1.0;
    for_each_in_group(group, inner, strides, [&](double value) {
        sum += value;
        squares += value * value;
        absolutes += std::fabs(value);
        product *= value;
    });
    switch (kind) {
    case ReduceKind::L1: return narrow<T>(absolutes);
    case ReduceKind::L2: return narrow<T>(std::sqrt(squares));
    case ReduceKind::LogSum: return narrow<T>(std::log(sum));
    case ReduceKind::LogSumExp: {
        // The largest exponent is taken out, so that nothing overflows.
        const double top = widen(extreme(ReduceKind::Max, group, inner, strides));
        if (!std::isfinite(top)) {
            return narrow<T>(top);
        }
        double exponentials = 0.0;
        for_each_in_group(group, inner, strides,
                          [&](double value) { exponentials += std::exp(value - top); });
        return narrow<T>(top + std::log(exponentials));
    }
    case ReduceKind::Mean: return narrow<T>(sum / static_cast<double>(inner.element_count()));
    case ReduceKind::Product: return narrow<T>(product);
    case ReduceKind::Sum: return narrow<T>(sum);
    case ReduceKind::SumSquare: return narrow<T>(squares);
    case ReduceKind::Max:
    case ReduceKind::Min: break;
    }
    return extreme(kind, group, inner, strides);
}

// Sums and products modulo 2^64: the low bits of two's complement do not depend on the sign.
template <typename T>
T reduce_integer(ReduceKind kind, const T* group, const graph::Shape& inner,
                 const Strides& strides) {
    std::uint64_t sum = 0;
    std::uint64_t squares = 0;
    std::uint64_t absolutes = 0;
    std::uint64_t product = 1;
    for_each_in_group(group, inner, strides, [&](Wide<T> value) {
        const auto bits = static_cast<std::uint64_t>(value);
        sum += bits;
        squares += bits * bits;
        absolutes += std::is_signed_v<T> && value < Wide<T>{0} ? 0 - bits : bits;
        product *= bits;
    });
    switch (kind) {
    case ReduceKind::L1: return static_cast<T>(absolutes);
    case ReduceKind::Product: return static_cast<T>(product);
    case ReduceKind::Sum: return static_cast<T>(sum);
    case ReduceKind::SumSquare: return static_cast<T>(squares);
    case ReduceKind::Max:
    case ReduceKind::Min:
    case ReduceKind::L2:
    case ReduceKind::LogSum:
    case ReduceKind::LogSumExp:
    case ReduceKind::Mean: break; // of floats only; refused when lowered
    }
    return extreme(kind, group, inner, strides);
}

bool floats_only(ReduceKind kind) {
    return kind == ReduceKind::L2 || kind == ReduceKind::LogSum || kind == ReduceKind::LogSumExp ||
           kind == ReduceKind::Mean;
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_reduce(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto& op = std::get<ops::Reduce>(node.attributes);
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    if (floats_only(op.kind)) {
        SLUICE_TRY(require_float(x.type()));
    }
    // The two halves of the index space: axes that stay and axes that go.
    const Strides strides = graph::strides_of(x.shape());
    graph::Shape outer = x.shape();
    graph::Shape inner = x.shape();
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        inner[axis] = 1;
    }
    for (const std::uint32_t axis : op.axes) {
        outer[axis] = 1;
        inner[axis] = x.shape()[axis];
    }
    const std::array walk{strides, graph::strides_of(outer)};
    return make_kernel([=, kind = op.kind, type = x.type()](const runtime::KernelIo& io) {
        visit_type(type, [&]<typename T>(std::type_identity<T>) {
            for_each_index(outer, walk, [&](const auto& at) {
                const T* group = io.input<T>(0) + at[0];
                if constexpr (kIsFloat<T>) {
                    io.output<T>(0)[at[1]] = reduce_float(kind, group, inner, strides);
                } else {
                    io.output<T>(0)[at[1]] = reduce_integer(kind, group, inner, strides);
                }
            });
        });
    });
}

} // namespace sluice::reference
