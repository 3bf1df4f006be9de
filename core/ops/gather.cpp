// SPDX-License-Identifier: Apache-2.0
// Validation and shape inference of WebNN gather.
#include "core/ops/gather.h"

#include "core/ops/attribute_text.h"
#include "core/ops/rules.h"

namespace sluice::ops {

Result<std::vector<graph::TensorDesc>> infer(const Gather& op,
                                             std::span<const graph::TensorDesc> inputs) {
    SLUICE_TRY(rules::count(inputs, 2, 2));
    const graph::TensorDesc& input = inputs[0];
    SLUICE_TRY(rules::indices(inputs[1]));
    SLUICE_TRY(rules::axis(input, op.axis));
    const auto dims = input.shape().dims();
    const auto picked = inputs[1].shape().dims();
    std::vector<std::uint32_t> out(dims.begin(), dims.begin() + op.axis);
    out.insert(out.end(), picked.begin(), picked.end());
    out.insert(out.end(), dims.begin() + op.axis + 1, dims.end());
    return rules::output(input.type(), out);
}

std::string describe(const Gather& op) {
    return AttributeText().add("axis", op.axis).take();
}

} // namespace sluice::ops
