// SPDX-License-Identifier: Apache-2.0
// Index spaces of kernels that walk several strided tensors at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/graph/tensor_desc.h"
#include "core/vulkan/profile.h"
#include "core/vulkan/steps.h"

namespace sluice::vulkan {

using Strides = std::array<std::size_t, graph::kMaxRank>; // in elements, outermost axis first
using Words = std::array<std::uint32_t, graph::kMaxRank>; // as shaders take them, innermost first

// Element strides of `from` seen as a tensor of shape `to`: 0 on the axes that are repeated.
[[nodiscard]] Strides broadcast_strides(const graph::Shape& from, const graph::Shape& to);

// The axes of up to three tensors walked together: axes of size 1 are dropped, axes that lie behind
// each other in all tensors are one. Unused axes have size 1 and stride 0.
template <std::size_t N>
struct Walk {
    std::size_t rank = 0;
    Words shape{1, 1, 1, 1, 1, 1, 1, 1};
    std::array<Words, N> strides{};

    // The product of the axes from the third on: `outer` of lib/grid.glsl.
    [[nodiscard]] std::uint32_t outer() const {
        std::uint32_t product = 1;
        for (std::size_t axis = 2; axis < rank; ++axis) {
            product *= shape[axis];
        }
        return product;
    }
};

template <std::size_t N>
[[nodiscard]] Walk<N> merge_axes(const graph::Shape& shape, const std::array<Strides, N>& strides) {
    Walk<N> walk;
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
        if (shape[axis] == 1) {
            continue;
        }
        bool continues = walk.rank > 0;
        for (std::size_t n = 0; n < N && continues; ++n) {
            const std::size_t last = walk.rank - 1;
            continues = strides[n][axis] == std::size_t{walk.strides[n][last]} * walk.shape[last];
        }
        if (continues) {
            walk.shape[walk.rank - 1] *= shape[axis];
            continue;
        }
        walk.shape[walk.rank] = shape[axis];
        for (std::size_t n = 0; n < N; ++n) {
            walk.strides[n][walk.rank] = static_cast<std::uint32_t>(strides[n][axis]);
        }
        ++walk.rank;
    }
    return walk;
}

// Workgroups for lib/grid.glsl: their size is its first two specialisation constants.
struct Grid {
    std::array<std::uint32_t, 2> size{};
    std::array<std::uint32_t, 3> groups{};
};
[[nodiscard]] Grid grid_of(std::uint32_t inner, std::uint32_t next, std::uint32_t outer,
                           const DeviceProfile& profile);

// Workgroups of `size` invocations for `count` elements in a row.
[[nodiscard]] std::array<std::uint32_t, 3> line_of(std::uint64_t count, std::uint32_t size,
                                                   const DeviceProfile& profile);

// Element [i, j, ...] of `shape` goes from from_start + from_strides . [i, j, ...] to to_start +
// to_strides . [...], counted in elements of `element_bytes`.
struct StridedCopy {
    graph::Shape shape;
    Strides from_strides{};
    Strides to_strides{};
    std::size_t from_start = 0;
    std::size_t to_start = 0;
    std::size_t element_bytes = 4;
};
void write_copy(StepWriter& writer, const StridedCopy& copy, RegionUse from, RegionUse to);
inline void write_copy(StepWriter& writer, const StridedCopy& copy, RegionId from, RegionId to) {
    write_copy(writer, copy, {from, Access::Read}, {to, Access::Write});
}

} // namespace sluice::vulkan
