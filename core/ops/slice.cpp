// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN slice.
#include "core/ops/slice.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Slice& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    const graph::TensorDesc& input = inputs[0];
    if (op.starts.size() != input.rank() || op.sizes.size() != input.rank() ||
        (!op.strides.empty() && op.strides.size() != input.rank())) {
        return fail(ErrorCode::InvalidArgument,
                    "{} starts, {} sizes and {} strides given for an input of rank {}",
                    op.starts.size(), op.sizes.size(), op.strides.size(), input.rank());
    }
    graph::Shape shape = input.shape();
    for (std::size_t axis = 0; axis < input.rank(); ++axis) {
        const std::uint32_t dim = input.shape()[axis];
        const std::uint32_t stride = op.strides.empty() ? 1 : op.strides[axis];
        if (op.sizes[axis] == 0 || stride == 0) {
            return fail(ErrorCode::InvalidArgument,
                        "size {} and stride {} of axis {} must be at least 1", op.sizes[axis],
                        stride, axis);
        }
        if (op.starts[axis] >= dim || op.sizes[axis] > dim - op.starts[axis]) {
            return fail(ErrorCode::InvalidArgument,
                        "start {} and size {} leave the {} elements of axis {}", op.starts[axis],
                        op.sizes[axis], dim, axis);
        }
        shape[axis] = (op.sizes[axis] - 1) / stride + 1;
    }
    return rules::output(input.type(), shape);
}

std::string describe(const Slice& op) {
    AttributeText text;
    text.add("starts", op.starts).add("sizes", op.sizes);
    return op.strides.empty() ? text.take() : text.add("strides", op.strides).take();
}

} // namespace sluice::ops
