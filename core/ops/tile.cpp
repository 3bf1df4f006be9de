// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN tile.
#include "core/ops/tile.h"

#include "core/base/checked_math.h"
#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Tile& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const graph::TensorDesc& input = inputs[0];
    if (op.repetitions.size() != input.rank()) {
        return fail(ErrorCode::InvalidArgument, "{} repetitions given for an input of rank {}",
                    op.repetitions.size(), input.rank());
    }
    graph::Shape shape = input.shape();
    for (std::size_t axis = 0; axis < input.rank(); ++axis) {
        const auto dim = checked_mul(shape[axis], op.repetitions[axis]);
        if (op.repetitions[axis] == 0 || !dim) {
            return fail(ErrorCode::InvalidArgument,
                        "{} repetitions of the {} elements of axis {} are not possible",
                        op.repetitions[axis], shape[axis], axis);
        }
        shape[axis] = *dim;
    }
    return rules::output(input.type(), shape);
}

std::string describe(const Tile& op) {
    return AttributeText().add("repetitions", op.repetitions).take();
}

} // namespace sluice::ops
