// SPDX-License-Identifier: Apache-2.0
// Access to an operator's inputs, constants and fused function.
#include "models/loaders/tflite/operation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/tensorflow/arithmetic.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

using graph::DataType;
using graph::OperandId;
using graph::TensorDesc;

namespace {

// The tensor at position i of a list of an operator.
Result<std::size_t> tensor_at(const flatbuffers::Vector<std::int32_t>* list, std::size_t i,
                              std::size_t tensor_count, std::string_view what) {
    if (list == nullptr || i >= list->size()) {
        return fail(ErrorCode::Parse, "{} {} is missing", what, i);
    }
    const std::int32_t index = list->Get(static_cast<flatbuffers::uoffset_t>(i));
    if (index < 0 || static_cast<std::size_t>(index) >= tensor_count) {
        return fail(ErrorCode::Parse, "{} {} is tensor {} of {}", what, i, index, tensor_count);
    }
    return static_cast<std::size_t>(index);
}

// Zero points are integers of the tensor's type in a constant of the scales' shape.
Result<graph::ConstantData> zero_points(const schema::QuantizationParameters& quantization,
                                        DataType type, std::size_t count) {
    const auto* values = quantization.zero_point();
    if (values != nullptr && values->size() != 0 && values->size() != count) {
        return fail(ErrorCode::Parse, "{} zero points for {} scales", values->size(), count);
    }
    const auto value = [&](std::size_t i) {
        return values == nullptr || values->size() == 0
                   ? std::int64_t{0}
                   : values->Get(static_cast<flatbuffers::uoffset_t>(i));
    };
    const auto fill = [&]<typename T>(T) -> Result<graph::ConstantData> {
        std::vector<T> out;
        for (std::size_t i = 0; i < count; ++i) {
            if (!std::in_range<T>(value(i))) {
                return fail(ErrorCode::Parse, "zero point {} is no {}", value(i),
                            graph::name(type));
            }
            out.push_back(static_cast<T>(value(i)));
        }
        return graph::ConstantData::copy(std::span<const T>(out));
    };
    switch (type) {
    case DataType::Int8: return fill(std::int8_t{});
    case DataType::Uint8: return fill(std::uint8_t{});
    case DataType::Int32: return fill(std::int32_t{});
    default: return fail(ErrorCode::Unsupported, "quantisation of {}", graph::name(type));
    }
}

} // namespace

std::size_t Operation::input_count() const {
    return op_.inputs() == nullptr ? 0 : op_.inputs()->size();
}

bool Operation::has_input(std::size_t i) const {
    return i < input_count() && op_.inputs()->Get(static_cast<flatbuffers::uoffset_t>(i)) != -1;
}

std::size_t Operation::output_count() const {
    return op_.outputs() == nullptr ? 0 : op_.outputs()->size();
}

Result<std::size_t> Operation::tensor(std::size_t i) const {
    return tensor_at(op_.inputs(), i, file().tensor_count(), "input");
}

Result<std::size_t> Operation::output_tensor(std::size_t i) const {
    return tensor_at(op_.outputs(), i, file().tensor_count(), "output");
}

Result<TensorDesc> Operation::output_desc(std::size_t i) const {
    SLUICE_TRY_ASSIGN(const std::size_t index, output_tensor(i));
    return file().desc(index);
}

Result<OperandId> stored_tensor(Translation& translation, std::size_t index) {
    const File& file = *translation.file;
    Translation::Value& value = translation.values[index];
    if (value.state == Translation::State::Known) {
        return value.id;
    }
    if (!file.is_constant(index)) {
        if (file.tensor(index).is_variable()) {
            return fail(ErrorCode::Unsupported, "{} is a variable", file.title(index));
        }
        return fail(ErrorCode::Parse, "{} is read before anything computes it", file.title(index));
    }
    SLUICE_TRY_ASSIGN(const TensorDesc desc, file.desc(index));
    SLUICE_TRY_ASSIGN(graph::ConstantData data, file.constant(index, translation.budget));
    SLUICE_TRY_ASSIGN(value.id,
                      translation.builder.constant(desc, std::move(data), file.name(index)));
    value.state = Translation::State::Known;
    return value.id;
}

Result<OperandId> Operation::stored_input(std::size_t i) {
    SLUICE_TRY_ASSIGN(const std::size_t index, tensor(i));
    return stored_tensor(translation_, index);
}

Result<OperandId> Operation::input(std::size_t i) {
    SLUICE_TRY_ASSIGN(const std::size_t index, tensor(i));
    return file().is_quantized(index) ? dequantized_input(i) : stored_input(i);
}

