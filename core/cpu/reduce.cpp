// SPDX-License-Identifier: Apache-2.0
// Sum, mean, maximum and minimum of float32 over axes that lie together.
#include "core/ops/reduce.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <variant>

#include "core/cpu/highway.h"
#include "core/cpu/lowerings.h"
#include "core/cpu/reduction.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/reduce.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using ReduceTag = hn::ScalableTag<float>;
using ReduceVec = hn::Vec<ReduceTag>;

// Additions in a row before a partial sum is put away: bounds the rounding error of long sums.
constexpr std::size_t kPartial = 256;

struct SumOf {
    static constexpr float kStart = 0.0F;
    static HWY_INLINE ReduceVec step(ReduceVec a, ReduceVec b) { return hn::Add(a, b); }
    static HWY_INLINE float all(ReduceVec v) { return hn::ReduceSum(ReduceTag(), v); }
};
struct MaxOf {
    static constexpr float kStart = -std::numeric_limits<float>::infinity();
    // A NaN wins and stays, whatever the processor's maximum does.
    static HWY_INLINE ReduceVec step(ReduceVec a, ReduceVec b) {
        return hn::IfThenElse(hn::Or(hn::Gt(b, a), hn::IsNaN(b)), b, a);
    }
    static HWY_INLINE float all(ReduceVec v) {
        return hn::AllFalse(ReduceTag(), hn::IsNaN(v)) ? hn::ReduceMax(ReduceTag(), v)
                                                       : std::numeric_limits<float>::quiet_NaN();
    }
};
struct MinOf {
    static constexpr float kStart = std::numeric_limits<float>::infinity();
    static HWY_INLINE ReduceVec step(ReduceVec a, ReduceVec b) {
        return hn::IfThenElse(hn::Or(hn::Lt(b, a), hn::IsNaN(b)), b, a);
    }
    static HWY_INLINE float all(ReduceVec v) {
        return hn::AllFalse(ReduceTag(), hn::IsNaN(v)) ? hn::ReduceMin(ReduceTag(), v)
                                                       : std::numeric_limits<float>::quiet_NaN();
    }
};

// `rows` rows of `inner` elements into one row; column by column of vectors.
template <class Op>
HWY_INLINE void reduce_columns(const float* x, float* y, std::size_t rows, std::size_t inner) {
    const ReduceTag d;
    const std::size_t lanes = hn::Lanes(d);
    for (std::size_t c = 0; c < inner; c += lanes) {
        const std::size_t count = std::min(lanes, inner - c);
        const bool whole = count == lanes;
        ReduceVec total = hn::Set(d, Op::kStart);
        for (std::size_t first = 0; first < rows; first += kPartial) {
            const std::size_t end = std::min(rows, first + kPartial);
            ReduceVec even = hn::Set(d, Op::kStart);
            ReduceVec odd = even; // two chains, so that one addition need not wait for the last
            const float* from = x + first * inner + c;
            std::size_t row = first;
            for (; whole && row + 2 <= end; row += 2, from += 2 * inner) {
                even = Op::step(even, hn::LoadU(d, from));
                odd = Op::step(odd, hn::LoadU(d, from + inner));
            }
            // The last columns in the same order, so that equal ones come out equal.
            for (; row + 2 <= end; row += 2, from += 2 * inner) {
                even = Op::step(even, hn::LoadN(d, from, count));
                odd = Op::step(odd, hn::LoadN(d, from + inner, count));
            }
            if (row < end) {
                even = Op::step(even, hn::LoadN(d, from, count));
            }
            total = Op::step(total, Op::step(even, odd));
        }
        hn::StoreN(total, d, y + c, count);
    }
}

// One contiguous row into one element.
template <class Op>
HWY_INLINE float reduce_row(const float* x, std::size_t length) {
    const ReduceTag d;
    const std::size_t lanes = hn::Lanes(d);
    const ReduceVec start = hn::Set(d, Op::kStart);
    ReduceVec total = start;
    std::size_t i = 0;
    while (i + lanes <= length) {
        const std::size_t end = std::min(length - lanes + 1, i + kPartial * lanes);
        ReduceVec partial = start;
        for (; i < end; i += lanes) {
            partial = Op::step(partial, hn::LoadU(d, x + i));
        }
        total = Op::step(total, partial);
    }
    if (i < length) {
        total = Op::step(total, hn::LoadNOr(start, d, x + i, length - i));
    }
    return Op::all(total);
}

