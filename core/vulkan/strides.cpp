// SPDX-License-Identifier: Apache-2.0
// Grids, and the strided copy that slice, transpose, concat, split and expand come down to.
#include "core/vulkan/strides.h"

#include <algorithm>
#include <utility>

#include "core/base/checked_math.h"

namespace sluice::vulkan {
namespace {

// Pairs of neighbouring elements become one element of twice the size for as long as everything is
// even and dense.
std::size_t widen(Walk<2>& walk, std::size_t& from_start, std::size_t& to_start,
                  std::size_t element_bytes) {
    // Strides that wrap, of a reversed axis, cannot be halved.
    const auto odd = [](std::size_t n) { return n % 2 != 0 || n > 0x7FFFFFFFU; };
    for (; element_bytes < 16; element_bytes *= 2) {
        bool possible = walk.strides[0][0] == 1 && walk.strides[1][0] == 1 && !odd(walk.shape[0]) &&
                        !odd(from_start) && !odd(to_start);
        for (std::size_t axis = 1; axis < walk.rank; ++axis) {
            possible = possible && !odd(walk.strides[0][axis]) && !odd(walk.strides[1][axis]);
        }
        if (!possible) {
            break;
        }
        walk.shape[0] /= 2;
        from_start /= 2;
        to_start /= 2;
        for (std::size_t axis = 1; axis < walk.rank; ++axis) {
            walk.strides[0][axis] /= 2;
            walk.strides[1][axis] /= 2;
        }
    }
    return element_bytes;
}

Shader copy_shader(std::size_t element_bytes) {
    switch (element_bytes) {
    case 1: return Shader::StridedCopy8;
    case 2: return Shader::StridedCopy16;
    case 4: return Shader::StridedCopy32;
    case 8: return Shader::StridedCopy64;
    default: return Shader::StridedCopy128;
    }
}

} // namespace

Strides broadcast_strides(const graph::Shape& from, const graph::Shape& to) {
    const Strides dense = graph::strides_of(from);
    const std::size_t lead = to.rank() - from.rank();
    Strides out{};
    for (std::size_t axis = 0; axis < from.rank(); ++axis) {
        out[lead + axis] = from[axis] == 1 ? 0 : dense[axis];
    }
    return out;
}

Grid grid_of(std::uint32_t inner, std::uint32_t next, std::uint32_t outer,
             const DeviceProfile& profile) {
    Grid grid;
    // Few shapes: each is another pipeline.
    grid.size = inner >= 32 ? std::array{64U, 1U}
                            : (inner >= 8 ? std::array{16U, 4U} : std::array{4U, 16U});
    grid.groups = {limited(div_ceil<std::uint64_t>(inner, grid.size[0]), profile),
                   limited(div_ceil<std::uint64_t>(next, grid.size[1]), profile),
                   limited(outer, profile)};
    return grid;
}

std::array<std::uint32_t, 3> line_of(std::uint64_t count, std::uint32_t size,
                                     const DeviceProfile& profile) {
    return {limited(div_ceil<std::uint64_t>(count, size), profile), 1, 1};
}

void write_copy(StepWriter& writer, const StridedCopy& copy, RegionUse from, RegionUse to) {
    Walk<2> walk = merge_axes(copy.shape, std::array{copy.from_strides, copy.to_strides});
    if (walk.rank == 0) { // a single element is a dense line too
        walk.strides[0][0] = 1;
        walk.strides[1][0] = 1;
    }
    std::size_t from_start = copy.from_start;
    std::size_t to_start = copy.to_start;
    const std::size_t bytes = widen(walk, from_start, to_start, copy.element_bytes);
    const Grid grid = grid_of(walk.shape[0], walk.shape[1], walk.outer(), writer.context().profile);
    struct {
        std::uint32_t outer, from_start, to_start;
        Words shape, from_strides, to_strides;
    } const push{.outer = walk.outer(),
                 .from_start = static_cast<std::uint32_t>(from_start),
                 .to_start = static_cast<std::uint32_t>(to_start),
                 .shape = walk.shape,
                 .from_strides = walk.strides[0],
                 .to_strides = walk.strides[1]};
    writer.dispatch({.shader = copy_shader(bytes),
                     .constants = {grid.size[0], grid.size[1]},
                     .buffers = {from, to},
                     .push = to_push(push),
                     .groups = grid.groups});
}

} // namespace sluice::vulkan
