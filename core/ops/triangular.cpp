// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN triangular.
#include "core/ops/triangular.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Triangular& /*op*/,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 1, 1));
    if (inputs[0].rank() < 2) {
        return fail(ErrorCode::InvalidArgument, "input {} has rank {}, not 2 or more",
                    graph::to_string(inputs[0]), inputs[0].rank());
    }
    return rules::output(inputs[0].type(), inputs[0].shape());
}

std::string describe(const Triangular& op) {
    return AttributeText()
        .flag("lower", !op.upper)
        .add("diagonal", op.diagonal, std::int32_t{0})
        .take();
}

} // namespace sluice::ops
