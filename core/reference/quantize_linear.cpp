// SPDX-License-Identifier: Apache-2.0
// Floats to integers: round(x / scale) + zero_point, saturated, block by block.
#include "core/ops/quantize_linear.h"

#include <cmath>

#include "core/reference/blocks.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_quantize_linear(const graph::Graph& graph,
                                                               const graph::Node& node) {
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const graph::TensorDesc scale = graph.desc(node.inputs[1]);
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    SLUICE_TRY(require_float(x.type()));
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_float(x.type(), [&]<typename F>(std::type_identity<F>) {
            visit_type(y.type(), [&]<typename T>(std::type_identity<T>) {
                for (std::size_t i = 0; i < x.element_count(); ++i) {
                    const std::size_t block = block_of(i, x.shape(), scale.shape());
                    // The quotient is rounded to the input's type first, as a division of its own
                    // would: on which side of a tie it falls depends on that.
                    const F quotient =
                        narrow<F>(widen(io.input<F>(0)[i]) / widen(io.input<F>(1)[block]));
                    io.output<T>(0)[i] =
                        from_double<T>(std::nearbyint(widen(quotient)) +
                                       static_cast<double>(widen(io.input<T>(2)[block])));
                }
            });
        });
    });
}

} // namespace sluice::reference
