// SPDX-License-Identifier: Apache-2.0
// Reading of quantised elements, and the end that the quantised operators share.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/ops/quantization.h"
#include "core/reference/activation.h"
#include "core/reference/tensor_access.h"
#include "core/runtime/kernel.h"

namespace sluice::reference {

// Element i of input n, of int8 or uint8.
[[nodiscard]] inline std::int32_t byte_at(const runtime::KernelIo& io, std::size_t n,
                                          graph::DataType type, std::size_t i) {
    return type == graph::DataType::Int8 ? std::int32_t{io.input<std::int8_t>(n)[i]}
                                         : std::int32_t{io.input<std::uint8_t>(n)[i]};
}

// output[i] = quantised activation(value)
inline void write_quantized(const runtime::KernelIo& io, const ops::QuantizedResult& result,
                            const ops::Activation& activation, std::size_t i, double value) {
    const float bounded = evaluate(activation, static_cast<float>(value));
    if (result.type == graph::DataType::Float32) {
        io.output<float>(0)[i] = bounded;
        return;
    }
    const double steps = std::nearbyint(static_cast<double>(bounded / result.quantization.scale)) +
                         result.quantization.zero_point;
    if (result.type == graph::DataType::Int8) {
        io.output<std::int8_t>(0)[i] = from_double<std::int8_t>(steps);
    } else {
        io.output<std::uint8_t>(0)[i] = from_double<std::uint8_t>(steps);
    }
}

} // namespace sluice::reference
