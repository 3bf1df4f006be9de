// SPDX-License-Identifier: Apache-2.0
// The table of the reference backend: one lowering per row of ops.def.
#include "core/reference/backend.h"

#include <array>
#include <cstddef>
#include <utility>

#include "core/ops/attributes.h"
#include "core/reference/lowerings.h"

namespace sluice::reference {
namespace {

using Lower = Result<std::unique_ptr<runtime::Kernel>> (*)(const graph::Graph&, const graph::Node&);

// Indexed by OpKind.
constexpr std::array<Lower, ops::kOpCount> kLowerings{
#define SLUICE_OP(file, Type, cpu, vulkan) &lower_##file,
#include "core/ops/ops.def"
#undef SLUICE_OP
};

class ReferenceBackend final : public runtime::Backend {
public:
    [[nodiscard]] std::string_view name() const override { return "reference"; }

    // Lowering here only looks at descriptors, so trying it is the cheapest way to know.
    [[nodiscard]] Status supports(const graph::Graph& graph,
                                  const graph::Node& node) const override {
        auto kernel = lower(graph, node);
        if (!kernel) {
            return std::unexpected(std::move(kernel).error());
        }
        return {};
    }

    [[nodiscard]] Result<std::unique_ptr<runtime::Kernel>>
    lower(const graph::Graph& graph, const graph::Node& node) const override {
        return kLowerings[static_cast<std::size_t>(ops::kind_of(node.attributes))](graph, node);
    }
};

} // namespace

const runtime::Backend& backend() {
    static const ReferenceBackend instance;
    return instance;
}

} // namespace sluice::reference
