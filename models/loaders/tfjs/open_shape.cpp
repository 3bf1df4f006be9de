// SPDX-License-Identifier: Apache-2.0
// Sizes of inputs that a file leaves open.
#include "models/loaders/tfjs/open_shape.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/loader.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/text.h"

namespace sluice::models::tfjs {

Result<graph::Shape> closed_shape(std::string_view name, std::span<const std::int64_t> dims,
                                  const LoadOptions& options) {
    if (const auto found = options.shapes.find(std::string(name)); found != options.shapes.end()) {
        if (found->second.size() != dims.size()) {
            return fail(ErrorCode::InvalidArgument,
                        "input '{}' has {} dimensions, a shape of {} was given", clean_text(name),
                        dims.size(), found->second.size());
        }
        return tensorflow::shape_of(found->second);
    }
    const bool is_picture = dims.size() == 4;
    std::vector<std::uint32_t> sizes;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        std::int64_t size = dims[i];
        if (size < 0 && i == 0) {
            size = 1;
        } else if (size < 0 && is_picture && i < 3) {
            size = i == 1 ? options.height : options.width;
        }
        if (size <= 0) {
            return fail(ErrorCode::Unsupported,
                        "input '{}' takes any size along dimension {}; say which (the width and "
                        "height of its pictures, or its shape)",
                        clean_text(name), i);
        }
        SLUICE_TRY_ASSIGN(sizes.emplace_back(), tensorflow::positive(size, "dimension"));
    }
    return tensorflow::shape_of(sizes);
}

} // namespace sluice::models::tfjs
