// SPDX-License-Identifier: Apache-2.0
// Small tensors whose values are known while a file is loaded: shapes, axes, and what is computed
// of them. Unlike the graph's tensors they may be empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/onnx/onnx.pb.h"

namespace sluice::models::onnx {

using ElementType = schema::Tensor::Type;

// "int64", "bfloat16", or "type 99".
[[nodiscard]] std::string type_name(std::int32_t type);
// The graph's type of the same name (bool is uint8), if there is one.
[[nodiscard]] std::optional<graph::DataType> data_type(std::int32_t type);
[[nodiscard]] ElementType element_type(graph::DataType type);
[[nodiscard]] bool is_real(ElementType type);

// Integers and booleans are exact in `integers`, floats of every width in `reals`; the other vector
// is empty. Elements are in row-major order.
struct Literal {
    ElementType type = schema::Tensor::INT64;
    std::vector<std::int64_t> dims;
    std::vector<std::int64_t> integers;
    std::vector<double> reals;

    [[nodiscard]] bool real() const { return is_real(type); }
    [[nodiscard]] std::size_t size() const { return real() ? reals.size() : integers.size(); }
    [[nodiscard]] std::size_t rank() const { return dims.size(); }
    [[nodiscard]] double number(std::size_t i) const {
        return real() ? reals[i] : static_cast<double>(integers[i]);
    }
    // The same type and `shape`, with zeros for elements.
    [[nodiscard]] static Literal of(ElementType type, std::vector<std::int64_t> shape);
    // Takes the element `from` of another of this type.
    void copy(std::size_t to, const Literal& other, std::size_t from);
    // A vector of int64.
    [[nodiscard]] static Literal list(std::vector<std::int64_t> values);
};

using LiteralPtr = std::shared_ptr<const Literal>;

// What is larger is left to the graph.
inline constexpr std::size_t kMaxLiteral = std::size_t{1} << 16U;

// Elements of a tensor of these dimensions; Parse where one is negative or the product too large.
[[nodiscard]] Result<std::size_t> element_count(std::span<const std::int64_t> dims);
// Dimensions as a shape of the graph. Unsupported: an empty tensor, or one of too many dimensions.
[[nodiscard]] Result<graph::Shape> shape_of(std::span<const std::int64_t> dims);
// Rounds to what the type holds: truncates towards zero, wraps, loses precision.
void convert(Literal& literal, ElementType to);

// The literal as the graph stores constants. Types that WebNN lacks become the next wider ones:
// double and bfloat16 are float32, 16 bit integers int32.
struct Stored {
    graph::TensorDesc desc;
    graph::ConstantData data;
};
[[nodiscard]] Result<Stored> store(const Literal& literal);

} // namespace sluice::models::onnx
