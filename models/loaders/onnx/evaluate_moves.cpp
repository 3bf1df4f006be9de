// SPDX-License-Identifier: Apache-2.0
// Evaluation of what moves elements without computing anything.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "models/loaders/onnx/evaluate.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/ranges.h"

namespace sluice::models::onnx {
namespace {

using Index = std::span<const std::int64_t>;

std::optional<Outputs> nothing() {
    return std::nullopt;
}

// Input i, where it is known.
Result<LiteralPtr> known(Operation& op, std::size_t i) {
    if (!op.is_literal(i)) {
        return LiteralPtr();
    }
    return op.literal(i);
}

// A literal of these dimensions whose element at `index` is the element source(index) of x.
Evaluation moved(Operation& op, const Literal& x, const Dims& dims,
                 const std::function<std::size_t(Index)>& source) {
    SLUICE_TRY_ASSIGN(auto out, blank(op, x.type, dims));
    if (!out) {
        return nothing();
    }
    std::size_t to = 0;
    for_each_index(dims, [&](Index index) { out->copy(to++, x, source(index)); });
    return Outputs(std::move(*out));
}

std::size_t position(Index index, const Dims& dims) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        at = at * static_cast<std::size_t>(dims[i]) + static_cast<std::size_t>(index[i]);
    }
    return at;
}

Evaluation renamed(Operation& op, const Literal& x, Dims dims) {
    SLUICE_TRY(op.budget().take(x.size() * sizeof(std::int64_t)));
    Literal out = x;
    out.dims = std::move(dims);
    return Outputs(std::move(out));
}

using Resolve = Result<Dims> (*)(Operation&, const Dims&);

Evaluation renamed_by(Operation& op, Resolve resolve) {
    SLUICE_TRY_ASSIGN(const LiteralPtr x, known(op, 0));
    if (x == nullptr) {
        return nothing();
    }
    SLUICE_TRY_ASSIGN(Dims dims, resolve(op, x->dims));
    return renamed(op, *x, std::move(dims));
}

} // namespace

Evaluation evaluate_reshape(Operation& op) {
    return renamed_by(op, reshaped_dims);
}

Evaluation evaluate_squeeze(Operation& op) {
    return renamed_by(op, squeezed_dims);
}

Evaluation evaluate_unsqueeze(Operation& op) {
    return renamed_by(op, unsqueezed_dims);
}

Evaluation evaluate_flatten(Operation& op) {
    return renamed_by(op, [](Operation& node, const Dims& dims) -> Result<Dims> {
        SLUICE_TRY_ASSIGN(const std::int64_t listed, node.integer("axis", 1));
        SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, dims.size() + 1));
        Dims out{1, 1};
        for (std::size_t i = 0; i < dims.size(); ++i) {
            out[i < axis ? 0 : 1] *= dims[i];
        }
        return out;
    });
}

Evaluation evaluate_concat(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto inputs, known_inputs(op));
    if (!inputs || inputs->empty() || std::ranges::contains(*inputs, nullptr)) {
        return nothing();
    }
    const Literal& first = *(*inputs)[0];
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", 1));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, first.rank()));
    Dims dims = first.dims;
    dims[axis] = 0;
    for (const LiteralPtr& piece : *inputs) {
        Dims others = piece->dims;
        if (others.size() != dims.size() || piece->type != first.type) {
            return fail(ErrorCode::Parse, "pieces of different types or numbers of dimensions");
        }
        others[axis] = dims[axis];
        if (others != dims) {
            return fail(ErrorCode::Parse, "pieces whose other dimensions differ");
        }
        dims[axis] += piece->dims[axis];
    }
    std::size_t piece = 0;
    SLUICE_TRY_ASSIGN(auto out, blank(op, first.type, dims));
    if (!out) {
        return nothing();
    }
    std::size_t to = 0;
    Dims inner;
    for_each_index(dims, [&](Index index) {
        std::int64_t at = index[axis];
        for (piece = 0; at >= (*inputs)[piece]->dims[axis]; ++piece) {
            at -= (*inputs)[piece]->dims[axis];
        }
        inner.assign(index.begin(), index.end());
        inner[axis] = at;
        out->copy(to++, *(*inputs)[piece], position(inner, (*inputs)[piece]->dims));
    });
    return Outputs(std::move(*out));
}

Evaluation evaluate_gather(Operation& op) {
    SLUICE_TRY_ASSIGN(const LiteralPtr x, known(op, 0));
    SLUICE_TRY_ASSIGN(const LiteralPtr indices, known(op, 1));
    if (x == nullptr || indices == nullptr || indices->real()) {
        return nothing();
    }
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", 0));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, x->rank()));
    for (const std::int64_t index : indices->integers) {
        if (index < -x->dims[axis] || index >= x->dims[axis]) {
            return fail(ErrorCode::Parse, "index {} in a dimension of {}", index, x->dims[axis]);
        }
    }
    Dims dims(x->dims.begin(), x->dims.begin() + axis);
    dims.insert(dims.end(), indices->dims.begin(), indices->dims.end());
    dims.insert(dims.end(), x->dims.begin() + axis + 1, x->dims.end());
    const std::size_t count = indices->rank();
    Dims from(x->rank());
    return moved(op, *x, dims, [&](Index index) {
        const std::int64_t picked =
            indices->integers[position(index.subspan(axis, count), indices->dims)];
        std::ranges::copy(index.first(axis), from.begin());
        from[axis] = picked < 0 ? picked + x->dims[axis] : picked;
        std::ranges::copy(index.subspan(axis + count), from.begin() + axis + 1);
        return position(from, x->dims);
    });
}

