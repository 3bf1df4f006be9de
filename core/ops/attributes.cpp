// SPDX-License-Identifier: Apache-2.0
// Dispatch over the variant of attributes: names, text and inference of any operator.
#include "core/ops/attributes.h"

#include <type_traits>

#include "core/ops/limits.h"

namespace sluice::ops {

std::string_view name_of(const Attributes& attributes) {
    return std::visit(
        []<typename Op>(const Op& op) -> std::string_view {
            if constexpr (std::is_same_v<Op, std::monostate>) {
                return "nothing";
            } else if constexpr (std::is_same_v<Op, Unary>) {
                return name(op.function.kind);
            } else if constexpr (requires { name(op); }) {
                return name(op);
            } else if constexpr (requires { name(op.kind); } &&
                                 !std::is_same_v<Op, QuantizedBinary>) { // of the floats' operator
                return name(op.kind);
            } else {
                return Op::kName;
            }
        },
        attributes);
}

std::string describe(const Attributes& attributes) {
    return std::visit(
        []<typename Op>(const Op& op) -> std::string {
            // An operator without attributes declares no describe().
            // Asked for by exact type, because every operator also converts to Attributes.
            if constexpr (requires { static_cast<std::string (*)(const Op&)>(&describe); }) {
                return describe(op);
            } else {
                return {};
            }
        },
        attributes);
}

Result<std::vector<graph::TensorDesc>> infer(const Attributes& attributes,
                                             std::span<const graph::TensorDesc> inputs) {
    return std::visit(
        [&]<typename Op>(const Op& op) -> Result<std::vector<graph::TensorDesc>> {
            if constexpr (std::is_same_v<Op, std::monostate>) {
                return fail(ErrorCode::InvalidArgument,
                            "a node needs the attributes of an operator");
            } else {
                SLUICE_TRY(check_limits(attributes, inputs));
                return infer(op, inputs);
            }
        },
        attributes);
}

} // namespace sluice::ops
