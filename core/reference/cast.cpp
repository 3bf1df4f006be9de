// SPDX-License-Identifier: Apache-2.0
// Conversion between data types.
#include "core/ops/cast.h"

#include <type_traits>

#include "core/reference/lowerings.h"
#include "core/reference/tensor_access.h"

namespace sluice::reference {
namespace {

// Floats to integers truncate and saturate; integers to integers wrap, as C++ does.
template <typename To, typename From>
To convert(From value) {
    if constexpr (kIsFloat<From>) {
        return from_double<To>(widen(value));
    } else if constexpr (std::is_same_v<To, Half>) {
        // Beyond 65504 is infinity whatever the rounding to double did.
        return round_to_half(static_cast<double>(value));
    } else {
        return static_cast<To>(value);
    }
}

} // namespace

Result<std::unique_ptr<runtime::Kernel>> lower_cast(const graph::Graph& graph,
                                                    const graph::Node& node) {
    const graph::TensorDesc x = graph.desc(node.inputs[0]);
    const graph::TensorDesc y = graph.desc(node.outputs[0]);
    return make_kernel([=](const runtime::KernelIo& io) {
        visit_type(x.type(), [&]<typename From>(std::type_identity<From>) {
            visit_type(y.type(), [&]<typename To>(std::type_identity<To>) {
                for (std::size_t i = 0; i < x.element_count(); ++i) {
                    io.output<To>(0)[i] = convert<To>(io.input<From>(0)[i]);
                }
            });
        });
    });
}

} // namespace sluice::reference
