// SPDX-License-Identifier: Apache-2.0
// Mappings of padding.
#include <utility>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/ops/pad.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::OperandId;

Result<Outputs> map_pad(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto pairs, op.integers(1));
    SLUICE_TRY_ASSIGN(ops::Pad pad, tensorflow::padding_amounts(op, x, pairs));
    return op.build().pad(x, std::move(pad), op.label());
}

Result<Outputs> map_pad_v2(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto pairs, op.integers(1));
    SLUICE_TRY_ASSIGN(ops::Pad pad, tensorflow::padding_amounts(op, x, pairs));
    SLUICE_TRY_ASSIGN(pad.value, op.scalar(2));
    return op.build().pad(x, std::move(pad), op.label());
}

Result<Outputs> map_mirror_pad(Operation& op) {
    const auto* options = op.options<schema::MirrorPadOptions>();
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const auto pairs, op.integers(1));
    const bool symmetric =
        options != nullptr && options->mode() == schema::MirrorPadMode::SYMMETRIC;
    return tensorflow::mirror_pad(op, x, pairs, symmetric);
}

} // namespace sluice::models::tflite
