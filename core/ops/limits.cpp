// SPDX-License-Identifier: Apache-2.0
// The rows of limits.def, and what they say about the inputs of a node.
#include "core/ops/limits.h"

#include <algorithm>
#include <array>
#include <format>
#include <variant>

namespace sluice::ops {
namespace {

using graph::kMaxRank;
using enum graph::DataType;

constexpr DataTypeSet kAny{Float32, Float16, Int32, Uint32, Int64, Uint64, Int8, Uint8};
constexpr DataTypeSet kFloats{Float32, Float16};
constexpr DataTypeSet kIndices{Int32, Uint32, Int64};
constexpr DataTypeSet kPositions{Int32, Int64};
constexpr DataTypeSet kQuantised{Int8, Uint8, Int32, Uint32};
constexpr DataTypeSet kSigned{Float32, Float16, Int32, Int64, Int8};
constexpr DataTypeSet kUint8{Uint8};
constexpr DataTypeSet kWide{Float32, Float16, Int32, Uint32, Int64, Uint64};

constexpr auto kLimitRows = std::to_array<OperandLimits>({
#define SLUICE_LIMIT(op, operand, types, least, most) {#op, #operand, types, least, most},
#include "core/ops/limits.def"
#undef SLUICE_LIMIT
});
static_assert(std::ranges::is_sorted(kLimitRows, {}, &OperandLimits::op));

// The set as a sentence names it.
std::string sentence(DataTypeSet types) {
    if (types == kSigned) {
        return "floats and signed integers";
    }
    if (types == kWide) {
        return "floats and integers of 32 or 64 bits";
    }
    std::string text = to_string(types);
    if (const std::size_t last = text.rfind(", "); last != std::string::npos) {
        text.replace(last, 2, " and ");
    }
    return text;
}

// Whether a node has this operand: optional ones say so by an attribute of their name.
template <typename Op>
bool is_present(const Op& op, std::string_view operand) {
#define SLUICE_OPTIONAL(name)                                                                      \
    if constexpr (requires { op.has_##name; }) {                                                   \
        if (operand == #name) {                                                                    \
            return op.has_##name;                                                                  \
        }                                                                                          \
    }
    SLUICE_OPTIONAL(bias)
    SLUICE_OPTIONAL(c)
    SLUICE_OPTIONAL(initial_cell_state)
    SLUICE_OPTIONAL(initial_hidden_state)
    SLUICE_OPTIONAL(peephole_weight)
    SLUICE_OPTIONAL(recurrent_bias)
    SLUICE_OPTIONAL(scale)
#undef SLUICE_OPTIONAL
    return true;
}

bool is_present(const Attributes& attributes, std::string_view operand) {
    return std::visit([&](const auto& op) { return is_present(op, operand); }, attributes);
}

// "recurrent_weight" to "recurrent weight".
std::string spoken(std::string_view operand) {
    std::string text(operand);
    std::ranges::replace(text, '_', ' ');
    return text;
}

Status check_operand(const OperandLimits& limits, const graph::TensorDesc& desc) {
    if (!limits.types.contains(desc.type())) {
        return fail(ErrorCode::InvalidArgument, "{} has type {}, only {} {} allowed",
                    spoken(limits.operand), graph::name(desc.type()), sentence(limits.types),
                    limits.types == kUint8 ? "is" : "are");
    }
    if (desc.rank() >= limits.least_rank && desc.rank() <= limits.most_rank) {
        return {};
    }
    const std::string needed = limits.least_rank == limits.most_rank
                                   ? std::format("{}", limits.least_rank)
                               : limits.most_rank == kMaxRank
                                   ? std::format("{} or more", limits.least_rank)
                                   : std::format("{} to {}", limits.least_rank, limits.most_rank);
    return fail(ErrorCode::InvalidArgument, "{} {} has rank {}, not {}", spoken(limits.operand),
                graph::to_string(desc), desc.rank(), needed);
}

bool is_output(const OperandLimits& limits) {
    return limits.operand.starts_with("output");
}

} // namespace

std::string to_string(DataTypeSet types) {
    if (types == kAny) {
        return "any";
    }
    std::string text;
    for (std::size_t i = 0; i < graph::kDataTypes.size(); ++i) {
        if (types.contains(static_cast<graph::DataType>(i))) {
            text += text.empty() ? "" : ", ";
            text += graph::kDataTypes[i].name;
        }
    }
    return text;
}

std::span<const OperandLimits> op_support_limits() {
    return kLimitRows;
}

std::span<const OperandLimits> op_support_limits(std::string_view op) {
    const auto rows = std::ranges::equal_range(kLimitRows, op, {}, &OperandLimits::op);
    return {rows.begin(), rows.end()};
}

Status check_limits(const Attributes& attributes, std::span<const graph::TensorDesc> inputs) {
    std::size_t next = 0;
    for (const OperandLimits& limits : op_support_limits(name_of(attributes))) {
        if (is_output(limits) || !is_present(attributes, limits.operand)) {
            continue;
        }
        // One row stands for a list of operands.
        const std::size_t end =
            limits.operand == "inputs" ? inputs.size() : std::min(next + 1, inputs.size());
        for (; next < end; ++next) {
            SLUICE_TRY(check_operand(limits, inputs[next]));
        }
    }
    return {};
}

} // namespace sluice::ops