Result<OperandId> Operation::dequantized_input(std::size_t i) {
    SLUICE_TRY_ASSIGN(const std::size_t index, tensor(i));
    SLUICE_TRY_ASSIGN(const OperandId stored, stored_input(i));
    OperandId& cached = translation_.values[index].dequantized;
    if (cached == graph::kNoOperand) {
        auto made = dequantize(stored, index);
        if (!made) {
            return std::unexpected(std::move(made).error().within(file().title(index)));
        }
        cached = *made;
    }
    return cached;
}

Result<Operation::Quantization> Operation::quantization_of(OperandId x, DataType type,
                                                           std::size_t tensor) {
    if (!file().is_quantized(tensor)) {
        return fail(ErrorCode::Parse, "it has no scale to dequantise by");
    }
    const auto& quantization = *file().tensor(tensor).quantization();
    if (quantization.details_type() != schema::QuantizationDetails::NONE) {
        return fail(ErrorCode::Unsupported, "custom quantisation");
    }
    // One scale for all, or one for each index along an axis: sizes of 1 elsewhere broadcast.
    graph::Shape shape(std::vector<std::uint32_t>(desc(x).rank(), 1));
    const auto& scales = *quantization.scale();
    if (scales.size() > 1) {
        SLUICE_TRY_ASSIGN(const std::uint32_t axis,
                          tensorflow::axis_of(quantization.quantized_dimension(), desc(x).rank()));
        if (this->shape(x)[axis] != scales.size()) {
            return fail(ErrorCode::Parse, "{} scales for a dimension of {}", scales.size(),
                        this->shape(x)[axis]);
        }
        shape[axis] = scales.size();
    }
    SLUICE_TRY_ASSIGN(const OperandId scale,
                      table(shape, std::vector<float>(scales.begin(), scales.end())));
    SLUICE_TRY_ASSIGN(graph::ConstantData points, zero_points(quantization, type, scales.size()));
    SLUICE_TRY_ASSIGN(const TensorDesc points_desc, TensorDesc::create(type, shape));
    SLUICE_TRY_ASSIGN(const OperandId zero, build().constant(points_desc, std::move(points)));
    return Quantization{.scale = scale, .zero_point = zero};
}

Result<OperandId> Operation::dequantize(OperandId x, std::size_t tensor) {
    SLUICE_TRY_ASSIGN(const Quantization how, quantization_of(x, desc(x).type(), tensor));
    return build().dequantize_linear(x, how.scale, how.zero_point, file().name(tensor));
}

Result<OperandId> Operation::stored_result(OperandId y, std::size_t tensor) {
    const auto type = data_type(file().tensor(tensor).type());
    const bool is_byte = type == DataType::Int8 || type == DataType::Uint8;
    if (!is_byte || !file().is_quantized(tensor) || desc(y).type() != DataType::Float32) {
        return y;
    }
    auto how = quantization_of(y, *type, tensor);
    if (!how) {
        return std::unexpected(std::move(how).error().within(file().title(tensor)));
    }
    return build().quantize_linear(y, how->scale, how->zero_point, label());
}

Result<std::vector<std::int64_t>> Operation::integers(std::size_t i) const {
    SLUICE_TRY_ASSIGN(const std::size_t index, tensor(i));
    return file().integers(index);
}

Result<float> Operation::scalar(std::size_t i) const {
    SLUICE_TRY_ASSIGN(const std::size_t index, tensor(i));
    SLUICE_TRY_ASSIGN(const auto bytes, file().buffer(file().tensor(index).buffer()));
    if (file().tensor(index).type() != schema::TensorType::FLOAT32) {
        return fail(ErrorCode::Unsupported, "{} has the type {}, float32 is needed",
                    file().title(index), schema::EnumNameTensorType(file().tensor(index).type()));
    }
    float value = 0.0F;
    if (bytes.size() != sizeof value) {
        return fail(bytes.empty() ? ErrorCode::Unsupported : ErrorCode::Parse,
                    "{} must be a constant of one element", file().title(index));
    }
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

std::span<const std::byte> Operation::custom_options() const {
    const auto* options = op_.custom_options();
    return options == nullptr ? std::span<const std::byte>()
                              : std::as_bytes(std::span(options->data(), options->size()));
}

Result<OperandId> Operation::activate(OperandId x, schema::ActivationFunctionType function) {
    switch (function) {
    case schema::ActivationFunctionType::NONE: return x;
    case schema::ActivationFunctionType::RELU: return build().relu(x, label());
    case schema::ActivationFunctionType::RELU_N1_TO_1:
        return tensorflow::clamp(*this, x, -1.0, 1.0);
    case schema::ActivationFunctionType::RELU6: return tensorflow::clamp(*this, x, 0.0, 6.0);
    case schema::ActivationFunctionType::TANH: return build().tanh(x, label());
    default: return fail(ErrorCode::Unsupported, "fused function {}", static_cast<int>(function));
    }
}

} // namespace sluice::models::tflite
