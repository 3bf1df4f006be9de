// SPDX-License-Identifier: Apache-2.0
// Element-wise arithmetic on two float32 operands with broadcasting and a fused activation.
#include "core/ops/binary.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <variant>

#include "core/cpu/activation.h"
#include "core/cpu/broadcast.h"
#include "core/cpu/highway.h"
#include "core/cpu/lowerings.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/binary.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {

using BinaryTag = hn::ScalableTag<float>;
using BinaryVec = hn::Vec<BinaryTag>;

// Activations run over a stretch of results that is still in the first-level cache.
constexpr std::size_t kStretch = 1024;
// Rows shorter than this are laid end to end before they are combined.
constexpr std::size_t kShortRow = 64;

template <ops::BinaryKind kKind>
HWY_INLINE BinaryVec combine(BinaryVec a, BinaryVec b) {
    using enum ops::BinaryKind;
    if constexpr (kKind == Add) {
        return hn::Add(a, b);
    } else if constexpr (kKind == Sub) {
        return hn::Sub(a, b);
    } else if constexpr (kKind == Mul) {
        return hn::Mul(a, b);
    } else if constexpr (kKind == Div) {
        return hn::Div(a, b);
    } else if constexpr (kKind == Max) {
        return hn::IfThenElse(hn::Gt(a, b), a, b);
    } else if constexpr (kKind == Min) {
        return hn::IfThenElse(hn::Lt(a, b), a, b);
    } else {
        static_assert(kKind == Prelu);
        return hn::IfThenElse(hn::Lt(a, hn::Zero(BinaryTag())), hn::Mul(a, b), a);
    }
}

// Element i of an operand's row, or its only element again and again.
template <bool kRepeated>
HWY_INLINE BinaryVec operand(const float* row, std::size_t i) {
    if constexpr (kRepeated) {
        return hn::Set(BinaryTag(), *row);
    } else {
        return hn::LoadU(BinaryTag(), row + i);
    }
}

template <ops::BinaryKind kKind, bool kRepeatA, bool kRepeatB>
HWY_INLINE void combine_row(const float* a, const float* b, float* y, std::size_t count) {
    const BinaryTag d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(combine<kKind>(operand<kRepeatA>(a, i), operand<kRepeatB>(b, i)), d, y + i);
    }
    if (i < count) {
        const std::size_t rest = count - i;
        const BinaryVec left = kRepeatA ? hn::Set(d, *a) : hn::LoadN(d, a + i, rest);
        const BinaryVec right = kRepeatB ? hn::Set(d, *b) : hn::LoadN(d, b + i, rest);
        hn::StoreN(combine<kKind>(left, right), d, y + i, rest);
    }
}

HWY_INLINE void activate(const Activation& activation, float* y, std::size_t count) {
    const BinaryTag d;
    const std::size_t lanes = hn::Lanes(d);
    with_activation(activation.kind, [&]<ops::UnaryKind kKind>() HWY_ATTR {
        std::size_t i = 0;
        for (; i + lanes <= count; i += lanes) {
            const BinaryVec v = hn::LoadU(d, y + i);
            hn::StoreU(apply_kind<kKind>(d, v, activation.alpha, activation.beta), d, y + i);
        }
        if (i < count) {
            const BinaryVec v = hn::LoadN(d, y + i, count - i);
            hn::StoreN(apply_kind<kKind>(d, v, activation.alpha, activation.beta), d, y + i,
                       count - i);
        }
    });
}

template <ops::BinaryKind kKind>
HWY_INLINE void combine_rows(const Broadcast& shape, const float* a, const float* b, float* y,
                             std::size_t count) {
    if (shape.a_repeats()) {
        combine_row<kKind, true, false>(a, b, y, count);
    } else if (shape.b_repeats()) {
        combine_row<kKind, false, true>(a, b, y, count);
    } else {
        combine_row<kKind, false, false>(a, b, y, count);
    }
}

// An operand's short rows, laid end to end.
struct Block {
    HWY_ALIGN float values[kStretch];
    const float* same = nullptr; // the row that all of `rows` are, if they are one
    std::size_t rows = 0;
};

// An operand's next `rows` rows, end to end: where they lie, or in `block` if they do not lie so.
HWY_INLINE const float* end_to_end(const float* from, std::size_t step, bool repeats,
                                   std::size_t row_size, std::size_t rows, Block& block) {
    if (!repeats && step == row_size) {
        return from;
    }
    if (step == 0 && block.same == from && rows <= block.rows) {
        return block.values;
    }
    block.same = step == 0 ? from : nullptr;
    block.rows = rows;
    float* to = block.values;
    for (std::size_t row = 0; row < rows; ++row, from += step) {
        for (std::size_t i = 0; i < row_size; ++i) {
            *to++ = from[repeats ? 0 : i];
        }
    }
    return block.values;
}

