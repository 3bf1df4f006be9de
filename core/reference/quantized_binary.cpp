// SPDX-License-Identifier: Apache-2.0
// Element-wise arithmetic of quantised operands.
#include "core/ops/quantized_binary.h"

#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/quantized.h"

namespace sluice::reference {
namespace {

double value_of(const ops::QuantizedBinary& op, double a, double b) {
    if (op.kind == ops::BinaryKind::Mul) {
        return a * b;
    }
    return op.kind == ops::BinaryKind::Add ? a + b : a - b;
}

double dequantized(std::int32_t stored, const ops::Quantization& q) {
    return static_cast<double>(stored - q.zero_point) * static_cast<double>(q.scale);
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_quantized_binary(const graph::Graph& graph,
                                                                const graph::Node& node) {
    const auto op = std::get<ops::QuantizedBinary>(node.attributes);
    const graph::TensorDesc a = graph.desc(node.inputs[0]);
    const graph::TensorDesc b = graph.desc(node.inputs[1]);
    return make_kernel([=](const runtime::KernelIo& io) {
        for (std::size_t i = 0; i < a.element_count(); ++i) {
            const double left = dequantized(byte_at(io, 0, a.type(), i), op.a);
            const double right = dequantized(byte_at(io, 1, b.type(), i), op.b);
            write_quantized(io, op.result, op.activation, i, value_of(op, left, right));
        }
    });
}

} // namespace sluice::reference
