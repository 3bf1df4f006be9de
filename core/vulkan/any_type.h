// SPDX-License-Identifier: Apache-2.0
// Kernels that take tensors of several types (shaders/lib/any.glsl).
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/vulkan/steps.h"

namespace sluice::vulkan {

// The number by which shaders know a type.
[[nodiscard]] constexpr std::uint32_t type_constant(graph::DataType type) {
    return static_cast<std::uint32_t>(type);
}
static_assert(
    type_constant(graph::DataType::Float32) == 0 && type_constant(graph::DataType::Float16) == 1 &&
    type_constant(graph::DataType::Int32) == 2 && type_constant(graph::DataType::Uint32) == 3 &&
    type_constant(graph::DataType::Int64) == 4 && type_constant(graph::DataType::Uint64) == 5 &&
    type_constant(graph::DataType::Int8) == 6 && type_constant(graph::DataType::Uint8) == 7);

// Unsupported for types of 64 bits, and where the device lacks the storage that the kernels' other
// types need.
[[nodiscard]] inline Status supports_any_type(const Context& context, const graph::Graph& graph,
                                              graph::OperandId id) {
    const graph::DataType type = graph.desc(id).type();
    if (graph::size_of(type) > 4) {
        return fail(ErrorCode::Unsupported, "data type {} has 64 bits", graph::name(type));
    }
    if (!context.profile.storage_8bit || !context.profile.storage_16bit) {
        return fail(ErrorCode::Unsupported, "{} does not store elements of 8 and of 16 bits",
                    context.profile.name);
    }
    return {};
}

[[nodiscard]] inline bool is_wide(const graph::Graph& graph, graph::OperandId id) {
    return graph::size_of(graph.desc(id).type()) > 4;
}

// The same for kernels that have a form with -DWIDE=1, for devices that compute in 64 bits.
[[nodiscard]] inline Status
supports_any_or_wide_type(const Context& context, const graph::Graph& graph, graph::OperandId id) {
    if (is_wide(graph, id) && !context.profile.int64) {
        return fail(ErrorCode::Unsupported, "data type {} has 64 bits, {} computes in 32",
                    graph::name(graph.desc(id).type()), context.profile.name);
    }
    if (!context.profile.storage_8bit || !context.profile.storage_16bit) {
        return fail(ErrorCode::Unsupported, "{} does not store elements of 8 and of 16 bits",
                    context.profile.name);
    }
    return {};
}

} // namespace sluice::vulkan
