// SPDX-License-Identifier: Apache-2.0
// The shaders' tables of functions, held against the operators'.
#include "core/vulkan/functions.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace sluice::vulkan {
namespace {

constexpr auto kUnary = std::to_array<ops::UnaryKind>({
#define SLUICE_UNARY(Type, expression) ops::UnaryKind::Type,
#include "core/vulkan/shaders/lib/unary.def"
#undef SLUICE_UNARY
});
constexpr auto kUnaryInteger = std::to_array<ops::UnaryKind>({
#define SLUICE_UNARY(Type, expression) ops::UnaryKind::Type,
#include "core/vulkan/shaders/lib/unary_integer.def"
#undef SLUICE_UNARY
});
static_assert(kUnary == kUnaryInteger);
constexpr auto kBinary = std::to_array<ops::BinaryKind>({
#define SLUICE_BINARY(Type, expression) ops::BinaryKind::Type,
#include "core/vulkan/shaders/lib/binary.def"
#undef SLUICE_BINARY
});
constexpr auto kBinaryInteger = std::to_array<ops::BinaryKind>({
#define SLUICE_BINARY(Type, expression) ops::BinaryKind::Type,
#include "core/vulkan/shaders/lib/binary_integer.def"
#undef SLUICE_BINARY
});
static_assert(kBinary == kBinaryInteger);

// A function added to core/ops/*.def needs a row here too.
constexpr std::size_t kUnaryRows = 0
#define SLUICE_UNARY(name, Type, domain, expression, low, high) +1
#include "core/ops/unary.def"
#undef SLUICE_UNARY
    ;
constexpr std::size_t kBinaryRows = 0
#define SLUICE_BINARY(name, Type, domain, expression, low, high) +1
#include "core/ops/binary.def"
#undef SLUICE_BINARY
    ;
static_assert(kUnary.size() == kUnaryRows && std::ranges::is_sorted(kUnary));
static_assert(kBinary.size() == kBinaryRows && std::ranges::is_sorted(kBinary));

} // namespace

std::uint32_t function_constant(ops::UnaryKind kind) {
    return static_cast<std::uint32_t>(kind);
}

std::uint32_t function_constant(ops::BinaryKind kind) {
    return static_cast<std::uint32_t>(kind);
}

} // namespace sluice::vulkan
