// SPDX-License-Identifier: Apache-2.0
// Mapping of Pad. Its attributes became inputs with version 11.
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/pad.h"
#include "core/ops/slice.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;

namespace {

// Elements added before and after each axis; negative: taken away.
struct Pads {
    std::vector<std::int64_t> begin;
    std::vector<std::int64_t> end;
};

Result<Pads> pads_of(Operation& op, std::size_t rank) {
    SLUICE_TRY_ASSIGN(const auto listed, op.integers_of("pads", 1));
    std::vector<std::int64_t> axes(rank);
    std::iota(axes.begin(), axes.end(), 0);
    if (op.has_input(3)) {
        SLUICE_TRY_ASSIGN(axes, op.integers(3));
    }
    if (!listed || listed->size() != 2 * axes.size()) {
        return fail(ErrorCode::Parse, "{} pads for {} axes", listed ? listed->size() : 0,
                    axes.size());
    }
    SLUICE_TRY_ASSIGN(const auto found, axes_of(axes, rank));
    Pads out{.begin = std::vector<std::int64_t>(rank, 0),
             .end = std::vector<std::int64_t>(rank, 0)};
    for (std::size_t i = 0; i < found.size(); ++i) {
        out.begin[found[i]] = (*listed)[i];
        out.end[found[i]] = (*listed)[found.size() + i];
    }
    return out;
}

// Takes away what negative pads ask for, and leaves the positive ones.
Result<OperandId> cropped(Operation& op, OperandId x, Pads& pads) {
    const Shape shape = op.shape(x);
    ops::Slice slice;
    bool any = false;
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        const std::int64_t front = pads.begin[i] < 0 ? -pads.begin[i] : 0;
        const std::int64_t back = pads.end[i] < 0 ? -pads.end[i] : 0;
        if (front >= shape[i] || back >= shape[i] - front) {
            return fail(ErrorCode::Unsupported, "{} and {} elements taken from {}", front, back,
                        shape[i]);
        }
        slice.starts.push_back(static_cast<std::uint32_t>(front));
        slice.sizes.push_back(static_cast<std::uint32_t>(shape[i] - front - back));
        any = any || front > 0 || back > 0;
        pads.begin[i] += front;
        pads.end[i] += back;
    }
    return any ? op.build().slice(x, std::move(slice), op.label()) : Result<OperandId>(x);
}

// The axes that grow, one after the other, by gathering from the other end.
Result<Outputs> wrapped(Operation& op, OperandId x, const ops::Pad& pad) {
    for (std::uint32_t axis = 0; axis < pad.beginning.size(); ++axis) {
        if (pad.beginning[axis] + pad.ending[axis] == 0) {
            continue;
        }
        const std::int64_t dim = op.shape(x)[axis];
        const std::int64_t size = dim + pad.beginning[axis] + pad.ending[axis];
        SLUICE_TRY(op.budget().take(static_cast<std::size_t>(size) * sizeof(std::int64_t)));
        std::vector<std::int64_t> indices;
        for (std::int64_t i = 0; i < size; ++i) {
            const std::int64_t at = (i - pad.beginning[axis]) % dim;
            indices.push_back(at < 0 ? at + dim : at);
        }
        SLUICE_TRY_ASSIGN(const OperandId list, op.add_constant(Literal::list(std::move(indices))));
        SLUICE_TRY_ASSIGN(x, op.build().gather(x, list, axis, op.label()));
    }
    return x;
}

} // namespace

Result<Outputs> map_pad(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::string mode, op.text("mode", "constant"));
    SLUICE_TRY_ASSIGN(Pads pads, pads_of(op, op.shape(x).rank()));
    ops::Pad pad;
    SLUICE_TRY_ASSIGN(pad.value, op.real("value", 0.0));
    if (op.has_input(2)) {
        SLUICE_TRY_ASSIGN(pad.value, op.scalar(2));
    }
    SLUICE_TRY_ASSIGN(x, cropped(op, x, pads));
    bool any = false;
    for (std::size_t i = 0; i < pads.begin.size(); ++i) {
        SLUICE_TRY_ASSIGN(pad.beginning.emplace_back(), not_negative(pads.begin[i], "pads"));
        SLUICE_TRY_ASSIGN(pad.ending.emplace_back(), not_negative(pads.end[i], "pads"));
        any = any || pads.begin[i] + pads.end[i] > 0;
    }
    if (!any) {
        return x;
    }
    if (mode == "wrap") {
        return wrapped(op, x, pad);
    }
    if (mode == "edge") {
        pad.mode = ops::PaddingMode::Edge;
    } else if (mode == "reflect") {
        pad.mode = ops::PaddingMode::Reflection;
    } else if (mode != "constant") {
        return fail(ErrorCode::Parse, "mode is '{}'", mode);
    }
    return op.build().pad(x, std::move(pad), op.label());
}

} // namespace sluice::models::onnx
