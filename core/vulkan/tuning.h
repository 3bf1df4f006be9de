// SPDX-License-Identifier: Apache-2.0
// Tuning: which kernels and tile sizes suit a device. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/vulkan/matrix_tiles.h"
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
    // Kernels without tiles share loads of weights within subgroups: on devices that load for each
    // invocation what all of a workgroup read.
    bool shared_loads = false;
    std::uint32_t line_invocations = 64; // a workgroup that reduces a line; a power of two
    // Dense 3x3 convolutions of stride 1 with at least as many channels on either side go by
    // Winograd's form; 0: none do. Only where tiled.
    std::uint32_t winograd_channels = 0;
    // Lines are reduced by the subgroups' own instructions; else in shared memory only.
    bool subgroups = false;
    // Matrix products of float16 tensors multiply in float16 too.
    bool half_arithmetic = false;
    // Dense convolutions of float16 tensors on cooperative matrices.
    std::optional<MatrixTiles> matrix;
};

// Tiles that the table chooses from, and by which name a tuner keeps them.
struct NamedTiles {
    std::string_view name;
    ConvTiles tiles;
};
[[nodiscard]] std::span<const NamedTiles> known_tiles();
// Whether the device holds them.
[[nodiscard]] bool fits(const ConvTiles& tiles, const DeviceProfile& profile);

// Whether kernels are timed on the device where a network is compiled (autotuner.h).
enum class Autotune : std::uint8_t { WhereHardware, Always, Never };

// What is the user's to choose.
struct TuningOptions {
    bool half_arithmetic = false; // where the device has it
    Autotune autotune = Autotune::WhereHardware;
};
// SLUICE_VULKAN_FLOAT16=arithmetic asks for half_arithmetic; SLUICE_VULKAN_AUTOTUNE=on times
// kernels on software devices too, =off on none.
[[nodiscard]] TuningOptions tuning_options_from_environment();

[[nodiscard]] bool is_autotuned(const DeviceProfile& profile, const TuningOptions& options);

// From a table by vendor, cut down where the device's limits are below what the table assumes.
[[nodiscard]] Tuning tuning_for(const DeviceProfile& profile, const TuningOptions& options = {});

} // namespace sluice::vulkan
