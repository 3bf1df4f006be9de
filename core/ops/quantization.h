// SPDX-License-Identifier: Apache-2.0
// How an integer of 8 bits stands for a number, and what the quantised operators write.
#pragma once

#include <cstdint>

#include "core/graph/data_type.h"

namespace sluice::ops {

// value = (stored - zero_point) * scale
struct Quantization {
    float scale = 1.0F;
    std::int32_t zero_point = 0;

    friend bool operator==(const Quantization&, const Quantization&) = default;
};

[[nodiscard]] constexpr bool is_byte(graph::DataType type) {
    return type == graph::DataType::Int8 || type == graph::DataType::Uint8;
}

// The result of a quantised operator: int8 or uint8, quantised like this, or plain float32.
struct QuantizedResult {
    graph::DataType type = graph::DataType::Float32;
    Quantization quantization{};
};

} // namespace sluice::ops