template <class Op>
void reduce_with(const ReductionShape& shape, const float* x, float* y, float scale) {
    for (std::size_t o = 0; o < shape.outer; ++o, x += shape.reduced * shape.inner) {
        float* const to = y + o * shape.inner;
        if (shape.inner == 1) {
            *to = reduce_row<Op>(x, shape.reduced) * scale;
            continue;
        }
        reduce_columns<Op>(x, to, shape.reduced, shape.inner);
        if (scale != 1.0F) {
            for (std::size_t c = 0; c < shape.inner; ++c) {
                to[c] *= scale;
            }
        }
    }
}

} // namespace

void reduce_range(ops::ReduceKind kind, const ReductionShape& shape, const float* x, float* y,
                  float scale) {
    switch (kind) {
    case ops::ReduceKind::Max: return reduce_with<MaxOf>(shape, x, y, 1.0F);
    case ops::ReduceKind::Min: return reduce_with<MinOf>(shape, x, y, 1.0F);
    default: return reduce_with<SumOf>(shape, x, y, scale);
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {
namespace {

// A long reduction is cut into this many pieces at most, each with a row of partial results. The
// number does not depend on the threads, so neither does the result.
constexpr std::size_t kMaxPieces = 16;

std::optional<ReductionShape> shape_of(const ops::Reduce& op, const graph::Shape& x) {
    ReductionShape shape;
    enum class Part { Outer, Reduced, Inner } part = Part::Outer;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        if (x[axis] == 1) {
            continue;
        }
        if (std::ranges::find(op.axes, axis) != op.axes.end()) {
            if (part == Part::Inner) {
                return std::nullopt;
            }
            part = Part::Reduced;
            shape.reduced *= x[axis];
        } else {
            part = part == Part::Outer ? Part::Outer : Part::Inner;
            (part == Part::Outer ? shape.outer : shape.inner) *= x[axis];
        }
    }
    return shape;
}

} // namespace

HWY_EXPORT(reduce_range);

Result<std::unique_ptr<runtime::Kernel>> make_reduction(ops::ReduceKind kind,
                                                        const ReductionShape& shape) {
    const std::size_t per_outer = shape.reduced * shape.inner;
    const float scale =
        kind == ops::ReduceKind::Mean ? 1.0F / static_cast<float>(shape.reduced) : 1.0F;
    const std::size_t pieces = shape.outer == 1 && shape.inner > 1
                                   ? std::clamp<std::size_t>(per_outer / kGrainElements, 1,
                                                             std::min(kMaxPieces, shape.reduced))
                                   : 1;
    if (pieces == 1) {
        const std::size_t grain = std::max<std::size_t>(1, kGrainElements / per_outer);
        return runtime::make_kernel([=](const runtime::KernelIo& io) {
            io.threads.parallel_for(shape.outer, grain, [&](std::size_t begin, std::size_t end) {
                ReductionShape part = shape;
                part.outer = end - begin;
                HWY_DYNAMIC_DISPATCH(reduce_range)
                (kind, part, io.input<float>(0) + begin * per_outer,
                 io.output<float>(0) + begin * shape.inner, scale);
            });
        });
    }
    return runtime::make_kernel(
        [=](const runtime::KernelIo& io) {
            auto* const partial = reinterpret_cast<float*>(io.scratch);
            io.threads.parallel_for(pieces, 1, [&](std::size_t begin, std::size_t end) {
                for (std::size_t p = begin; p < end; ++p) {
                    const std::size_t first = shape.reduced * p / pieces;
                    ReductionShape part = shape;
                    part.reduced = shape.reduced * (p + 1) / pieces - first;
                    HWY_DYNAMIC_DISPATCH(reduce_range)
                    (kind, part, io.input<float>(0) + first * shape.inner,
                     partial + p * shape.inner, 1.0F);
                }
            });
            ReductionShape rest = shape;
            rest.reduced = pieces;
            HWY_DYNAMIC_DISPATCH(reduce_range)(kind, rest, partial, io.output<float>(0), scale);
        },
        pieces * shape.inner * sizeof(float));
}

Status supports_reduce(const graph::Graph& graph, const graph::Node& node) {
    SLUICE_TRY(require_float32(graph, node));
    const auto& op = std::get<ops::Reduce>(node.attributes);
    if (!has_reduction(op.kind)) {
        return fail(ErrorCode::Unsupported, "{} has no kernel", ops::name(op.kind));
    }
    if (!shape_of(op, graph.desc(node.inputs[0]).shape())) {
        return fail(ErrorCode::Unsupported, "the reduced axes of {} do not lie together",
                    graph::to_string(graph.desc(node.inputs[0])));
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_reduce(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto& op = std::get<ops::Reduce>(node.attributes);
    const auto shape = shape_of(op, graph.desc(node.inputs[0]).shape());
    return make_reduction(op.kind, shape.value_or(ReductionShape{}));
}

} // namespace sluice::cpu
#endif
