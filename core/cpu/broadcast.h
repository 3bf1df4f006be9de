// SPDX-License-Identifier: Apache-2.0
// Walking two operands that broadcast against each other, row by row of the result.
#pragma once

#include <array>
#include <cstddef>

#include "core/cpu/activation.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/binary.h"

namespace sluice::cpu {

// The shape of a result in as few axes as its operands allow. The last axis is a row: each operand
// has it whole, or repeats one element along it (never both).
class Broadcast {
public:
    // Where a walk stands: offsets of the operands' rows and the column in the row.
    struct Position {
        std::array<std::size_t, graph::kMaxRank> index{};
        std::size_t a = 0;
        std::size_t b = 0;
        std::size_t column = 0;
    };

    Broadcast(const graph::Shape& a, const graph::Shape& b, const graph::Shape& y) {
        const auto a_dense = graph::strides_of(a);
        const auto b_dense = graph::strides_of(b);
        const auto stride = [&](const graph::Shape& shape, const auto& dense, std::size_t axis) {
            const std::size_t lead = y.rank() - shape.rank();
            return axis < lead || shape[axis - lead] == 1 ? 0 : dense[axis - lead];
        };
        for (std::size_t axis = 0; axis < y.rank(); ++axis) {
            if (y[axis] != 1) {
                append({y[axis], stride(a, a_dense, axis), stride(b, b_dense, axis)});
            }
        }
        if (rank_ == 0) {
            append({1, 1, 1});
        }
    }

    [[nodiscard]] std::size_t row_size() const { return axes_[rank_ - 1].size; }
    [[nodiscard]] bool a_repeats() const { return axes_[rank_ - 1].a_stride == 0; }
    [[nodiscard]] bool b_repeats() const { return axes_[rank_ - 1].b_stride == 0; }

    [[nodiscard]] Position position(std::size_t element) const {
        Position at;
        at.column = element % row_size();
        std::size_t rest = element / row_size();
        for (std::size_t i = rank_ - 1; i-- > 0;) {
            at.index[i] = rest % axes_[i].size;
            rest /= axes_[i].size;
            at.a += at.index[i] * axes_[i].a_stride;
            at.b += at.index[i] * axes_[i].b_stride;
        }
        return at;
    }

    // To the start of the next row.
    void next_row(Position& at) const { next_rows(at, 1); }

    // `count` rows on, no further than the next axis ends.
    void next_rows(Position& at, std::size_t count) const {
        at.column = 0;
        for (std::size_t i = rank_ - 1; i-- > 0; count = 1) {
            at.a += axes_[i].a_stride * count;
            at.b += axes_[i].b_stride * count;
            at.index[i] += count;
            if (at.index[i] < axes_[i].size) {
                return;
            }
            at.a -= axes_[i].a_stride * axes_[i].size;
            at.b -= axes_[i].b_stride * axes_[i].size;
            at.index[i] = 0;
        }
    }

    // Rows from here on whose operands lie in even steps, and the steps, in elements.
    struct Run {
        std::size_t rows, a_step, b_step;
    };
    [[nodiscard]] Run run(const Position& at) const {
        if (rank_ == 1) {
            return {.rows = 1, .a_step = 0, .b_step = 0};
        }
        const Axis& axis = axes_[rank_ - 2];
        return {.rows = axis.size - at.index[rank_ - 2],
                .a_step = axis.a_stride,
                .b_step = axis.b_stride};
    }

private:
    struct Axis {
        std::size_t size, a_stride, b_stride;
    };

    // Axes that both operands walk in one stride, or both repeat, are one axis.
    void append(const Axis& axis) {
        if (rank_ > 0) {
            Axis& last = axes_[rank_ - 1];
            if (last.a_stride == axis.size * axis.a_stride &&
                last.b_stride == axis.size * axis.b_stride) {
                last = {last.size * axis.size, axis.a_stride, axis.b_stride};
                return;
            }
        }
        axes_[rank_++] = axis;
    }

    std::array<Axis, graph::kMaxRank> axes_{};
    std::size_t rank_ = 0;
};

// One node of arithmetic, with this run's tensors.
struct BinaryWork {
    ops::BinaryKind kind;
    Activation activation;
    Broadcast broadcast;
    const float* a;
    const float* b;
    float* y;
};

} // namespace sluice::cpu
