// SPDX-License-Identifier: Apache-2.0
// Mappings that rearrange, join, take apart or pick elements.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/pad.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tensorflow/pieces.h"
#include "models/loaders/tensorflow/shape.h"
#include "models/loaders/tfjs/mappings.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {

using graph::OperandId;
using graph::Shape;

namespace {

using WithIntegers = Result<OperandId> (*)(tensorflow::Context&, OperandId,
                                           std::span<const std::int64_t>);

// function(op, x, the integers of input 1).
Result<Outputs> with_integers(Operation& op, WithIntegers function) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto integers, op.integers(1));
    return function(op, x, integers);
}

// A mask of an attribute.
Result<std::uint32_t> mask(const Operation& op, const char* name) {
    SLUICE_TRY_ASSIGN(const std::int64_t value, op.attribute(name, 0));
    return static_cast<std::uint32_t>(value);
}

// Block sizes and amounts (a pair a block) of SpaceToBatchND and its inverse: inputs 1 and 2.
struct Blocks {
    std::vector<std::uint32_t> sizes;
    std::vector<std::uint32_t> before;
    std::vector<std::uint32_t> behind;
};

Result<Blocks> blocks_of(Operation& op, std::size_t rank) {
    SLUICE_TRY_ASSIGN(const auto sizes, op.integers(1));
    SLUICE_TRY_ASSIGN(const auto amounts, op.integers(2));
    if (sizes.empty() || sizes.size() + 1 > rank || amounts.size() != 2 * sizes.size() ||
        rank + sizes.size() > graph::kMaxRank) {
        return fail(ErrorCode::Unsupported, "{} blocks with {} amounts for {} dimensions",
                    sizes.size(), amounts.size(), rank);
    }
    Blocks out;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        SLUICE_TRY_ASSIGN(out.sizes.emplace_back(), tensorflow::positive(sizes[i], "block"));
        for (const std::int64_t amount : {amounts[2 * i], amounts[2 * i + 1]}) {
            if (amount < 0 || amount > 0x7FFFFFFF) {
                return fail(ErrorCode::Parse, "an amount of {}", amount);
            }
        }
        out.before.push_back(static_cast<std::uint32_t>(amounts[2 * i]));
        out.behind.push_back(static_cast<std::uint32_t>(amounts[2 * i + 1]));
    }
    return out;
}

} // namespace

Result<Outputs> map_reshape(Operation& op) {
    return with_integers(op, tensorflow::reshape);
}

Result<Outputs> map_transpose(Operation& op) {
    return with_integers(op, tensorflow::transpose);
}

Result<Outputs> map_broadcast_to(Operation& op) {
    return with_integers(op, tensorflow::broadcast_to);
}

Result<Outputs> map_tile(Operation& op) {
    return with_integers(op, tensorflow::tile);
}

Result<Outputs> map_expand_dims(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.integer(1));
    return tensorflow::expand_dims(op, x, axis);
}

Result<Outputs> map_squeeze(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto axes, op.integer_list("squeeze_dims"));
    return tensorflow::squeeze(op, x, axes);
}

// A result of known shape and one value; where the value is computed, it is broadcast.
Result<Outputs> map_fill(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto dims, op.integers(0));
    SLUICE_TRY_ASSIGN(const OperandId value, op.input(1));
    return tensorflow::broadcast_to(op, value, dims);
}

Result<Outputs> map_concat(Operation& op) {
    if (op.input_count() < 2) {
        return fail(ErrorCode::Parse, "nothing to join");
    }
    const std::size_t count = op.input_count() - 1;
    SLUICE_TRY_ASSIGN(const auto pieces, op.inputs(0, count));
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.integer(count));
    return tensorflow::concat(op, pieces, axis);
}

Result<Outputs> map_pack(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto pieces, op.inputs(0, op.input_count()));
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.attribute("axis", 0));
    return tensorflow::pack(op, pieces, axis);
}

Result<Outputs> map_unpack(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.attribute("axis", 0));
    SLUICE_TRY_ASSIGN(const std::int64_t count, op.attribute("num", 0));
    return tensorflow::unpack(op, x, axis,
                              static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
}

