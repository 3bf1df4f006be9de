// SPDX-License-Identifier: Apache-2.0
// Slices of an axis picked by a tensor of indices.
#include "core/ops/gather.h"

#include <algorithm>
#include <variant>

#include "core/reference/indices.h"
#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {

Result<std::unique_ptr<runtime::Kernel>> lower_gather(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto axis = std::get<ops::Gather>(node.attributes).axis;
    const graph::TensorDesc& x = graph.desc(node.inputs[0]);
    const graph::TensorDesc& indices = graph.desc(node.inputs[1]);
    const std::uint32_t size = x.shape()[axis];
    const std::size_t block = graph::strides_of(x.shape())[axis];
    const std::size_t blocks = x.element_count() / (size * block);
    const std::size_t picks = indices.element_count();
    return make_kernel([=, type = x.type(),
                        index_type = indices.type()](const runtime::KernelIo& io) {
        visit_size(type, [&]<typename T>(std::type_identity<T>) {
            T* out = io.output<T>(0);
            for (std::size_t outer = 0; outer < blocks; ++outer) {
                for (std::size_t i = 0; i < picks; ++i) {
                    const std::size_t from = read_index(index_type, io.inputs[1], i, size);
                    out = std::copy_n(io.input<T>(0) + (outer * size + from) * block, block, out);
                }
            }
        });
    });
}

} // namespace sluice::reference
