// SPDX-License-Identifier: Apache-2.0
// Types and conversions of values that are known while a file is loaded.
#include "models/loaders/onnx/literal.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <format>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/float16.h"
#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"

namespace sluice::models::onnx {

using graph::DataType;
using schema::Tensor;

std::string type_name(std::int32_t type) {
    switch (type) {
    case Tensor::FLOAT: return "float32";
    case Tensor::DOUBLE: return "float64";
    case Tensor::BOOL: return "bool";
    case Tensor::STRING: return "string";
    case Tensor::BFLOAT16: return "bfloat16";
    case Tensor::UINT16: return "uint16";
    case Tensor::INT16: return "int16";
    case Tensor::UINT4: return "uint4";
    case Tensor::INT4: return "int4";
    case Tensor::COMPLEX64: return "complex64";
    case Tensor::COMPLEX128: return "complex128";
    case Tensor::FLOAT8E4M3FN:
    case Tensor::FLOAT8E4M3FNUZ:
    case Tensor::FLOAT8E5M2:
    case Tensor::FLOAT8E5M2FNUZ: return "float8";
    default: break; // the graph's types, and values that are no type
    }
    const auto known = data_type(type);
    return known ? std::string(graph::name(*known)) : std::format("type {}", type);
}

std::optional<DataType> data_type(std::int32_t type) {
    switch (type) {
    case Tensor::FLOAT: return DataType::Float32;
    case Tensor::FLOAT16: return DataType::Float16;
    case Tensor::INT8: return DataType::Int8;
    case Tensor::UINT8:
    case Tensor::BOOL: return DataType::Uint8;
    case Tensor::INT32: return DataType::Int32;
    case Tensor::UINT32: return DataType::Uint32;
    case Tensor::INT64: return DataType::Int64;
    case Tensor::UINT64: return DataType::Uint64;
    default: return std::nullopt; // the format's other types, and values that are no type
    }
}

ElementType element_type(DataType type) {
    switch (type) {
    case DataType::Float32: return Tensor::FLOAT;
    case DataType::Float16: return Tensor::FLOAT16;
    case DataType::Int32: return Tensor::INT32;
    case DataType::Uint32: return Tensor::UINT32;
    case DataType::Int64: return Tensor::INT64;
    case DataType::Uint64: return Tensor::UINT64;
    case DataType::Int8: return Tensor::INT8;
    case DataType::Uint8: return Tensor::UINT8;
    }
    std::unreachable();
}

bool is_real(ElementType type) {
    return type == Tensor::FLOAT || type == Tensor::FLOAT16 || type == Tensor::DOUBLE ||
           type == Tensor::BFLOAT16;
}

Literal Literal::of(ElementType type, std::vector<std::int64_t> shape) {
    Literal out{.type = type, .dims = std::move(shape), .integers = {}, .reals = {}};
    std::size_t count = 1;
    for (const std::int64_t dim : out.dims) {
        count *= static_cast<std::size_t>(dim);
    }
    is_real(type) ? out.reals.resize(count) : out.integers.resize(count);
    return out;
}

void Literal::copy(std::size_t to, const Literal& other, std::size_t from) {
    if (real()) {
        reals[to] = other.reals[from];
    } else {
        integers[to] = other.integers[from];
    }
}

Literal Literal::list(std::vector<std::int64_t> values) {
    return {.type = Tensor::INT64,
            .dims = {static_cast<std::int64_t>(values.size())},
            .integers = std::move(values),
            .reals = {}};
}

Result<std::size_t> element_count(std::span<const std::int64_t> dims) {
    // Empty tensors may still have enormous dimensions; bounding what lies beside the zeros keeps
    // all arithmetic on them in range.
    constexpr std::size_t kMost = std::size_t{1} << 40U;
    std::size_t count = 1;
    bool empty = false;
    for (const std::int64_t dim : dims) {
        const auto product =
            dim < 0 ? std::nullopt
                    : checked_product<std::size_t>(count, std::max<std::int64_t>(dim, 1));
        if (!product || *product > kMost) {
            return fail(ErrorCode::Parse, "the dimension {} is no size", dim);
        }
        count = *product;
        empty = empty || dim == 0;
    }
    return empty ? 0 : count;
}

Result<graph::Shape> shape_of(std::span<const std::int64_t> dims) {
    if (dims.size() > graph::kMaxRank) {
        return fail(ErrorCode::Unsupported, "{} dimensions, at most {} are supported", dims.size(),
                    graph::kMaxRank);
    }
    graph::Shape shape;
    for (const std::int64_t dim : dims) {
        if (dim == 0) {
            return fail(ErrorCode::Unsupported, "a tensor without elements");
        }
        if (dim < 0 || !std::in_range<std::uint32_t>(dim)) {
            return fail(ErrorCode::Parse, "the dimension {} is no size", dim);
        }
        shape.push_back(static_cast<std::uint32_t>(dim));
    }
    return shape;
}

namespace {

// A value as one of the narrower float types.
double rounded(double value, ElementType type) {
    const auto single = static_cast<float>(value);
    switch (type) {
    case Tensor::DOUBLE: return value;
    case Tensor::FLOAT16: return static_cast<double>(float16_to_float(float_to_float16(single)));
    default: return static_cast<double>(single);
    }
}

// An integer as the type wraps it.
std::int64_t wrapped(std::int64_t value, ElementType type) {
    switch (type) {
    case Tensor::BOOL: return value != 0 ? 1 : 0;
    case Tensor::INT8: return static_cast<std::int8_t>(value);
    case Tensor::UINT8: return static_cast<std::uint8_t>(value);
    case Tensor::INT16: return static_cast<std::int16_t>(value);
    case Tensor::UINT16: return static_cast<std::uint16_t>(value);
    case Tensor::INT32: return static_cast<std::int32_t>(value);
    case Tensor::UINT32: return static_cast<std::uint32_t>(value);
    default: return value;
    }
}

std::int64_t truncated(double value) {
    if (std::isnan(value)) {
        return 0;
    }
    constexpr double kLimit = 0x1p63;
    return value >= kLimit    ? std::numeric_limits<std::int64_t>::max()
           : value <= -kLimit ? std::numeric_limits<std::int64_t>::min()
                              : static_cast<std::int64_t>(value);
}

template <typename To, typename From>
Result<Stored> stored_as(const Literal& literal, DataType type, const std::vector<From>& values) {
    SLUICE_TRY_ASSIGN(const graph::Shape shape, shape_of(literal.dims));
    SLUICE_TRY_ASSIGN(const graph::TensorDesc desc, graph::TensorDesc::create(type, shape));
    std::vector<To> out;
    out.reserve(values.size());
    for (const From value : values) {
        out.push_back(static_cast<To>(value));
    }
    return Stored{.desc = desc, .data = graph::ConstantData::copy(std::span<const To>(out))};
}

Result<Stored> stored_halves(const Literal& literal) {
    std::vector<std::uint16_t> halves;
    halves.reserve(literal.reals.size());
    for (const double value : literal.reals) {
        halves.push_back(float_to_float16(static_cast<float>(value)));
    }
    return stored_as<std::uint16_t>(literal, DataType::Float16, halves);
}

} // namespace

void convert(Literal& literal, ElementType to) {
    if (literal.real() && is_real(to)) {
        for (double& value : literal.reals) {
            value = rounded(value, to);
        }
    } else if (literal.real()) {
        literal.integers.reserve(literal.reals.size());
        for (const double value : literal.reals) {
            literal.integers.push_back(to == Tensor::BOOL ? (value != 0.0 ? 1 : 0)
                                                          : wrapped(truncated(value), to));
        }
        literal.reals.clear();
    } else if (is_real(to)) {
        literal.reals.reserve(literal.integers.size());
        for (const std::int64_t value : literal.integers) {
            literal.reals.push_back(
                rounded(literal.type == Tensor::UINT64
                            ? static_cast<double>(std::bit_cast<std::uint64_t>(value))
                            : static_cast<double>(value),
                        to));
        }
        literal.integers.clear();
    } else {
        for (std::int64_t& value : literal.integers) {
            value = wrapped(value, to);
        }
    }
    literal.type = to;
}

Result<Stored> store(const Literal& literal) {
    switch (literal.type) {
    case Tensor::FLOAT:
    case Tensor::DOUBLE:
    case Tensor::BFLOAT16: return stored_as<float>(literal, DataType::Float32, literal.reals);
    case Tensor::FLOAT16: return stored_halves(literal);
    case Tensor::INT8: return stored_as<std::int8_t>(literal, DataType::Int8, literal.integers);
    case Tensor::UINT8:
    case Tensor::BOOL: return stored_as<std::uint8_t>(literal, DataType::Uint8, literal.integers);
    case Tensor::INT16:
    case Tensor::UINT16:
    case Tensor::INT32: return stored_as<std::int32_t>(literal, DataType::Int32, literal.integers);
    case Tensor::UINT32:
        return stored_as<std::uint32_t>(literal, DataType::Uint32, literal.integers);
    case Tensor::INT64: return stored_as<std::int64_t>(literal, DataType::Int64, literal.integers);
    case Tensor::UINT64:
        return stored_as<std::uint64_t>(literal, DataType::Uint64, literal.integers);
    default: break; // types that no literal has
    }
    return fail(ErrorCode::Unsupported, "constants of the type {}", type_name(literal.type));
}

} // namespace sluice::models::onnx
