// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN pad.
#include "core/ops/pad.h"

#include "core/base/checked_math.h"
#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

std::string_view name(PaddingMode mode) {
    switch (mode) {
    case PaddingMode::Constant: return "constant";
    case PaddingMode::Edge: return "edge";
    case PaddingMode::Reflection: return "reflection";
    }
    std::unreachable();
}

} // namespace

Result<std::vector<graph::TensorDesc>> infer(const Pad& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const graph::TensorDesc& input = inputs[0];
    if (op.beginning.size() != input.rank() || op.ending.size() != input.rank()) {
        return fail(ErrorCode::InvalidArgument,
                    "{} beginning and {} ending paddings given for an input of rank {}",
                    op.beginning.size(), op.ending.size(), input.rank());
    }
    graph::Shape shape = input.shape();
    for (std::size_t axis = 0; axis < input.rank(); ++axis) {
        const std::uint32_t dim = input.shape()[axis];
        // A reflection does not repeat the border, so it reaches dim - 1 elements at most.
        if (op.mode == PaddingMode::Reflection &&
            (op.beginning[axis] >= dim || op.ending[axis] >= dim)) {
            return fail(ErrorCode::InvalidArgument,
                        "reflection by {} and {} on axis {} needs more than its {} elements",
                        op.beginning[axis], op.ending[axis], axis, dim);
        }
        const auto padded =
            checked_cast<std::uint32_t>(std::uint64_t{dim} + op.beginning[axis] + op.ending[axis]);
        if (!padded) {
            return fail(ErrorCode::InvalidArgument, "padding {} and {} on axis {} is too large",
                        op.beginning[axis], op.ending[axis], axis);
        }
        shape[axis] = *padded;
    }
    return rules::output(input.type(), shape);
}

std::string describe(const Pad& op) {
    return AttributeText()
        .add("beginning", op.beginning)
        .add("ending", op.ending)
        .add("mode", name(op.mode), name(PaddingMode::Constant))
        .add("value", op.value, 0.0)
        .take();
}

} // namespace sluice::ops
