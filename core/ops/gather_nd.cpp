// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN gatherND.
#include "core/ops/gather_nd.h"

#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const GatherNd& /*op*/,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 2, 2));
    SLUICE_TRY_ASSIGN(const auto dims, rules::picked_by_coordinates(inputs[0], inputs[1]));
    return rules::output(inputs[0].type(), dims);
}

} // namespace sluice::ops
