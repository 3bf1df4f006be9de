// SPDX-License-Identifier: Apache-2.0
// Padding on every axis.
#include "core/ops/pad.h"

#include <cstdint>
#include <utility>
#include <variant>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {
namespace {

// The input index that output index `position` (before padding is taken off) shows; negative where
// the constant shows.
std::int64_t source(std::int64_t position, std::int64_t size, ops::PaddingMode mode) {
    switch (mode) {
    case ops::PaddingMode::Constant: return position < size ? position : -1;
    case ops::PaddingMode::Edge: return position < 0 ? 0 : (position < size ? position : size - 1);
    case ops::PaddingMode::Reflection:
        // The edge itself is not repeated; infer() keeps the padding below the size.
        return position < 0 ? -position : (position < size ? position : 2 * (size - 1) - position);
    }
    std::unreachable();
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_pad(const graph::Graph& graph,
                                                   const graph::Node& node) {
    const auto op = std::get<ops::Pad>(node.attributes);
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    const Strides strides = graph::strides_of(x.shape());
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_type(x.type(), [&]<typename T>(std::type_identity<T>) {
            for (std::size_t i = 0; i < y.element_count(); ++i) {
                std::size_t rest = i;
                std::size_t offset = 0;
                bool inside = true;
                for (std::size_t axis = y.rank(); axis-- > 0;) {
                    const auto position =
                        static_cast<std::int64_t>(rest % y.shape()[axis]) - op.beginning[axis];
                    rest /= y.shape()[axis];
                    const std::int64_t from = source(position, x.shape()[axis], op.mode);
                    inside = inside && from >= 0;
                    offset += inside ? static_cast<std::size_t>(from) * strides[axis] : 0;
                }
                io.output<T>(0)[i] = inside ? io.input<T>(0)[offset] : from_double<T>(op.value);
            }
        });
    });
}

} // namespace sluice::reference
