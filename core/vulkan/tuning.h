// SPDX-License-Identifier: Apache-2.0
// Tuning: which kernels and tile sizes suit a device. Pure.
#pragma once

#include <cstdint>

#include "core/vulkan/profile.h"

namespace sluice::vulkan {

// Of conv_tiled.comp. A workgroup computes rows pixels of blocks * 4 output channels and goes
// through the depth in steps; an invocation has own_rows * own_blocks vectors of sums.
struct ConvTiles {
    std::uint32_t rows = 32;
    std::uint32_t blocks = 8;
    std::uint32_t depth = 16; // a multiple of 4
    std::uint32_t own_rows = 4;
    std::uint32_t own_blocks = 1;

    [[nodiscard]] std::uint32_t invocations() const {
        return rows / own_rows * (blocks / own_blocks);
    }
    [[nodiscard]] std::uint32_t shared_bytes() const {
        return (depth * (rows + 1) + blocks * depth * 4) * 4;
    }
    friend bool operator==(const ConvTiles&, const ConvTiles&) = default;
};

struct Tuning {
    // Inputs and outputs have memory of the host and cross by one copy each, as they must where the
    // host does not see the device's memory.
    bool staged = false;
    // Dense convolutions with tiles in shared memory; else each invocation reads what it needs.
    bool tiled = true;
    ConvTiles wide;                        // more than 32 output channels
    ConvTiles narrow;                      // the others
    std::uint32_t direct_invocations = 64; // a workgroup of the kernels without tiles
    std::uint32_t direct_blocks = 2;       // blocks of four channels that one of them may compute
    std::uint32_t line_invocations = 64;   // a workgroup that reduces a line; a power of two
};

// From a table by vendor, cut down where the device's limits are below what the table assumes.
[[nodiscard]] Tuning tuning_for(const DeviceProfile& profile);

} // namespace sluice::vulkan
