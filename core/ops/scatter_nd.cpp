// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN scatterND.
#include "core/ops/scatter_nd.h"

#include <algorithm>

#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const ScatterNd& /*op*/,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 3, 3));
    SLUICE_TRY_ASSIGN(const auto dims, rules::picked_by_coordinates(inputs[0], inputs[1]));
    SLUICE_TRY(rules::same_type(inputs[2], "updates", inputs[0], "input"));
    if (!std::ranges::equal(inputs[2].shape().dims(), dims)) {
        return fail(ErrorCode::InvalidArgument,
                    "updates has shape {}, not the rank and dimensions that indices {} pick of the "
                    "input {}",
                    graph::to_string(inputs[2].shape()), graph::to_string(inputs[1].shape()),
                    graph::to_string(inputs[0].shape()));
    }
    return rules::output(inputs[0].type(), inputs[0].shape());
}

} // namespace sluice::ops
