// SPDX-License-Identifier: Apache-2.0
// Mappings of padding.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/pad.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;

namespace {

// The paddings, a pair a dimension, of input 1.
Result<ops::Pad> amounts(Operation& op, OperandId x) {
    SLUICE_TRY_ASSIGN(const auto pairs, op.integers(1));
    const std::size_t rank = op.shape(x).rank();
    if (pairs.size() != 2 * rank) {
        return fail(ErrorCode::Parse, "{} paddings for {} dimensions", pairs.size(), rank);
    }
    ops::Pad pad;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (!std::in_range<std::uint32_t>(pairs[i])) {
            return fail(ErrorCode::Parse, "a padding of {}", pairs[i]);
        }
        (i % 2 == 0 ? pad.beginning : pad.ending).push_back(static_cast<std::uint32_t>(pairs[i]));
    }
    return pad;
}

} // namespace

Result<Outputs> map_pad(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(ops::Pad pad, amounts(op, x));
    return op.build().pad(x, std::move(pad), op.label());
}

Result<Outputs> map_pad_v2(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(ops::Pad pad, amounts(op, x));
    SLUICE_TRY_ASSIGN(pad.value, op.scalar(2));
    return op.build().pad(x, std::move(pad), op.label());
}

Result<Outputs> map_mirror_pad(Operation& op) {
    const auto* options = op.options<schema::MirrorPadOptions>();
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(ops::Pad pad, amounts(op, x));
    pad.mode = ops::PaddingMode::Reflection;
    if (options != nullptr && options->mode() == schema::MirrorPadMode::SYMMETRIC) {
        // A mirror image that repeats the border is, one element wide, the border.
        const auto narrow = [](std::uint32_t amount) { return amount <= 1; };
        if (!std::ranges::all_of(pad.beginning, narrow) ||
            !std::ranges::all_of(pad.ending, narrow)) {
            return fail(ErrorCode::Unsupported, "symmetric padding by more than one element");
        }
        pad.mode = ops::PaddingMode::Edge;
    }
    return op.build().pad(x, std::move(pad), op.label());
}

} // namespace sluice::models::tflite
