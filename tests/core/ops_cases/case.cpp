// SPDX-License-Identifier: Apache-2.0
// Numbers, positions and graphs of cases.
#include "tests/core/ops_cases/case.h"

#include <cmath>
#include <cstring>
#include <format>
#include <span>
#include <utility>

#include "core/base/float16.h"
#include "core/graph/graph.h"

namespace sluice::testing {
namespace {

template <typename T>
void append(std::vector<std::byte>& bytes, T value) {
    const auto old = bytes.size();
    bytes.resize(old + sizeof(T));
    std::memcpy(bytes.data() + old, &value, sizeof(T));
}

} // namespace

Random::Random(const std::string& seed) : state_(0xCBF29CE484222325U) {
    for (const char c : seed) { // FNV-1a
        state_ = (state_ ^ static_cast<std::uint8_t>(c)) * 0x100000001B3U;
    }
}

std::uint64_t Random::next() { // SplitMix64
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
}

double Random::uniform(double low, double high) {
    return low + (high - low) * (static_cast<double>(next() >> 11U) * 0x1p-53);
}

std::uint32_t Random::integer(std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(next() % (high - low + 1));
}

double round_even(double x) {
    const double low = std::floor(x);
    const double above = x - low;
    if (above == 0.5) {
        return std::fmod(low, 2.0) == 0.0 ? low : low + 1.0;
    }
    return above < 0.5 ? low : low + 1.0;
}

double stored(graph::DataType type, double value) {
    switch (type) {
    case graph::DataType::Float32: return static_cast<double>(static_cast<float>(value));
    case graph::DataType::Float16:
        return static_cast<double>(float16_to_float(float_to_float16(static_cast<float>(value))));
    default: return std::nearbyint(value);
    }
}

CaseOperand random_operand(Random& random, graph::DataType type, const graph::Shape& shape,
                           double low, double high) {
    CaseOperand out{.type = type, .shape = shape, .is_constant = false, .values = {}};
    for (std::size_t i = 0; i < shape.element_count(); ++i) {
        out.values.push_back(stored(type, random.uniform(low, high)));
    }
    return out;
}

OpCase exact_case(std::string name, ops::Attributes attributes,
                  const std::vector<std::pair<graph::DataType, graph::Shape>>& operands) {
    OpCase test;
    test.name = std::move(name);
    test.attributes = std::move(attributes);
    Random random(test.name);
    for (const auto& [type, shape] : operands) {
        const double low = graph::info(type).is_signed ? -100.0 : 0.0;
        test.operands.push_back(random_operand(random, type, shape, low, 100.0));
    }
    test.absolute = 0.0;
    test.relative = 0.0;
    return test;
}

std::vector<std::size_t> position_of(std::size_t i, const graph::Shape& shape) {
    std::vector<std::size_t> out(shape.rank());
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
        out[axis] = i % shape[axis];
        i /= shape[axis];
    }
    return out;
}

std::size_t flat_of(const std::vector<std::size_t>& position, const graph::Shape& shape) {
    std::size_t flat = 0;
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
        flat = flat * shape[axis] + position[axis];
    }
    return flat;
}

double broadcast_value(const CaseOperand& operand, const std::vector<std::size_t>& position) {
    const std::size_t lead = position.size() - operand.shape.rank();
    std::vector<std::size_t> own(operand.shape.rank());
    for (std::size_t axis = 0; axis < own.size(); ++axis) {
        own[axis] = operand.shape[axis] == 1 ? 0 : position[lead + axis];
    }
    return operand.values[flat_of(own, operand.shape)];
}

Expected for_each_position(const graph::Shape& shape,
                           const std::function<double(const std::vector<std::size_t>&)>& value) {
    Expected out;
    for (std::size_t i = 0; i < shape.element_count(); ++i) {
        out.values.push_back(value(position_of(i, shape)));
        out.magnitudes.push_back(std::fabs(out.values.back()));
    }
    return out;
}

std::vector<std::byte> bytes_of(const CaseOperand& operand) {
    std::vector<std::byte> out;
    for (const double value : operand.values) {
        switch (operand.type) {
        case graph::DataType::Float32: append(out, static_cast<float>(value)); break;
        case graph::DataType::Float16:
            append(out, float_to_float16(static_cast<float>(value)));
            break;
        case graph::DataType::Int32: append(out, static_cast<std::int32_t>(value)); break;
        case graph::DataType::Uint32: append(out, static_cast<std::uint32_t>(value)); break;
        case graph::DataType::Int64: append(out, static_cast<std::int64_t>(value)); break;
        case graph::DataType::Uint64: append(out, static_cast<std::uint64_t>(value)); break;
        case graph::DataType::Int8: append(out, static_cast<std::int8_t>(value)); break;
        case graph::DataType::Uint8: append(out, static_cast<std::uint8_t>(value)); break;
        }
    }
    return out;
}

// Not through GraphBuilder: it refuses the epilogues that the fusion pass sets.
Result<graph::Graph> build_case(const OpCase& test) {
    graph::GraphParts parts;
    graph::Node node{
        .attributes = test.attributes, .inputs = {}, .outputs = {}, .label = test.name};
    std::vector<graph::TensorDesc> descs;
    for (std::size_t i = 0; i < test.operands.size(); ++i) {
        const CaseOperand& operand = test.operands[i];
        SLUICE_TRY_ASSIGN(const auto desc, graph::TensorDesc::create(operand.type, operand.shape));
        descs.push_back(desc);
        graph::Operand added{.desc = desc,
                             .kind = graph::OperandKind::Input,
                             .name = std::format("x{}", i),
                             .data = {}};
        if (operand.is_constant) {
            added.kind = graph::OperandKind::Constant;
            added.data = graph::ConstantData::own(bytes_of(operand));
        }
        const graph::OperandId id = parts.add(std::move(added));
        node.inputs.push_back(id);
        if (!operand.is_constant) {
            parts.inputs.push_back({.name = std::format("x{}", i), .id = id});
        }
    }
    SLUICE_TRY_ASSIGN(const auto outputs, ops::infer(test.attributes, descs));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const std::string name = std::format("y{}", i);
        const graph::OperandId id = parts.add(
            {.desc = outputs[i], .kind = graph::OperandKind::Result, .name = name, .data = {}});
        node.outputs.push_back(id);
        parts.outputs.push_back({.name = name, .id = id});
    }
    parts.nodes.push_back(std::move(node));
    return graph::Graph::create(std::move(parts));
}

std::vector<OpCase> all_cases() {
    std::vector<OpCase> out;
    for (auto* table :
         {conv2d_cases, conv_transpose2d_cases, conversion_cases, elementwise_cases, index_cases,
          matrix_cases, movement_cases, normalization_cases, pool2d_cases, quantized_cases,
          recurrent_cases, reduction_cases, resample2d_cases, special_value_cases}) {
        auto cases = table();
        out.insert(out.end(), std::make_move_iterator(cases.begin()),
                   std::make_move_iterator(cases.end()));
    }
    return out;
}

} // namespace sluice::testing
