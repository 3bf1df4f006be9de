// SPDX-License-Identifier: Apache-2.0
// Shape and TensorDesc: what a tensor is, without its data.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <ranges>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/graph/data_type.h"

namespace sluice::graph {

inline constexpr std::size_t kMaxRank = 8;
// WebNN leaves the limit to the implementation; ours keeps every offset within int32.
inline constexpr std::size_t kMaxTensorBytes = 0x7FFFFFFF;

// Up to kMaxRank dimensions, outermost first, stored in place: copying allocates nothing. A rank of
// 0 is a scalar. Constructing from more than kMaxRank dimensions is a bug of the caller; data from
// files goes through TensorDesc::create.
class Shape {
public:
    Shape() = default;
    Shape(std::initializer_list<std::uint32_t> dims)
        : Shape(std::span(dims.begin(), dims.size())) {}
    explicit Shape(std::span<const std::uint32_t> dims) {
        rank_ = static_cast<std::uint8_t>(std::min(dims.size(), kMaxRank));
        std::ranges::copy(dims.first(rank_), dims_.begin());
    }

    [[nodiscard]] std::size_t rank() const { return rank_; }
    [[nodiscard]] std::uint32_t operator[](std::size_t axis) const { return dims_[axis]; }
    [[nodiscard]] std::uint32_t& operator[](std::size_t axis) { return dims_[axis]; }
    [[nodiscard]] std::span<const std::uint32_t> dims() const { return {dims_.data(), rank_}; }
    [[nodiscard]] auto begin() const { return dims_.begin(); }
    [[nodiscard]] auto end() const { return dims_.begin() + rank_; }
    // Appends a dimension; the rank must be below kMaxRank.
    void push_back(std::uint32_t dim) { dims_[rank_++] = dim; }

    // Product of the dimensions; 1 for a scalar. Exact for any shape that TensorDesc accepted.
    [[nodiscard]] std::size_t element_count() const {
        std::size_t count = 1;
        for (const std::uint32_t dim : dims()) {
            count *= dim;
        }
        return count;
    }

    friend bool operator==(const Shape& a, const Shape& b) {
        return std::ranges::equal(a.dims(), b.dims());
    }

private:
    std::array<std::uint32_t, kMaxRank> dims_{};
    std::uint8_t rank_ = 0;
};

// "[1,144,256,3]"
[[nodiscard]] std::string to_string(const Shape& shape);

// Data type and shape, valid by construction: rank at most kMaxRank, no zero dimension, at most
// kMaxTensorBytes. Elements are dense, row-major (the last axis is contiguous), native endian.
class TensorDesc {
public:
    // InvalidArgument names the offending dimension.
    [[nodiscard]] static Result<TensorDesc> create(DataType type,
                                                   std::span<const std::uint32_t> dims);
    [[nodiscard]] static Result<TensorDesc> create(DataType type, const Shape& shape) {
        return create(type, shape.dims());
    }

    [[nodiscard]] DataType type() const { return type_; }
    [[nodiscard]] const Shape& shape() const { return shape_; }
    [[nodiscard]] std::size_t rank() const { return shape_.rank(); }
    [[nodiscard]] std::size_t element_count() const { return shape_.element_count(); }
    [[nodiscard]] std::size_t byte_size() const { return element_count() * size_of(type_); }

    friend bool operator==(const TensorDesc&, const TensorDesc&) = default;

private:
    TensorDesc(DataType type, const Shape& shape) : type_(type), shape_(shape) {}

    DataType type_;
    Shape shape_;
};

// "float32[1,144,256,3]"
[[nodiscard]] std::string to_string(const TensorDesc& desc);

// The numpy broadcast of two shapes (WebNN "bidirectionally broadcast").
[[nodiscard]] Result<Shape> broadcast(const Shape& a, const Shape& b);

// Whether `from` broadcasts to exactly `to` (WebNN "unidirectionally broadcastable").
[[nodiscard]] bool broadcasts_to(const Shape& from, const Shape& to);

// Row-major element strides; stride of axis i is the product of the dimensions after it.
[[nodiscard]] std::array<std::size_t, kMaxRank> strides_of(const Shape& shape);

} // namespace sluice::graph
