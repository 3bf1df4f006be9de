// SPDX-License-Identifier: Apache-2.0
// General matrix product alpha * A' * B' + beta * C.
#include "core/ops/gemm.h"

#include <variant>

#include "core/reference/activation.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {
namespace {

struct GemmGeometry {
    ops::Gemm op;
    std::size_t m, n, k;
    // Element strides of A over (m, k), of B over (k, n), and of C over (m, n).
    std::size_t a_row, a_column, b_row, b_column, c_row, c_column;
};

template <typename T>
void run(const GemmGeometry& g, const runtime::KernelIo& io) {
    const T* a = io.input<T>(0);
    const T* b = io.input<T>(1);
    for (std::size_t i = 0; i < g.m; ++i) {
        for (std::size_t j = 0; j < g.n; ++j) {
            double sum = 0.0;
            for (std::size_t k = 0; k < g.k; ++k) {
                sum +=
                    widen(a[i * g.a_row + k * g.a_column]) * widen(b[k * g.b_row + j * g.b_column]);
            }
            sum *= g.op.alpha;
            if (g.op.has_c) {
                sum += g.op.beta * widen(io.input<T>(2)[i * g.c_row + j * g.c_column]);
            }
            const float value = evaluate(g.op.activation, static_cast<float>(sum));
            io.output<T>(0)[i * g.n + j] = narrow<T>(static_cast<double>(value));
        }
    }
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_gemm(const graph::Graph& graph,
                                                    const graph::Node& node) {
    const auto op = std::get<ops::Gemm>(node.attributes);
    const graph::TensorDesc& a = graph.desc(node.inputs[0]);
    SLUICE_TRY(require_float(a.type()));
    const graph::Shape& b = graph.desc(node.inputs[1]).shape();
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    GemmGeometry g{.op = op,
                   .m = y[0],
                   .n = y[1],
                   .k = op.a_transpose ? a.shape()[0] : a.shape()[1],
                   .a_row = a.shape()[1],
                   .a_column = 1,
                   .b_row = b[1],
                   .b_column = 1,
                   .c_row = 0,
                   .c_column = 0};
    if (op.a_transpose) {
        std::swap(g.a_row, g.a_column);
    }
    if (op.b_transpose) {
        std::swap(g.b_row, g.b_column);
    }
    if (op.has_c) {
        const Strides c = broadcast_strides(graph.desc(node.inputs[2]).shape(), y);
        g.c_row = c[0];
        g.c_column = c[1];
    }
    return make_kernel([g, type = a.type()](const runtime::KernelIo& io) {
        visit_float(type, [&]<typename T>(std::type_identity<T>) { run<T>(g, io); });
    });
}

} // namespace sluice::reference
