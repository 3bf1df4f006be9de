// SPDX-License-Identifier: Apache-2.0
// Mappings of MediaPipe's operators on landmarks, of their second version: a matrix that leads from
// a picture of part of a face to the face, and what is moved by it. A matrix is [1, 4, 4] and maps
// (x, y, 0, 1); landmarks are [1, count, 2 or 3].
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <flatbuffers/flexbuffers.h>

#include "core/base/result.h"
#include "core/graph/expression.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/reduce.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tflite/mappings.h"
#include "models/loaders/tflite/operation.h"

namespace sluice::models::tflite {

using graph::Expression;
using graph::OperandId;
using graph::Shape;
using ops::ReduceKind;
using tensorflow::positive;

namespace {

Result<flexbuffers::Map> options_of(const Operation& op) {
    const auto bytes = op.custom_options();
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (bytes.empty() || !flexbuffers::VerifyBuffer(data, bytes.size())) {
        return fail(ErrorCode::Parse, "its {} bytes of options are malformed", bytes.size());
    }
    const flexbuffers::Reference root = flexbuffers::GetRoot(data, bytes.size());
    if (!root.IsMap()) {
        return fail(ErrorCode::Parse, "its options have no names");
    }
    return root.AsMap();
}

Result<std::uint32_t> size_option(const flexbuffers::Map& options, const char* name) {
    return positive(options[name].AsInt64(), name);
}

Result<double> scale_option(const flexbuffers::Map& options, const char* name) {
    const double value = options[name].AsDouble();
    if (!std::isfinite(value) || value <= 0.0) {
        return fail(ErrorCode::Parse, "{} is {}, a positive number is needed", name, value);
    }
    return value;
}

// Makes expressions of one operator.
class Formula {
public:
    explicit Formula(Operation& op) : op_(op) {}

    [[nodiscard]] Expression of(OperandId id) const { return {op_.build(), id}; }
    [[nodiscard]] Expression table(const Shape& shape, const std::vector<float>& values) const {
        return {op_.build(), op_.table(shape, values)};
    }
    [[nodiscard]] Expression indices(const std::vector<std::int32_t>& values) const {
        return {op_.build(), constant(values)};
    }
    // Rows or columns from `start` on, of a tensor of three dimensions.
    [[nodiscard]] static Expression part(const Expression& x, const Shape& shape,
                                         std::uint32_t axis, std::uint32_t start,
                                         std::uint32_t size) {
        std::vector<std::uint32_t> starts(3, 0);
        std::vector<std::uint32_t> sizes(shape.begin(), shape.end());
        starts[axis] = start;
        sizes[axis] = size;
        return slice(x, {.starts = starts, .sizes = sizes, .strides = {}});
    }
    // The first two rows and columns of a matrix, and what they add: [1, 2, 2] and [1, 2, 1].
    struct Affine {
        Expression turn;
        Expression shift;
    };
    [[nodiscard]] static Affine affine(const Expression& matrix) {
        const Expression rows = part(matrix, Shape{1, 4, 4}, 1, 0, 2);
        return {.turn = part(rows, Shape{1, 2, 4}, 2, 0, 2),
                .shift = part(rows, Shape{1, 2, 4}, 2, 3, 1)};
    }

private:
    [[nodiscard]] Result<OperandId> constant(const std::vector<std::int32_t>& values) const {
        SLUICE_TRY_ASSIGN(const auto desc, graph::TensorDesc::create(
                                               graph::DataType::Int32,
                                               Shape{static_cast<std::uint32_t>(values.size())}));
        return op_.build().constant(
            desc, graph::ConstantData::copy(std::span<const std::int32_t>(values)));
    }