Evaluation evaluate_slice(Operation& op) {
    SLUICE_TRY_ASSIGN(const auto inputs, known_inputs(op));
    if (!inputs || inputs->empty() || (*inputs)[0] == nullptr) {
        return nothing();
    }
    const Literal& x = *(*inputs)[0];
    SLUICE_TRY_ASSIGN(const auto ranges, slice_ranges(op, x.dims));
    Dims dims;
    for (const SliceRange& range : ranges) {
        dims.push_back(range.count);
    }
    Dims from(x.rank());
    return moved(op, x, dims, [&](Index index) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            from[i] = ranges[i].start + index[i] * ranges[i].step;
        }
        return position(from, x.dims);
    });
}

Evaluation evaluate_split(Operation& op) {
    SLUICE_TRY_ASSIGN(const LiteralPtr x, known(op, 0));
    if (x == nullptr) {
        return nothing();
    }
    SLUICE_TRY_ASSIGN(const std::int64_t listed, op.integer("axis", 0));
    SLUICE_TRY_ASSIGN(const std::uint32_t axis, axis_of(listed, x->rank()));
    SLUICE_TRY_ASSIGN(const Dims sizes, split_sizes(op, x->dims[axis]));
    std::vector<Output> pieces;
    std::int64_t start = 0;
    Dims from(x->rank());
    for (const std::int64_t size : sizes) {
        Dims dims = x->dims;
        dims[axis] = size;
        SLUICE_TRY_ASSIGN(auto piece, moved(op, *x, dims, [&](Index index) {
                              std::ranges::copy(index, from.begin());
                              from[axis] += start;
                              return position(from, x->dims);
                          }));
        if (!piece) {
            return nothing();
        }
        pieces.push_back(std::move(piece->all[0]));
        start += size;
    }
    return Outputs(std::move(pieces));
}

Evaluation evaluate_transpose(Operation& op) {
    SLUICE_TRY_ASSIGN(const LiteralPtr x, known(op, 0));
    if (x == nullptr) {
        return nothing();
    }
    SLUICE_TRY_ASSIGN(const auto axes, permutation(op, x->rank()));
    Dims dims;
    for (const std::uint32_t axis : axes) {
        dims.push_back(x->dims[axis]);
    }
    Dims from(x->rank());
    return moved(op, *x, dims, [&](Index index) {
        for (std::size_t i = 0; i < axes.size(); ++i) {
            from[axes[i]] = index[i];
        }
        return position(from, x->dims);
    });
}

Evaluation evaluate_expand(Operation& op) {
    SLUICE_TRY_ASSIGN(const LiteralPtr x, known(op, 0));
    if (x == nullptr) {
        return nothing();
    }
    SLUICE_TRY_ASSIGN(const Dims wanted, op.integers(1));
    SLUICE_TRY(element_count(wanted));
    SLUICE_TRY_ASSIGN(const Dims dims, broadcast_dims(x->dims, wanted));
    const auto strides = broadcast_strides(x->dims, dims.size());
    return moved(op, *x, dims, [&](Index index) {
        std::size_t at = 0;
        for (std::size_t i = 0; i < index.size(); ++i) {
            at += static_cast<std::size_t>(index[i]) * strides[i];
        }
        return at;
    });
}

Evaluation evaluate_tile(Operation& op) {
    SLUICE_TRY_ASSIGN(const LiteralPtr x, known(op, 0));
    if (x == nullptr) {
        return nothing();
    }
    SLUICE_TRY_ASSIGN(const Dims repeats, op.integers(1));
    SLUICE_TRY(element_count(repeats));
    if (repeats.size() != x->rank()) {
        return fail(ErrorCode::Parse, "{} repeats for {} dimensions", repeats.size(), x->rank());
    }
    Dims dims;
    for (std::size_t i = 0; i < repeats.size(); ++i) {
        const auto product = checked_mul(x->dims[i], repeats[i]);
        if (!product) {
            return fail(ErrorCode::Parse, "a dimension of {} repeated {} times", x->dims[i],
                        repeats[i]);
        }
        dims.push_back(*product);
    }
    Dims from(x->rank());
    return moved(op, *x, dims, [&](Index index) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            from[i] = index[i] % x->dims[i];
        }
        return position(from, x->dims);
    });
}

Evaluation evaluate_non_zero(Operation& op) {
    SLUICE_TRY_ASSIGN(const LiteralPtr x, known(op, 0));
    if (x == nullptr) {
        return fail(ErrorCode::Unsupported,
                    "the size of its result depends on values that are not known at load time");
    }
    std::vector<Dims> found(x->rank());
    std::size_t i = 0;
    for_each_index(x->dims, [&](Index index) {
        if (x->number(i++) != 0.0) {
            for (std::size_t axis = 0; axis < index.size(); ++axis) {
                found[axis].push_back(index[axis]);
            }
        }
    });
    const std::int64_t count = found.empty() ? 0 : static_cast<std::int64_t>(found[0].size());
    SLUICE_TRY_ASSIGN(
        auto out, blank(op, schema::Tensor::INT64, {static_cast<std::int64_t>(x->rank()), count}));
    if (!out) {
        return nothing();
    }
    out->integers.clear();
    for (const Dims& axis : found) {
        out->integers.insert(out->integers.end(), axis.begin(), axis.end());
    }
    return Outputs(std::move(*out));
}

} // namespace sluice::models::onnx
