// SPDX-License-Identifier: Apache-2.0
// Loops that do nothing but what a processor is limited by: what its kernels are measured against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::cpu {

// The loops of one instruction set, which all other kernels use, too. Results are returned so that
// no compiler can leave the work out.
struct MachineKernels {
    // Ten chains of x = x * factor + addend, `rounds` steps each; the i-th starts at i. Returns the
    // sum of all their lanes.
    float (*multiply_add)(std::size_t rounds, float factor, float addend);
    std::size_t multiply_add_lanes; // of all chains: two operations each and round
    // Chains of 32-bit sums += four products of an unsigned and a signed byte. Returns the sum of
    // all their lanes.
    std::int32_t (*dot_products)(std::size_t rounds, std::uint8_t a, std::int8_t b);
    std::size_t dot_product_lanes; // of all chains: eight operations each and round
    // The sum of the values, whose number is a multiple of read_step.
    std::uint32_t (*read)(std::span<const std::uint32_t> values);
    std::size_t read_step;
};

// Of the best instruction set that this processor has.
[[nodiscard]] const MachineKernels& machine_kernels();

} // namespace sluice::cpu
