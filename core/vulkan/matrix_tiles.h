// SPDX-License-Identifier: Apache-2.0
// Tiles of conv_matrix.comp: chosen from the matrix shapes that a device lists. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "core/vulkan/profile.h"

namespace sluice::vulkan {

// A workgroup computes rows pixels by columns channels and goes through the depth in steps; an
// invocation's subgroup keeps the sums of `own` matrices at a time.
struct MatrixTiles {
    std::uint32_t rows = 64;    // a multiple of m
    std::uint32_t columns = 64; // a multiple of n and of 4
    std::uint32_t depth = 16;   // a multiple of k and of 4
    std::uint32_t m = 16, n = 16, k = 16;
    std::uint32_t own = 4;
    std::uint32_t invocations = 128; // a multiple of the subgroup's

    [[nodiscard]] std::uint32_t shared_bytes() const {
        return rows * (depth + 8) * 2 + depth * (columns + 8) * 2 + rows * columns * 4;
    }
    friend bool operator==(const MatrixTiles&, const MatrixTiles&) = default;
};

// For float16 factors and float32 sums of a subgroup's scope, the largest shape first; nothing
// where the device has no such shape, or where no tiles fit its shared memory and its workgroups.
[[nodiscard]] std::optional<MatrixTiles> matrix_tiles_for(const DeviceProfile& profile);

} // namespace sluice::vulkan
