// SPDX-License-Identifier: Apache-2.0
// Packing of filters and biases.
#include <algorithm>
#include <span>
#include <vector>

#include "core/vulkan/convolution.h"
#include "core/vulkan/strides.h"

namespace sluice::vulkan {
namespace {

// The part of a filter with full blocks (lanes 4), or that of every group's last block
// (lanes 1..3).
struct Part {
    std::uint32_t first_block, blocks, lanes;
};

std::vector<Part> parts_of(const Convolution& c) {
    std::vector<Part> parts;
    const std::uint32_t full = c.group_outputs() / 4;
    const std::uint32_t rest = c.group_outputs() % 4;
    if (full > 0) {
        parts.push_back({.first_block = 0, .blocks = full, .lanes = 4});
    }
    if (rest > 0) {
        parts.push_back({.first_block = full, .blocks = 1, .lanes = rest});
    }
    return parts;
}

// Where one part of the filter goes: [group][block][row][column][input][lane].
StridedCopy filter_copy(const Convolution& c, const Part& part) {
    const FilterStrides& s = c.filter_strides;
    const std::size_t inputs = c.group_inputs();
    const std::size_t tap = inputs * 4;
    const std::size_t block = tap * c.taps();
    return {.shape = {c.groups, part.blocks, c.kernel_height, c.kernel_width, c.group_inputs(),
                      part.lanes},
            .from_strides = {s.group, s.output * 4, s.row, s.column, s.input, s.output},
            .to_strides = {block * c.group_blocks(), block, tap * c.kernel_width, tap, 4, 1},
            .from_start = std::size_t{part.first_block} * 4 * s.output,
            .to_start = part.first_block * block,
            .element_bytes = graph::size_of(c.type)};
}

// [row][column][channel], for depthwise.comp.
StridedCopy depthwise_copy(const Convolution& c) {
    const FilterStrides& s = c.filter_strides;
    return {.shape = {c.kernel_height, c.kernel_width, c.groups},
            .from_strides = {s.row, s.column, s.group},
            .to_strides = {std::size_t{c.kernel_width} * c.groups, c.groups, 1},
            .element_bytes = graph::size_of(c.type)};
}

StridedCopy bias_copy(const Convolution& c, const Part& part) {
    return {.shape = {c.groups, part.blocks, part.lanes},
            .from_strides = {c.group_outputs(), 4, 1},
            .to_strides = {std::size_t{c.group_blocks()} * 4, 4, 1},
            .from_start = std::size_t{part.first_block} * 4,
            .to_start = std::size_t{part.first_block} * 4,
            .element_bytes = graph::size_of(c.type)};
}

void run_here(const StridedCopy& copy, std::span<const std::byte> from, std::span<std::byte> to) {
    std::array<std::uint32_t, graph::kMaxRank> at{};
    const std::size_t count = copy.shape.element_count();
    const std::size_t size = copy.element_bytes;
    std::size_t a = copy.from_start;
    std::size_t b = copy.to_start;
    for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(a * size), size,
                    to.begin() + static_cast<std::ptrdiff_t>(b * size));
        for (std::size_t axis = copy.shape.rank(); axis-- > 0;) {
            a += copy.from_strides[axis];
            b += copy.to_strides[axis];
            if (++at[axis] < copy.shape[axis]) {
                break;
            }
            a -= copy.from_strides[axis] * copy.shape[axis];
            b -= copy.to_strides[axis] * copy.shape[axis];
            at[axis] = 0;
        }
    }
}

RegionId write_packed(StepWriter& writer, graph::OperandId id, std::size_t bytes,
                      std::span<const StridedCopy> copies) {
    const graph::Operand& operand = writer.graph().operand(id);
    if (operand.kind == graph::OperandKind::Constant) {
        std::vector<std::byte> packed(bytes);
        for (const StridedCopy& copy : copies) {
            run_here(copy, operand.data.bytes, packed);
        }
        return writer.constant(std::move(packed));
    }
    const RegionId packed = writer.scratch(bytes);
    if (bytes != operand.desc.byte_size()) {
        writer.fill(packed, 0); // the lanes that no copy reaches
    }
    for (const StridedCopy& copy : copies) {
        write_copy(writer, copy, writer.region(id), packed);
    }
    return packed;
}

} // namespace

RegionId write_filter(StepWriter& writer, const Convolution& c) {
    std::vector<StridedCopy> copies;
    std::size_t elements = std::size_t{c.blocks()} * 4 * c.taps() * c.group_inputs();
    if (c.is_depthwise()) {
        copies.push_back(depthwise_copy(c));
        elements = std::size_t{c.taps()} * c.groups;
    } else {
        for (const Part& part : parts_of(c)) {
            copies.push_back(filter_copy(c, part));
        }
    }
    return write_packed(writer, c.filter, elements * graph::size_of(c.type), copies);
}

RegionId write_bias(StepWriter& writer, const Convolution& c) {
    const std::size_t channels = c.is_depthwise() ? c.groups : std::size_t{c.blocks()} * 4;
    const std::size_t bytes = channels * graph::size_of(c.type);
    if (!c.bias) {
        return writer.constant(std::vector<std::byte>(bytes));
    }
    std::vector<StridedCopy> copies;
    if (c.is_depthwise()) {
        copies.push_back({.shape = {c.groups},
                          .from_strides = {1},
                          .to_strides = {1},
                          .element_bytes = graph::size_of(c.type)});
    } else {
        for (const Part& part : parts_of(c)) {
            copies.push_back(bias_copy(c, part));
        }
    }
    return write_packed(writer, *c.bias, bytes, copies);
}

} // namespace sluice::vulkan