Result<Outputs> map_split(Operation& op) {
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.integer(0));
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(1));
    SLUICE_TRY_ASSIGN(const std::int64_t count, op.attribute("num_split", 0));
    return tensorflow::split(op, x, axis,
                             static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
}

Result<Outputs> map_split_v(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto sizes, op.integers(1));
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.integer(2));
    return tensorflow::split_v(op, x, axis, sizes);
}

Result<Outputs> map_slice(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto begin, op.integers(1));
    SLUICE_TRY_ASSIGN(const auto size, op.integers(2));
    return tensorflow::slice(op, x, begin, size);
}

Result<tensorflow::StridedSlice> strided_slice_of(Operation& op) {
    tensorflow::StridedSlice slice;
    SLUICE_TRY_ASSIGN(slice.begin, op.integers(1));
    SLUICE_TRY_ASSIGN(slice.end, op.integers(2));
    SLUICE_TRY_ASSIGN(slice.strides, op.integers(3));
    SLUICE_TRY_ASSIGN(slice.begin_mask, mask(op, "begin_mask"));
    SLUICE_TRY_ASSIGN(slice.end_mask, mask(op, "end_mask"));
    SLUICE_TRY_ASSIGN(slice.ellipsis_mask, mask(op, "ellipsis_mask"));
    SLUICE_TRY_ASSIGN(slice.new_axis_mask, mask(op, "new_axis_mask"));
    SLUICE_TRY_ASSIGN(slice.shrink_mask, mask(op, "shrink_axis_mask"));
    return slice;
}

Result<Outputs> map_strided_slice(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const tensorflow::StridedSlice slice, strided_slice_of(op));
    return tensorflow::strided_slice(op, x, slice);
}

Result<Outputs> map_pad(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto pairs, op.integers(1));
    SLUICE_TRY_ASSIGN(ops::Pad pad, tensorflow::padding_amounts(op, x, pairs));
    if (op.input_count() > 2) { // PadV2
        SLUICE_TRY_ASSIGN(pad.value, op.number_input(2));
    }
    return op.build().pad(x, std::move(pad), op.label());
}

Result<Outputs> map_mirror_pad(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto pairs, op.integers(1));
    SLUICE_TRY_ASSIGN(const std::string mode, op.text("mode"));
    return tensorflow::mirror_pad(op, x, pairs, mode == "SYMMETRIC");
}

Result<Outputs> map_depth_to_space(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t block, op.attribute("block_size", 0));
    return tensorflow::depth_to_space(op, x, block);
}

Result<Outputs> map_space_to_depth(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const std::int64_t block, op.attribute("block_size", 0));
    return tensorflow::space_to_depth(op, x, block);
}

Result<Outputs> map_gather(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto operands, op.inputs(0, 2));
    SLUICE_TRY_ASSIGN(const std::int64_t along, op.integer(2));
    SLUICE_TRY_ASSIGN(const std::int64_t batches, op.attribute("batch_dims", 0));
    if (batches != 0) {
        return fail(ErrorCode::Unsupported, "batches of indices");
    }
    SLUICE_TRY_ASSIGN(const auto axis, tensorflow::axis_of(along, op.shape(operands[0]).rank()));
    return op.build().gather(operands[0], operands[1], axis, op.label());
}

Result<Outputs> map_gather_nd(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto operands, op.inputs(0, 2));
    return op.build().gather_nd(operands[0], operands[1], op.label());
}

