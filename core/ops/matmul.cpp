// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN matmul.
#include "core/ops/matmul.h"

#include "core/ops/rules.h"

namespace sluice::ops {
namespace {

graph::Shape batch_of(const graph::Shape& shape) {
    return graph::Shape(shape.dims().first(shape.rank() - 2));
}

} // namespace

Result<std::vector<graph::TensorDesc>> infer(const Matmul& /*op*/,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 2, 2));
    const graph::TensorDesc& a = inputs[0];
    const graph::TensorDesc& b = inputs[1];
    SLUICE_TRY(rules::floats(a, "A"));
    SLUICE_TRY(rules::same_type(b, "B", a, "A"));
    if (a.rank() < 2 || b.rank() < 2) {
        return fail(ErrorCode::InvalidArgument,
                    "A has rank {} and B rank {}, both must be 2 or more", a.rank(), b.rank());
    }
    const std::uint32_t rows = a.shape()[a.rank() - 2];
    const std::uint32_t inner = a.shape()[a.rank() - 1];
    const std::uint32_t columns = b.shape()[b.rank() - 1];
    if (inner != b.shape()[b.rank() - 2]) {
        return fail(ErrorCode::InvalidArgument, "A has {} columns but B has {} rows", inner,
                    b.shape()[b.rank() - 2]);
    }
    auto shape = graph::broadcast(batch_of(a.shape()), batch_of(b.shape()));
    if (!shape) {
        return std::unexpected(std::move(shape).error().within("batch dimensions"));
    }
    shape->push_back(rows);
    shape->push_back(columns);
    return rules::output(a.type(), *shape);
}

} // namespace sluice::ops
