// SPDX-License-Identifier: Apache-2.0
// Conversion of given numbers to a tensor's type.
#include "models/loaders/numbers.h"

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "core/base/float16.h"
#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/tensor_desc.h"

namespace sluice::models {
namespace {

using graph::DataType;

// Whether T holds the number exactly. The bounds are compared as powers of two, which a double is.
template <std::integral T>
bool holds(double number) {
    const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
    const double begin = std::is_signed_v<T> ? -end : 0.0;
    return std::trunc(number) == number && number >= begin && number < end;
}

template <typename T>
Result<std::vector<std::byte>> integers(const graph::TensorDesc& desc,
                                        std::span<const double> numbers) {
    std::vector<std::byte> bytes(desc.byte_size());
    for (std::size_t i = 0; i < desc.element_count(); ++i) {
        const double number = numbers.size() == 1 ? numbers[0] : numbers[i];
        if (!holds<T>(number)) {
            return fail(ErrorCode::InvalidArgument, "{} is no {}", number,
                        graph::name(desc.type()));
        }
        const T value = static_cast<T>(number);
        std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
    }
    return bytes;
}

template <typename T, typename Convert>
std::vector<std::byte> floats(const graph::TensorDesc& desc, std::span<const double> numbers,
                              Convert convert) {
    std::vector<std::byte> bytes(desc.byte_size());
    for (std::size_t i = 0; i < desc.element_count(); ++i) {
        const T value = convert(static_cast<float>(numbers.size() == 1 ? numbers[0] : numbers[i]));
        std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
    }
    return bytes;
}

} // namespace

Result<std::vector<std::byte>> tensor_of_numbers(const graph::TensorDesc& desc,
                                                 std::span<const double> numbers) {
    if (numbers.size() != 1 && numbers.size() != desc.element_count()) {
        return fail(ErrorCode::InvalidArgument, "{} numbers for {}; give one for all or {}",
                    numbers.size(), graph::to_string(desc), desc.element_count());
    }
    switch (desc.type()) {
    case DataType::Float32: return floats<float>(desc, numbers, [](float value) { return value; });
    case DataType::Float16:
        return floats<std::uint16_t>(desc, numbers,
                                     [](float value) { return float_to_float16(value); });
    case DataType::Int32: return integers<std::int32_t>(desc, numbers);
    case DataType::Uint32: return integers<std::uint32_t>(desc, numbers);
    case DataType::Int64: return integers<std::int64_t>(desc, numbers);
    case DataType::Uint64: return integers<std::uint64_t>(desc, numbers);
    case DataType::Int8: return integers<std::int8_t>(desc, numbers);
    case DataType::Uint8: return integers<std::uint8_t>(desc, numbers);
    }
    std::unreachable();
}

} // namespace sluice::models