// Short rows from `at` on, as many as fit a stretch: how many elements that were.
template <ops::BinaryKind kKind>
HWY_INLINE std::size_t combine_short_rows(const BinaryWork& work, Broadcast::Position& at, float* y,
                                          std::size_t most, Block& a_block, Block& b_block) {
    const Broadcast& shape = work.broadcast;
    const std::size_t size = shape.row_size();
    const Broadcast::Run run = shape.run(at);
    const std::size_t rows = std::min(run.rows, std::min(most, kStretch) / size);
    const float* a = end_to_end(work.a + at.a, run.a_step, shape.a_repeats(), size, rows, a_block);
    const float* b = end_to_end(work.b + at.b, run.b_step, shape.b_repeats(), size, rows, b_block);
    combine_row<kKind, false, false>(a, b, y, rows * size);
    shape.next_rows(at, rows);
    return rows * size;
}

// Elements [begin, end) of the result.
template <ops::BinaryKind kKind>
void combine_range(const BinaryWork& work, std::size_t begin, std::size_t end) {
    const Broadcast& shape = work.broadcast;
    const std::size_t size = shape.row_size();
    const bool activates = work.activation.kind != ops::UnaryKind::Identity;
    std::size_t activated = begin;
    Block a_block;
    Block b_block;
    Broadcast::Position at = shape.position(begin);
    for (std::size_t done = begin; done < end;) {
        if (size < kShortRow && at.column == 0 && end - done >= size) {
            done +=
                combine_short_rows<kKind>(work, at, work.y + done, end - done, a_block, b_block);
        } else {
            std::size_t count = std::min(size - at.column, end - done);
            count = activates ? std::min(count, kStretch) : count;
            combine_rows<kKind>(shape, work.a + at.a + (shape.a_repeats() ? 0 : at.column),
                                work.b + at.b + (shape.b_repeats() ? 0 : at.column), work.y + done,
                                count);
            done += count;
            at.column += count;
            if (at.column == size) {
                shape.next_row(at);
            }
        }
        if (activates && (done - activated >= kStretch || done == end)) {
            activate(work.activation, work.y + activated, done - activated);
            activated = done;
        }
    }
}

} // namespace

void binary_range(const BinaryWork& work, std::size_t begin, std::size_t end) {
    using enum ops::BinaryKind;
    switch (work.kind) {
    case Add: return combine_range<Add>(work, begin, end);
    case Sub: return combine_range<Sub>(work, begin, end);
    case Mul: return combine_range<Mul>(work, begin, end);
    case Div: return combine_range<Div>(work, begin, end);
    case Max: return combine_range<Max>(work, begin, end);
    case Min: return combine_range<Min>(work, begin, end);
    case Prelu: return combine_range<Prelu>(work, begin, end);
    default: return; // supports_binary() refuses the others
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(binary_range);

Status supports_binary(const graph::Graph& graph, const graph::Node& node) {
    using enum ops::BinaryKind;
    SLUICE_TRY(require_float32(graph, node));
    const auto& op = std::get<ops::Binary>(node.attributes);
    constexpr std::array kKinds{Add, Sub, Mul, Div, Max, Min, Prelu};
    if (!std::ranges::contains(kKinds, op.kind)) {
        return fail(ErrorCode::Unsupported, "{} has no kernel", ops::name(op.kind));
    }
    if (!has_kernel(op.activation.kind)) {
        return fail(ErrorCode::Unsupported, "activation {} has no kernel",
                    ops::name(op.activation.kind));
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_binary(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto& op = std::get<ops::Binary>(node.attributes);
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    const BinaryWork work{.kind = op.kind,
                          .activation = to_cpu(op.activation),
                          .broadcast = Broadcast(graph.desc(node.inputs[0]).shape(),
                                                 graph.desc(node.inputs[1]).shape(), y),
                          .a = nullptr,
                          .b = nullptr,
                          .y = nullptr};
    // Whole rows, so that no short one is cut in two.
    const std::size_t row = std::min(work.broadcast.row_size(), kGrainElements);
    const std::size_t grain = kGrainElements / row * row;
    return runtime::make_kernel([=, count = y.element_count()](const runtime::KernelIo& io) {
        BinaryWork here = work;
        here.a = io.input<float>(0);
        here.b = io.input<float>(1);
        here.y = io.output<float>(0);
        io.threads.parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(binary_range)(here, begin, end);
        });
    });
}

} // namespace sluice::cpu
#endif