    Operation& op_;
};

Status check_matrix(Operation& op, OperandId matrix) {
    if (op.shape(matrix) != Shape{1, 4, 4}) {
        return fail(ErrorCode::Unsupported, "a matrix of the shape {}, [1,4,4] is needed",
                    graph::to_string(op.shape(matrix)));
    }
    return {};
}

Status check_landmarks(const Shape& shape) {
    if (shape.rank() != 3 || shape[0] != 1 || (shape[2] != 2 && shape[2] != 3)) {
        return fail(ErrorCode::Unsupported,
                    "landmarks of the shape {}, [1,N,2] or [1,N,3] is needed",
                    graph::to_string(shape));
    }
    return {};
}

// Where the landmarks of the two ends of an axis are, and those that the rectangle is to hold.
struct Selection {
    std::vector<std::int32_t> ends;
    std::vector<std::int32_t> subset;
};

Result<Selection> selection_of(const flexbuffers::Map& options, std::uint32_t landmarks) {
    Selection out;
    const auto add = [&](std::vector<std::int32_t>& list,
                         const flexbuffers::Reference& value) -> Status {
        const std::int64_t index = value.AsInt64();
        if (index < 0 || index >= landmarks) {
            return fail(ErrorCode::Parse, "landmark {} of {}", index, landmarks);
        }
        list.push_back(static_cast<std::int32_t>(index));
        return {};
    };
    SLUICE_TRY(add(out.ends, options["left_rotation_idx"]));
    SLUICE_TRY(add(out.ends, options["right_rotation_idx"]));
    const auto subset = options["subset_idxs"].AsTypedVector();
    for (std::size_t i = 0; i < subset.size(); ++i) {
        SLUICE_TRY(add(out.subset, subset[i]));
    }
    if (out.subset.empty()) {
        return fail(ErrorCode::Parse, "subset_idxs is empty");
    }
    return out;
}

// The rotation by `target` less the angle of the axis, [1, 2, 2]. Cosine and sine of the axis are
// its parts by its length; without a length its angle is 0.
Expression rotation_of(const Formula& formula, const Expression& ends, double target) {
    const Shape pair{1, 2, 2};
    const Expression axis = Formula::part(ends, pair, 1, 1, 1) - Formula::part(ends, pair, 1, 0, 1);
    const Expression length = sqrt(reduce(ReduceKind::SumSquare, axis, {{2}}, true));
    const Expression none = formula.table(Shape{1, 1, 2}, {1.0F, 0.0F});
    const Expression direction = where(equal(length, length.scalar(0.0)), none, axis / length);
    const Expression cosine = Formula::part(direction, Shape{1, 1, 2}, 2, 0, 1);
    const Expression sine = Formula::part(direction, Shape{1, 1, 2}, 2, 1, 1);
    const double c = std::cos(target);
    const double s = std::sin(target);
    const Expression turned_c = c * cosine + s * sine;
    const Expression turned_s = s * cosine - c * sine;
    return concat(std::vector{concat(std::vector{turned_c, turned_s}, 2),
                              concat(std::vector{-turned_s, turned_c}, 2)},
                  1);
}

} // namespace

// The rectangle around some landmarks, turned so that the axis between two has the target's angle:
// the matrix leads from pixels of a picture of output_width times output_height, stretched over
// that rectangle times the scales, to where the landmarks are.
Result<Outputs> map_landmarks_to_transform_matrix(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId landmarks, op.input(0));
    const Shape shape = op.shape(landmarks);
    if (shape.rank() != 3 || shape[0] != 1 || shape[2] != 3) {
        return fail(ErrorCode::Unsupported, "landmarks of the shape {}, [1,N,3] is needed",
                    graph::to_string(shape));
    }
    SLUICE_TRY_ASSIGN(const flexbuffers::Map options, options_of(op));
    SLUICE_TRY_ASSIGN(const Selection selection, selection_of(options, shape[1]));
    SLUICE_TRY_ASSIGN(const double width, size_option(options, "output_width"));
    SLUICE_TRY_ASSIGN(const double height, size_option(options, "output_height"));
    SLUICE_TRY_ASSIGN(const double scale_x, scale_option(options, "scale_x"));
    SLUICE_TRY_ASSIGN(const double scale_y, scale_option(options, "scale_y"));

    const Formula formula(op);
    const Expression points = Formula::part(formula.of(landmarks), shape, 2, 0, 2);
    const Expression turn = rotation_of(formula, gather(points, formula.indices(selection.ends), 1),
                                        options["target_rotation_radians"].AsDouble());
    // A row times this matrix is turned forwards, the matrix times a column backwards.
    const Expression turned = matmul(gather(points, formula.indices(selection.subset), 1), turn);
    const Expression high = reduce(ReduceKind::Max, turned, {{1}}, true);
    const Expression low = reduce(ReduceKind::Min, turned, {{1}}, true);
    const Expression center = matmul(turn, reshape((high + low) * 0.5, Shape{1, 2, 1}));
    const Expression step =
        (high - low) * formula.table(Shape{1, 1, 2}, {static_cast<float>(scale_x / width),
                                                      static_cast<float>(scale_y / height)});
    const Expression scaled = turn * step;
    const Expression corner = formula.table(
        Shape{1, 2, 1}, {static_cast<float>(-width / 2), static_cast<float>(-height / 2)});
    const Expression rows = concat(std::vector{scaled, formula.table(Shape{1, 2, 1}, {0.0F, 0.0F}),
                                               matmul(scaled, corner) + center},
                                   2);
    const Expression rest =
        formula.table(Shape{1, 2, 4}, {0.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0.0F, 0.0F, 1.0F});
    return concat(std::vector{rows, rest}, 1, op.label()).id();
}