// Pads, cuts every spatial dimension into (tiles, block), and moves the blocks into the batch.
Result<Outputs> map_space_to_batch(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const Blocks blocks, blocks_of(op, op.shape(x).rank()));
    const std::size_t count = blocks.sizes.size();
    ops::Pad pad{.beginning = {0}, .ending = {0}};
    pad.beginning.insert(pad.beginning.end(), blocks.before.begin(), blocks.before.end());
    pad.ending.insert(pad.ending.end(), blocks.behind.begin(), blocks.behind.end());
    pad.beginning.resize(op.shape(x).rank(), 0);
    pad.ending.resize(op.shape(x).rank(), 0);
    SLUICE_TRY_ASSIGN(x, op.build().pad(x, std::move(pad), op.label()));
    const Shape shape = op.shape(x);
    std::vector<std::uint32_t> apart{shape[0]};
    std::vector<std::uint32_t> order;
    std::vector<std::uint32_t> together{shape[0]};
    for (std::size_t i = 0; i < count; ++i) {
        if (shape[1 + i] % blocks.sizes[i] != 0) {
            return fail(ErrorCode::Parse, "a dimension of {} in blocks of {}", shape[1 + i],
                        blocks.sizes[i]);
        }
        apart.push_back(shape[1 + i] / blocks.sizes[i]);
        apart.push_back(blocks.sizes[i]);
        order.push_back(static_cast<std::uint32_t>(2 + 2 * i));
        together[0] *= blocks.sizes[i]; // of a tensor that exists
        together.push_back(shape[1 + i] / blocks.sizes[i]);
    }
    order.push_back(0);
    for (std::size_t i = 0; i < count; ++i) {
        order.push_back(static_cast<std::uint32_t>(1 + 2 * i));
    }
    for (std::size_t i = 1 + count; i < shape.rank(); ++i) {
        order.push_back(static_cast<std::uint32_t>(apart.size()));
        apart.push_back(shape[i]);
        together.push_back(shape[i]);
    }
    SLUICE_TRY_ASSIGN(x, op.build().reshape(x, Shape(apart), op.label()));
    SLUICE_TRY_ASSIGN(x, op.build().transpose(x, std::move(order), op.label()));
    return op.build().reshape(x, Shape(together), op.label());
}

// The inverse: blocks out of the batch, between the tiles, and the amounts cropped.
Result<Outputs> map_batch_to_space(Operation& op) {
    SLUICE_TRY_ASSIGN(OperandId x, op.input(0));
    const Shape shape = op.shape(x);
    SLUICE_TRY_ASSIGN(const Blocks blocks, blocks_of(op, shape.rank()));
    const std::size_t count = blocks.sizes.size();
    std::uint32_t batches = shape[0];
    std::vector<std::uint32_t> apart(blocks.sizes);
    for (const std::uint32_t size : blocks.sizes) {
        if (batches % size != 0) {
            return fail(ErrorCode::Parse, "a batch of {} in blocks", shape[0]);
        }
        batches /= size;
    }
    apart.insert(apart.end(), 1, batches);
    apart.insert(apart.end(), shape.begin() + 1, shape.end());
    std::vector<std::uint32_t> order{static_cast<std::uint32_t>(count)};
    std::vector<std::uint32_t> together{batches};
    ops::Slice crop{.starts = {0}, .sizes = {batches}};
    for (std::size_t i = 0; i < count; ++i) {
        order.push_back(static_cast<std::uint32_t>(count + 1 + i));
        order.push_back(static_cast<std::uint32_t>(i));
        const std::uint64_t full = std::uint64_t{shape[1 + i]} * blocks.sizes[i];
        const std::uint64_t cropped = std::uint64_t{blocks.before[i]} + blocks.behind[i];
        if (cropped >= full || !std::in_range<std::uint32_t>(full)) {
            return fail(ErrorCode::Parse, "{} of {} elements cropped", cropped, full);
        }
        together.push_back(static_cast<std::uint32_t>(full));
        crop.starts.push_back(blocks.before[i]);
        crop.sizes.push_back(static_cast<std::uint32_t>(full - cropped));
    }
    for (std::size_t i = 1 + count; i < shape.rank(); ++i) {
        order.push_back(static_cast<std::uint32_t>(count + i));
        together.push_back(shape[i]);
        crop.starts.push_back(0);
        crop.sizes.push_back(shape[i]);
    }
    SLUICE_TRY_ASSIGN(x, op.build().reshape(x, Shape(apart), op.label()));
    SLUICE_TRY_ASSIGN(x, op.build().transpose(x, std::move(order), op.label()));
    SLUICE_TRY_ASSIGN(x, op.build().reshape(x, Shape(together), op.label()));
    return op.build().slice(x, std::move(crop), op.label());
}

} // namespace sluice::models::tfjs
