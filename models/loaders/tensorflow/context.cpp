// SPDX-License-Identifier: Apache-2.0
// Checked numbers of a file.
#include "models/loaders/tensorflow/context.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"

namespace sluice::models::tensorflow {

Result<std::uint32_t> axis_of(std::int64_t axis, std::size_t rank) {
    const auto limit = static_cast<std::int64_t>(rank);
    if (axis < -limit || axis >= limit) {
        return fail(ErrorCode::Parse, "axis {} of a tensor of {} dimensions", axis, rank);
    }
    return static_cast<std::uint32_t>(axis < 0 ? axis + limit : axis);
}

Result<std::uint32_t> positive(std::int64_t value, std::string_view what) {
    if (value <= 0 || !std::in_range<std::uint32_t>(value)) {
        return fail(ErrorCode::Parse, "{} is {}, a positive number is needed", what, value);
    }
    return static_cast<std::uint32_t>(value);
}

Result<graph::Shape> shape_of(std::span<const std::uint32_t> dims) {
    if (dims.size() > graph::kMaxRank) {
        return fail(ErrorCode::Unsupported, "{} dimensions, more than {}", dims.size(),
                    graph::kMaxRank);
    }
    return graph::Shape(dims);
}

} // namespace sluice::models::tensorflow
