// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of lookup.
#include "core/ops/lookup.h"

#include "core/ops/quantization.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Lookup& /*op*/,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 2, 2));
    SLUICE_TRY(rules::bytes(inputs[0], "input"));
    if (inputs[1].shape() != graph::Shape{256}) {
        return fail(ErrorCode::InvalidArgument, "table has shape {}, not [256]",
                    graph::to_string(inputs[1].shape()));
    }
    return rules::output(inputs[1].type(), inputs[0].shape());
}

} // namespace sluice::ops
