// SPDX-License-Identifier: Apache-2.0
// Choice of a matrix shape, and of tiles that are whole multiples of it.
#include "core/vulkan/matrix_tiles.h"

#include <algorithm>
#include <vector>

namespace sluice::vulkan {
namespace {

bool is_usable(const MatrixShape& shape) {
    return shape.a == MatrixType::Float16 && shape.b == MatrixType::Float16 &&
           shape.c == MatrixType::Float32 && shape.result == MatrixType::Float32 &&
           shape.of_subgroup && shape.m > 0 && shape.n > 0 && shape.k > 0 && shape.n % 4 == 0 &&
           shape.k % 4 == 0;
}

// The largest tiles of at most `side` rows and columns that the device holds.
std::optional<MatrixTiles> tiles_of(const MatrixShape& shape, std::uint32_t side,
                                    const DeviceProfile& profile) {
    if (shape.m > side || shape.n > side || shape.k > 64) {
        return std::nullopt;
    }
    MatrixTiles tiles{.rows = side / shape.m * shape.m,
                      .columns = side / shape.n * shape.n,
                      .depth = shape.k * std::max(1U, 32 / shape.k),
                      .m = shape.m,
                      .n = shape.n,
                      .k = shape.k};
    const std::uint32_t matrices = tiles.rows / tiles.m * (tiles.columns / tiles.n);
    // The kernel makes several passes where the subgroups are fewer than the matrices need.
    const std::uint32_t most = std::min(profile.max_workgroup_invocations, 256U);
    const std::uint32_t subgroups =
        std::min((matrices + tiles.own - 1) / tiles.own, most / profile.subgroup_size);
    tiles.invocations = subgroups * profile.subgroup_size;
    if (subgroups == 0 || tiles.shared_bytes() > profile.shared_memory_bytes) {
        return std::nullopt;
    }
    return tiles;
}

} // namespace

std::optional<MatrixTiles> matrix_tiles_for(const DeviceProfile& profile) {
    if (!profile.cooperative_matrix || !profile.float16 || !profile.storage_16bit ||
        profile.subgroup_size == 0) {
        return std::nullopt;
    }
    std::vector<MatrixShape> shapes = profile.matrix_shapes;
    std::erase_if(shapes, [](const MatrixShape& shape) { return !is_usable(shape); });
    const auto volume = [](const MatrixShape& shape) {
        return std::uint64_t{shape.m} * shape.n * shape.k;
    };
    std::ranges::stable_sort(
        shapes, [&](const MatrixShape& a, const MatrixShape& b) { return volume(a) > volume(b); });
    for (const std::uint32_t side : {64U, 32U, 16U}) {
        for (const MatrixShape& shape : shapes) {
            if (const auto tiles = tiles_of(shape, side, profile)) {
                return tiles;
            }
        }
    }
    return std::nullopt;
}

} // namespace sluice::vulkan
