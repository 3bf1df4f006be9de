// SPDX-License-Identifier: Apache-2.0
// Integers to floats: (x - zero_point) * scale, block by block.
#include "core/ops/dequantize_linear.h"

#include "core/reference/blocks.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_dequantize_linear(const graph::Graph& graph,
                                                                 const graph::Node& node) {
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const graph::TensorDesc scale = graph.desc(node.inputs[1]);
    SLUICE_TRY(require_float(scale.type()));
    if (graph::is_float(x.type()) || graph::size_of(x.type()) > 4) {
        return fail(ErrorCode::Unsupported, "reference: dequantize_linear of {}",
                    graph::name(x.type()));
    }
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_type(x.type(), [&]<typename T>(std::type_identity<T>) {
            visit_float(scale.type(), [&]<typename F>(std::type_identity<F>) {
                for (std::size_t i = 0; i < x.element_count(); ++i) {
                    const std::size_t block = block_of(i, x.shape(), scale.shape());
                    const auto centred = static_cast<double>(widen(io.input<T>(0)[i])) -
                                         static_cast<double>(widen(io.input<T>(2)[block]));
                    io.output<F>(0)[i] =
                        from_double<F>(centred * static_cast<double>(widen(io.input<F>(1)[block])));
                }
            });
        });
    });
}

} // namespace sluice::reference
