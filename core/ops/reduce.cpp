// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of the WebNN reductions.
#include "core/ops/reduce.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({
#define SLUICE_REDUCE(name, Type) "reduce_" #name,
#include "core/ops/reduce.def"
#undef SLUICE_REDUCE
});

// The specification's tables of allowed types, one a reduction.
Status check_type(ReduceKind kind, const graph::TensorDesc& input) {
    switch (kind) {
    case ReduceKind::Max:
    case ReduceKind::Min: return {};
    case ReduceKind::L2:
    case ReduceKind::LogSum:
    case ReduceKind::LogSumExp:
    case ReduceKind::Mean: return rules::floats(input, "input");
    case ReduceKind::L1:
    case ReduceKind::Product:
    case ReduceKind::Sum:
    case ReduceKind::SumSquare:
        if (graph::size_of(input.type()) == 1) {
            return fail(ErrorCode::InvalidArgument,
                        "input has type {}, only floats and integers of 32 or 64 bits are allowed",
                        graph::name(input.type()));
        }
        return {};
    }
    std::unreachable();
}

} // namespace

std::string_view name(ReduceKind kind) {
    return kNames[static_cast<std::size_t>(kind)];
}

Result<std::vector<graph::TensorDesc>> infer(const Reduce& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(check_type(op.kind, input));
    SLUICE_TRY(rules::distinct_axes(input, op.axes));
    std::array<bool, graph::kMaxRank> reduced{};
    for (const std::uint32_t axis : op.axes) {
        reduced[axis] = true;
    }
    graph::Shape shape;
    for (std::size_t axis = 0; axis < input.rank(); ++axis) {
        if (!reduced[axis]) {
            shape.push_back(input.shape()[axis]);
        } else if (op.keep_dimensions) {
            shape.push_back(1);
        }
    }
    return rules::output(input.type(), shape);
}

std::string describe(const Reduce& op) {
    return AttributeText().add("axes", op.axes).flag("keep_dimensions", op.keep_dimensions).take();
}

} // namespace sluice::ops
