// SPDX-License-Identifier: Apache-2.0
// Validation, printing and broadcasting of shapes.
#include "core/graph/tensor_desc.h"

#include "core/base/checked_math.h"

namespace sluice::graph {

std::string to_string(const Shape& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
    }
    return text + "]";
}

std::string to_string(const TensorDesc& desc) {
    return std::string(name(desc.type())) + to_string(desc.shape());
}

Result<TensorDesc> TensorDesc::create(DataType type, std::span<const std::uint32_t> dims) {
    if (dims.size() > kMaxRank) {
        return fail(ErrorCode::InvalidArgument, "rank {} is above the limit of {}", dims.size(),
                    kMaxRank);
    }
    const Shape shape(dims);
    std::size_t bytes = size_of(type);
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
        if (dims[axis] == 0) {
            return fail(ErrorCode::InvalidArgument, "dimension {} of {} is 0", axis,
                        to_string(shape));
        }
        const auto product = checked_mul<std::size_t>(bytes, dims[axis]);
        if (!product || *product > kMaxTensorBytes) {
            return fail(ErrorCode::InvalidArgument, "{}{} is above the limit of {} bytes",
                        name(type), to_string(shape), kMaxTensorBytes);
        }
        bytes = *product;
    }
    return TensorDesc(type, shape);
}

Result<Shape> broadcast(const Shape& a, const Shape& b) {
    const Shape& longer = a.rank() >= b.rank() ? a : b;
    const Shape& shorter = a.rank() >= b.rank() ? b : a;
    const std::size_t offset = longer.rank() - shorter.rank();
    Shape out = longer;
    for (std::size_t i = 0; i < shorter.rank(); ++i) {
        const std::uint32_t left = longer[offset + i];
        const std::uint32_t right = shorter[i];
        if (left != right && left != 1 && right != 1) {
            return fail(ErrorCode::InvalidArgument, "shapes {} and {} do not broadcast",
                        to_string(a), to_string(b));
        }
        out[offset + i] = left == 1 ? right : left;
    }
    return out;
}

bool broadcasts_to(const Shape& from, const Shape& to) {
    const auto joint = broadcast(from, to);
    return joint && *joint == to;
}

std::array<std::size_t, kMaxRank> strides_of(const Shape& shape) {
    std::array<std::size_t, kMaxRank> strides{};
    std::size_t stride = 1;
    for (std::size_t i = shape.rank(); i-- > 0;) {
        strides[i] = stride;
        stride *= shape[i];
    }
    return strides;
}

} // namespace sluice::graph
