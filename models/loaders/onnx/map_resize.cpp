// SPDX-License-Identifier: Apache-2.0
// Mapping of Resize and its predecessor Upsample. WebNN knows one convention (half-pixel centres);
// where an axis means another, its elements are gathered, or weighted by an interpolation matrix.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/resample2d.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/mappings.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/resampling.h"

namespace sluice::models::onnx {

using graph::OperandId;
using graph::Shape;
using resampling::Axis;
using resampling::Coordinates;
using resampling::Method;
using resampling::Mode;
using resampling::Rounding;

namespace {

Result<OperandId> gather_nearest(Operation& op, OperandId x, std::uint32_t index,
                                 const Method& method, const Axis& axis) {
    SLUICE_TRY(op.budget().take(std::size_t{axis.to} * sizeof(std::int64_t)));
    std::vector<std::int64_t> sources;
    sources.reserve(axis.to);
    for (std::uint32_t i = 0; i < axis.to; ++i) {
        sources.push_back(resampling::nearest(method, axis, i));
    }
    SLUICE_TRY_ASSIGN(const OperandId list, op.add_constant(Literal::list(std::move(sources))));
    return op.build().gather(x, list, index, op.label());
}

// A product with a matrix [to, from]. The axes before are batches and those behind columns, so that
// no transposition is needed.
Result<OperandId> interpolate(Operation& op, OperandId x, std::uint32_t index, const Method& method,
                              const Axis& axis) {
    const auto bytes = checked_product<std::size_t>(sizeof(double), axis.from, axis.to);
    if (!op.is_float(x) || !bytes) {
        return fail(ErrorCode::Unsupported, "interpolation of {}", graph::to_string(op.desc(x)));
    }
    SLUICE_TRY(op.budget().take(*bytes));
    std::vector<double> matrix(std::size_t{axis.from} * axis.to, 0.0);
    for (std::uint32_t i = 0; i < axis.to; ++i) {
        resampling::add_weights(method, axis, i, matrix.data() + std::size_t{i} * axis.from);
    }
    SLUICE_TRY_ASSIGN(const OperandId weights,
                      op.table(x, Shape{axis.to, axis.from}, std::move(matrix)));
    Shape shape = op.shape(x);
    std::uint32_t batches = 1;
    std::uint32_t columns = 1;
    for (std::uint32_t i = 0; i < shape.rank(); ++i) {
        // Factors of an existing tensor's element count.
        (i < index ? batches : columns) *= i == index ? 1 : shape[i];
    }
    SLUICE_TRY_ASSIGN(const OperandId flat, op.reshaped(x, Shape{batches, axis.from, columns}));
    SLUICE_TRY_ASSIGN(const OperandId product, op.build().matmul(weights, flat, op.label()));
    shape[index] = axis.to;
    return op.reshaped(product, shape);
}

Result<Outputs> resize(Operation& op, OperandId x, const Method& method,
                       const std::vector<Axis>& axes) {
    std::vector<std::uint32_t> changed;
    bool webnn = true;
    for (std::uint32_t i = 0; i < axes.size(); ++i) {
        // Small enough to walk through every position.
        if (axes[i].to > (1U << 16U) ||
            (axes[i].from > (1U << 16U) && axes[i].from != axes[i].to)) {
            return fail(ErrorCode::Unsupported, "{} elements resized to {}", axes[i].from,
                        axes[i].to);
        }
        if (!resampling::is_kept(method, axes[i])) {
            changed.push_back(i);
            webnn = webnn && resampling::is_webnn(method, axes[i]);
        }
    }
    if (changed.empty()) {
        return x;
    }
    // Two neighbouring axes behind the first.
    const bool fits = axes.size() == 4 && op.is_float(x) && changed.front() >= 1 &&
                      changed.back() - changed.front() <= 1;
    if (webnn && fits) {
        const std::uint32_t first = std::min(changed.front(), 2U);
        return op.build().resample2d(x,
                                     {.mode = method.mode == Mode::Nearest
                                                  ? ops::Interpolation::Nearest
                                                  : ops::Interpolation::Linear,
                                      .axes = {first, first + 1},
                                      .sizes = {axes[first].to, axes[first + 1].to}},
                                     op.label());
    }
    for (const std::uint32_t i : changed) {
        SLUICE_TRY_ASSIGN(x, method.mode == Mode::Nearest
                                 ? gather_nearest(op, x, i, method, axes[i])
                                 : interpolate(op, x, i, method, axes[i]));
    }
    return x;
}

template <typename Enum>
struct Named {
    std::string_view name;
    Enum value;
};

template <typename Enum, std::size_t kCount>
Result<Enum> named(const std::string& text, const Named<Enum> (&table)[kCount],
                   std::string_view what) {
    const auto* found = std::ranges::find(table, text, &Named<Enum>::name);
    if (found == std::end(table)) {
        return fail(ErrorCode::Unsupported, "{} '{}' has no equivalent in WebNN", what, text);
    }
    return found->value;
}

constexpr Named<Coordinates> kCoordinates[] = {
    {"half_pixel", Coordinates::HalfPixel},
    {"half_pixel_symmetric", Coordinates::HalfPixelSymmetric},
    {"pytorch_half_pixel", Coordinates::PytorchHalfPixel},
    {"tf_half_pixel_for_nn", Coordinates::TfHalfPixel},
    {"align_corners", Coordinates::AlignCorners},
    {"asymmetric", Coordinates::Asymmetric},
};
constexpr Named<Mode> kModes[] = {
    {"nearest", Mode::Nearest},
    {"linear", Mode::Linear},
    {"bilinear", Mode::Linear},
    {"cubic", Mode::Cubic},
};
constexpr Named<Rounding> kRoundings[] = {
    {"round_prefer_floor", Rounding::PreferFloor},
    {"round_prefer_ceil", Rounding::PreferCeil},
    {"floor", Rounding::Floor},
    {"ceil", Rounding::Ceil},
};

Result<Method> method_of(Operation& op) {
    Method out;
    SLUICE_TRY_ASSIGN(const std::string mode, op.text("mode", "nearest"));
    SLUICE_TRY_ASSIGN(out.mode, named(mode, kModes, "the mode"));
    if (op.opset() < 11) {
        out.coordinates = Coordinates::Asymmetric;
        out.rounding = Rounding::Floor;
        return out;
    }
    SLUICE_TRY_ASSIGN(const std::string coordinates,
                      op.text("coordinate_transformation_mode", "half_pixel"));
    SLUICE_TRY_ASSIGN(out.coordinates,
                      named(coordinates, kCoordinates, "the coordinate transformation"));
    SLUICE_TRY_ASSIGN(const std::string rounding, op.text("nearest_mode", "round_prefer_floor"));
    SLUICE_TRY_ASSIGN(out.rounding, named(rounding, kRoundings, "the nearest_mode"));
    SLUICE_TRY_ASSIGN(out.cubic, op.real("cubic_coeff_a", -0.75));
    SLUICE_TRY_ASSIGN(const std::int64_t antialias, op.integer("antialias", 0));
    SLUICE_TRY_ASSIGN(const std::int64_t excludes, op.integer("exclude_outside", 0));
    out.antialias = antialias != 0;
    out.excludes_outside = excludes != 0;
    return out;
}

Result<Axis> scaled(std::uint32_t from, double scale) {
    const double length = from * scale;
    const double to = std::floor(length);
    if (!(scale > 0.0 && to >= 1.0 && to < 0x1p31)) {
        return fail(ErrorCode::Unsupported, "{} elements scaled by {}", from, scale);
    }
    return Axis{
        .from = from, .to = static_cast<std::uint32_t>(to), .length = length, .scale = scale};
}

// The axes by the factors or by the sizes that input i holds.
Status read_scales(Operation& op, std::size_t i, const std::vector<std::uint32_t>& listed,
                   std::vector<Axis>& axes) {
    SLUICE_TRY_ASSIGN(const LiteralPtr scales, op.literal(i));
    if (scales->size() != listed.size() || !scales->real()) {
        return fail(ErrorCode::Parse, "{} scales for {} axes", scales->size(), listed.size());
    }
    for (std::size_t k = 0; k < listed.size(); ++k) {
        SLUICE_TRY_ASSIGN(axes[listed[k]], scaled(axes[listed[k]].from, scales->reals[k]));
    }
    return {};
}

Status read_sizes(Operation& op, std::size_t i, const std::vector<std::uint32_t>& listed,
                  std::vector<Axis>& axes) {
    SLUICE_TRY_ASSIGN(const auto sizes, op.integers(i));
    SLUICE_TRY_ASSIGN(const std::string policy, op.text("keep_aspect_ratio_policy", "stretch"));
    if (sizes.size() != listed.size()) {
        return fail(ErrorCode::Parse, "{} sizes for {} axes", sizes.size(), listed.size());
    }
    std::optional<double> common;
    for (std::size_t k = 0; k < listed.size(); ++k) {
        Axis& axis = axes[listed[k]];
        SLUICE_TRY_ASSIGN(axis.to, positive(sizes[k], "size"));
        axis.length = axis.to;
        axis.scale = axis.length / axis.from;
        common = !common ? axis.scale
                         : (policy == "not_larger" ? std::min(*common, axis.scale)
                                                   : std::max(*common, axis.scale));
    }
    for (std::size_t k = 0; policy != "stretch" && k < listed.size(); ++k) {
        Axis& axis = axes[listed[k]];
        SLUICE_TRY_ASSIGN(
            axis.to,
            positive(static_cast<std::int64_t>(std::floor(axis.from * *common + 0.5)), "size"));
        axis.length = axis.to;
        axis.scale = *common;
    }
    return {};
}

} // namespace

// Inputs: x, scales up to version 10; x, region, scales, sizes since.
Result<Outputs> map_resize(Operation& op) {
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const Method method, method_of(op));
    const Shape shape = op.shape(x);
    std::vector<Axis> axes;
    std::vector<std::int64_t> every;
    for (const std::uint32_t dim : shape) {
        every.push_back(static_cast<std::int64_t>(axes.size()));
        axes.push_back({.from = dim, .to = dim, .length = static_cast<double>(dim), .scale = 1.0});
    }
    SLUICE_TRY_ASSIGN(const auto given, op.integer_list("axes"));
    SLUICE_TRY_ASSIGN(const auto listed, axes_of(given.empty() ? every : given, shape.rank()));
    if (op.opset() < 11) {
        SLUICE_TRY(read_scales(op, 1, listed, axes));
    } else if (op.has_input(3)) {
        SLUICE_TRY(read_sizes(op, 3, listed, axes));
    } else {
        SLUICE_TRY(read_scales(op, 2, listed, axes));
    }
    return resize(op, x, method, axes);
}

// The scales were an attribute up to version 8.
Result<Outputs> map_upsample(Operation& op) {
    if (!op.has("scales")) {
        return map_resize(op);
    }
    SLUICE_TRY_ASSIGN(const OperandId x, op.input(0));
    SLUICE_TRY_ASSIGN(const Method method, method_of(op));
    SLUICE_TRY_ASSIGN(const auto scales, op.real_list("scales"));
    const Shape shape = op.shape(x);
    if (scales.size() != shape.rank()) {
        return fail(ErrorCode::Parse, "{} scales for {} dimensions", scales.size(), shape.rank());
    }
    std::vector<Axis> axes;
    for (std::size_t i = 0; i < scales.size(); ++i) {
        SLUICE_TRY_ASSIGN(axes.emplace_back(), scaled(shape[i], scales[i]));
    }
    return resize(op, x, method, axes);
}

} // namespace sluice::models::onnx
