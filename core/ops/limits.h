// SPDX-License-Identifier: Apache-2.0
// The limits table: which data types and ranks every operand of every operator may have (WebNN
// opSupportLimits(), section MLOpSupportLimits).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/attributes.h"

namespace sluice::ops {

// A set of data types.
class DataTypeSet {
public:
    constexpr DataTypeSet(std::initializer_list<graph::DataType> types) {
        for (const graph::DataType type : types) {
            bits_ = static_cast<std::uint8_t>(bits_ | bit(type));
        }
    }

    [[nodiscard]] constexpr bool contains(graph::DataType type) const {
        return (bits_ & bit(type)) != 0;
    }
    friend constexpr bool operator==(DataTypeSet, DataTypeSet) = default;

private:
    [[nodiscard]] static constexpr std::uint8_t bit(graph::DataType type) {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(type));
    }

    std::uint8_t bits_ = 0;
};

// "float32, float16" or "any".
[[nodiscard]] std::string to_string(DataTypeSet types);

// One operand of one operator. Operands that must share a type or a rank have equal rows; that they
// do share it is checked by infer().
struct OperandLimits {
    std::string_view op;      // as name_of() says: "conv2d", "hard_swish", "reduce_mean"
    std::string_view operand; // WebNN's name in snake_case: "recurrent_weight"; outputs come last
    DataTypeSet types;
    std::size_t least_rank;
    std::size_t most_rank;
};

// The rows of every operator, sorted by operator, each one's operands in the order of its inputs
// and then its outputs. All backends together run whatever lies within: the reference does.
[[nodiscard]] std::span<const OperandLimits> op_support_limits();

// The rows of one operator; empty where there is none of this name.
[[nodiscard]] std::span<const OperandLimits> op_support_limits(std::string_view op);

// Whether the inputs of a node lie within the table; the error names the operand and what it may
// be. Their number is left to infer(), which calls this first.
[[nodiscard]] Status check_limits(const Attributes& attributes,
                                  std::span<const graph::TensorDesc> inputs);

} // namespace sluice::ops
