// SPDX-License-Identifier: Apache-2.0
// Evaluation of operators that move elements: reshaping, joining, taking apart.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tensorflow/pieces.h"
#include "models/loaders/tfjs/evaluate.h"
#include "models/loaders/tfjs/mappings.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {
namespace {

using Dims = std::vector<std::int64_t>;

// x under other dimensions.
Outputs under(const Literal& x, Dims dims) {
    return Literal{.type = x.type, .dims = std::move(dims), .values = x.values};
}

// The pieces one behind the other along `axis` of their (equal) other dimensions.
Evaluation join(std::span<const LiteralPtr> pieces, std::int64_t along) {
    if (pieces.empty()) {
        return fail(ErrorCode::Parse, "nothing to join");
    }
    Dims dims = pieces[0]->dims;
    SLUICE_TRY_ASSIGN(const auto axis, tensorflow::axis_of(along, dims.size()));
    const std::size_t outer = element_count(std::span(dims).first(axis));
    dims[axis] = 0;
    for (const LiteralPtr& piece : pieces) {
        if (piece->dims.size() != dims.size()) {
            return fail(ErrorCode::Parse, "pieces of {} and {} dimensions", dims.size(),
                        piece->dims.size());
        }
        dims[axis] += piece->dims[axis];
    }
    if (!fits_literal(dims) || outer == 0) {
        return std::nullopt;
    }
    Literal out{.type = pieces[0]->type, .dims = dims, .values = {}};
    for (std::size_t i = 0; i < outer; ++i) {
        for (const LiteralPtr& piece : pieces) {
            const std::size_t run = piece->values.size() / outer;
            const auto from = piece->values.begin() + static_cast<std::ptrdiff_t>(i * run);
            out.values.insert(out.values.end(), from, from + static_cast<std::ptrdiff_t>(run));
        }
    }
    if (out.values.size() != element_count(dims)) {
        return fail(ErrorCode::Parse, "pieces of different shapes");
    }
    return Outputs(std::move(out));
}

} // namespace

Evaluation evaluate_concat(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.integer(inputs.size() - 1));
    return join(std::span(inputs).first(inputs.size() - 1), axis);
}

Evaluation evaluate_identity(Operation& /*op*/, const Literals& inputs) {
    return under(*inputs[0], inputs[0]->dims);
}

Evaluation evaluate_reshape(Operation& /*op*/, const Literals& inputs) {
    const Literal& x = *inputs[0];
    if (inputs[1]->values.size() > graph::kMaxRank) {
        return std::nullopt;
    }
    Dims dims;
    std::int64_t known = 1; // at most kMaxLiteral to the power of kMaxRank
    for (const double value : inputs[1]->values) {
        dims.push_back(static_cast<std::int64_t>(value));
        known *= dims.back() == -1 ? 1 : std::clamp<std::int64_t>(dims.back(), 0, kMaxLiteral);
    }
    for (std::int64_t& dim : dims) {
        if (dim == -1 && known > 0) {
            dim = static_cast<std::int64_t>(x.values.size()) / known;
        }
    }
    if (!fits_literal(dims) || element_count(dims) != x.values.size()) {
        return fail(ErrorCode::Parse, "{} elements do not fit the shape asked for",
                    x.values.size());
    }
    return under(x, std::move(dims));
}

Evaluation evaluate_expand_dims(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.integer(1));
    SLUICE_TRY_ASSIGN(const auto at, tensorflow::axis_of(axis, inputs[0]->dims.size() + 1));
    Dims dims = inputs[0]->dims;
    dims.insert(dims.begin() + at, 1);
    return under(*inputs[0], std::move(dims));
}

Evaluation evaluate_squeeze(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(const auto listed, op.integer_list("squeeze_dims"));
    const Dims& from = inputs[0]->dims;
    std::vector<bool> removed(from.size(), false);
    for (const std::int64_t value : listed) {
        SLUICE_TRY_ASSIGN(const auto axis, tensorflow::axis_of(value, from.size()));
        removed[axis] = true;
    }
    Dims dims;
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (!(listed.empty() ? from[i] == 1 : removed[i])) {
            dims.push_back(from[i]);
        }
    }
    return element_count(dims) == inputs[0]->values.size()
               ? Evaluation(under(*inputs[0], std::move(dims)))
               : fail(ErrorCode::Parse, "a dimension to remove is not 1");
}

Evaluation evaluate_pack(Operation& op, const Literals& inputs) {
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.attribute("axis", 0));
    Literals wider;
    for (const LiteralPtr& input : inputs) {
        Dims dims = input->dims;
        SLUICE_TRY_ASSIGN(const auto at, tensorflow::axis_of(axis, dims.size() + 1));
        dims.insert(dims.begin() + at, 1);
        wider.push_back(std::get<LiteralPtr>(under(*input, std::move(dims)).all[0]));
    }
    return join(wider, axis);
}

Evaluation evaluate_unpack(Operation& op, const Literals& inputs) {
    const Literal& x = *inputs[0];
    SLUICE_TRY_ASSIGN(const std::int64_t axis, op.attribute("axis", 0));
    if (x.dims.size() != 1 || axis != 0) {
        return std::nullopt;
    }
    std::vector<Output> out;
    for (const double value : x.values) {
        out.emplace_back(std::make_shared<const Literal>(
            Literal{.type = x.type, .dims = {}, .values = {value}}));
    }
    return Outputs(std::move(out));
}

Evaluation evaluate_gather(Operation& op, const Literals& inputs) {
    const Literal& x = *inputs[0];
    SLUICE_TRY_ASSIGN(const std::int64_t batches, op.attribute("batch_dims", 0));
    if (x.dims.size() != 1 || batches != 0) {
        return std::nullopt;
    }
    Literal out{.type = x.type, .dims = inputs[1]->dims, .values = {}};
    for (const double index : inputs[1]->values) {
        if (!(index >= 0.0 && index < static_cast<double>(x.values.size()))) {
            return fail(ErrorCode::Parse, "index {} of {} elements", index, x.values.size());
        }
        out.values.push_back(x.values[static_cast<std::size_t>(index)]);
    }
    return Outputs(std::move(out));
}

Evaluation evaluate_strided_slice(Operation& op, const Literals& inputs) {
    const Literal& x = *inputs[0];
    SLUICE_TRY_ASSIGN(const tensorflow::StridedSlice slice, strided_slice_of(op));
    std::vector<std::uint32_t> shape(x.dims.begin(), x.dims.end());
    if (std::ranges::contains(shape, 0U)) {
        return std::nullopt;
    }
    SLUICE_TRY_ASSIGN(const tensorflow::ResolvedSlice taken, tensorflow::resolve(slice, shape));
    Literal out{.type = x.type, .dims = {taken.dims.begin(), taken.dims.end()}, .values = {}};
    // Every element of x, in order, that lies in all ranges.
    for (std::size_t i = 0; i < x.values.size(); ++i) {
        std::size_t rest = i;
        bool inside = true;
        for (std::size_t axis = shape.size(); axis-- > 0;) {
            const auto at = static_cast<std::uint32_t>(rest % shape[axis]);
            const tensorflow::SliceRange& range = taken.ranges[axis];
            inside = inside && at >= range.start && at - range.start < range.size &&
                     (at - range.start) % range.stride == 0;
            rest /= shape[axis];
        }
        if (inside) {
            out.values.push_back(x.values[i]);
        }
    }
    return Outputs(std::move(out));
}

} // namespace sluice::models::tfjs