// x and y through the matrix; z stays.
Result<Outputs> map_transform_landmarks(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId landmarks, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId matrix, op.input(1));
    const Shape shape = op.shape(landmarks);
    SLUICE_TRY(check_landmarks(shape));
    SLUICE_TRY(check_matrix(op, matrix));
    const Formula formula(op);
    const Formula::Affine affine = Formula::affine(formula.of(matrix));
    const Expression points = Formula::part(formula.of(landmarks), shape, 2, 0, 2);
    const Expression moved =
        matmul(points, transpose(affine.turn, {0, 2, 1})) + reshape(affine.shift, Shape{1, 1, 2});
    if (shape[2] == 2) {
        return moved.id();
    }
    const Expression depth = Formula::part(formula.of(landmarks), shape, 2, 2, 1);
    return concat(std::vector{moved, depth}, 2, op.label()).id();
}

// A picture whose every pixel's centre is looked up, through the matrix, in another; 0 where that
// has none.
Result<Outputs> map_transform_tensor_bilinear(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId picture, op.input(0));
    SLUICE_TRY_ASSIGN(const OperandId matrix, op.input(1));
    SLUICE_TRY(check_matrix(op, matrix));
    SLUICE_TRY_ASSIGN(const flexbuffers::Map options, options_of(op));
    SLUICE_TRY_ASSIGN(const std::uint32_t height, size_option(options, "output_height"));
    SLUICE_TRY_ASSIGN(const std::uint32_t width, size_option(options, "output_width"));
    const Shape from = op.shape(picture);
    // Floats count pixels exactly up to here.
    constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 24U;
    if (from.rank() != 4 || from[0] != 1 || std::uint64_t{from[1]} * from[2] > kMaxPixels ||
        std::uint64_t{width} * height > kMaxPixels) {
        return fail(ErrorCode::Unsupported, "a picture of the shape {} for one of {}x{}",
                    graph::to_string(from), width, height);
    }
    const std::uint32_t pixels = width * height;
    SLUICE_TRY(op.budget().take(std::size_t{pixels} * 2 * sizeof(float)));
    std::vector<float> centers(std::size_t{pixels} * 2); // all x, then all y
    for (std::uint32_t i = 0; i < pixels; ++i) {
        centers[i] = static_cast<float>(i % width) + 0.5F;
        centers[pixels + i] =
            static_cast<float>(i / width) + 0.5F; // NOLINT(bugprone-integer-division)
    }
    const Formula formula(op);
    const Formula::Affine affine = Formula::affine(formula.of(matrix));
    const Expression at =
        matmul(affine.turn, formula.table(Shape{1, 2, pixels}, centers)) + (affine.shift - 0.5);
    const Expression limit = formula.table(
        Shape{1, 2, 1}, {static_cast<float>(from[2] - 1), static_cast<float>(from[1] - 1)});
    const Expression zero = limit.scalar(0.0);
    const Expression outside = reduce(
        ReduceKind::Max,
        cast(logical_or(lesser(at, zero), greater(at, limit)), graph::DataType::Float32), {{1}});
    const Expression first = min(max(floor(at), zero), limit);
    const Expression next = min(first + 1.0, limit);
    const Expression share = at - first;

    const Shape both{1, 2, pixels};
    const auto column = [&](const Expression& x, std::uint32_t axis) {
        return reshape(Formula::part(x, both, 1, axis, 1), Shape{pixels, 1});
    };
    const Expression table = reshape(formula.of(picture), Shape{from[1] * from[2], from[3]});
    const auto look_up = [&](const Expression& x, const Expression& y) {
        const Expression index = column(y, 1) * static_cast<double>(from[2]) + column(x, 0);
        return gather(table, cast(reshape(index, Shape{pixels}), graph::DataType::Int32));
    };
    const auto between = [](const Expression& a, const Expression& b, const Expression& part) {
        return a * (1.0 - part) + b * part;
    };
    const Expression right = column(share, 0);
    const Expression upper = between(look_up(first, first), look_up(next, first), right);
    const Expression lower = between(look_up(first, next), look_up(next, next), right);
    const Expression value = where(equal(reshape(outside, Shape{pixels, 1}), zero),
                                   between(upper, lower, column(share, 1)), zero);
    return reshape(value, Shape{1, height, width, from[3]}, op.label()).id();
}

} // namespace sluice::models::tflite
