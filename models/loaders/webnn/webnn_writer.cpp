// SPDX-License-Identifier: Apache-2.0
// Writing of WebNN JSON: one visitor over the field lists.
#include "models/loaders/webnn/webnn_writer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/file_hash.h"
#include "models/loaders/loader.h"
#include "models/loaders/webnn/enums.h"
#include "models/loaders/webnn/fields.h"
#include "models/loaders/webnn/format.h"
#include "models/loaders/webnn/operators.h"

namespace sluice::models::webnn {
namespace {

using Json = nlohmann::ordered_json; // keys stay in the order of the specification's

static_assert(std::endian::native == std::endian::little,
              "weights are little-endian; turn the elements round here and in the loader");

// JSON has no infinities and no NaN; WebNN's options have them.
Json to_json(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "Infinity" : "-Infinity";
    }
    return value;
}

template <typename T>
Json value_of(const T& value) {
    if constexpr (NamedEnum<T>) {
        return enum_name(value);
    } else if constexpr (std::is_same_v<T, ops::Quantization>) {
        return {{"scale", to_json(value.scale)}, {"zeroPoint", value.zero_point}};
    } else if constexpr (std::is_same_v<T, ops::QuantizedResult>) {
        Json result = value_of(value.quantization);
        result["dataType"] = value_of(value.type);
        return result;
    } else if constexpr (std::is_floating_point_v<T>) {
        return to_json(static_cast<double>(value));
    } else if constexpr (std::is_arithmetic_v<T>) {
        return value;
    } else {
        Json list = Json::array();
        for (const auto& item : value) {
            list.push_back(value_of(item));
        }
        return list;
    }
}

// The method call of one node.
class CallWriter {
public:
    explicit CallWriter(std::span<const graph::OperandId> inputs) : inputs_(inputs) {}

    void operand(std::string_view name) { arguments_[std::string(name)] = next(); }
    void operands(std::string_view name) {
        Json list = Json::array();
        while (!inputs_.empty()) {
            list.push_back(next());
        }
        arguments_[std::string(name)] = std::move(list);
    }
    void optional_operand(std::string_view name, bool has) {
        if (has) {
            options_[std::string(name)] = next();
        }
    }
    template <typename T>
    void argument(std::string_view name, const T& value) {
        arguments_[std::string(name)] = value_of(value);
    }
    template <typename T>
    void option(std::string_view name, const T& value) {
        options_[std::string(name)] = value_of(value);
    }
    template <typename T>
    void needed_option(std::string_view name, const T& value) {
        option(name, value);
    }
    template <typename T>
    void option_unless_empty(std::string_view name, const T& value) {
        if (value != T{}) {
            option(name, value);
        }
    }
    void method(const auto& /*member*/) {} // said by the method's name
    void parameters(const ops::Activation& function) { add_parameters(options_, function); }
    void epilogue(const ops::Activation& function) {
        if (function != ops::Activation{}) {
            Json call{{"method", method_of(ops::Unary{.function = function})}};
            add_parameters(call, function);
            options_[std::string(kEpilogue)] = std::move(call);
        }
    }

    [[nodiscard]] Json take(const graph::Node& node) && {
        Json call{{"method", method_of(node.attributes)}};
        if (!node.label.empty()) {
            call["label"] = node.label;
        }
        call["arguments"] = std::move(arguments_);
        call["options"] = std::move(options_);
        Json outputs = Json::array();
        for (const graph::OperandId id : node.outputs) {
            outputs.push_back(graph::index(id));
        }
        call["outputs"] = std::move(outputs);
        return call;
    }

private:
    std::size_t next() {
        const std::size_t id = graph::index(inputs_.front());
        inputs_ = inputs_.subspan(1);
        return id;
    }

    static void add_parameters(Json& target, const ops::Activation& function) {
        for (const Parameter& parameter : parameters_of(function.kind)) {
            target[std::string(parameter.name)] = to_json(function.*parameter.member);
        }
    }

    std::span<const graph::OperandId> inputs_;
    Json arguments_ = Json::object();
    Json options_ = Json::object();
};

Json call_of(const graph::Node& node) {
    CallWriter writer(node.inputs);
    std::visit(
        [&]<typename Op>(const Op& op) {
            if constexpr (!std::is_same_v<Op, std::monostate>) {
                fields(writer, op);
            }
        },
        node.attributes);
    return std::move(writer).take(node);
}

// Constants one behind the other; those that share their bytes do so in the file, too.
class WeightsWriter {
public:
    [[nodiscard]] Result<std::size_t> add(std::span<const std::byte> bytes) {
        const auto [known, is_new] =
            offsets_.try_emplace({bytes.data(), bytes.size()}, weights_.size());
        if (!is_new) {
            return known->second;
        }
        const auto end = checked_add<std::size_t>(weights_.size(), bytes.size());
        const auto padded =
            end ? checked_add<std::size_t>(*end, kWeightAlignment - 1) : std::nullopt;
        if (!padded) {
            return fail(ErrorCode::Unsupported, "the weights have more bytes than can be counted");
        }
        weights_.insert(weights_.end(), bytes.begin(), bytes.end());
        weights_.resize(*padded / kWeightAlignment * kWeightAlignment);
        return known->second;
    }
    [[nodiscard]] std::vector<std::byte> take() && { return std::move(weights_); }

private:
    std::map<std::pair<const std::byte*, std::size_t>, std::size_t> offsets_;
    std::vector<std::byte> weights_;
};

Result<Json> operand_of(const graph::Operand& operand, WeightsWriter& weights) {
    Json entry{{"dataType", enum_name(operand.desc.type())},
               {"shape", value_of(operand.desc.shape())}};
    if (operand.kind == graph::OperandKind::Result) {
        return entry;
    }
    const bool is_input = operand.kind == graph::OperandKind::Input;
    entry["kind"] = is_input ? "input" : "constant";
    if (!operand.name.empty()) {
        entry["name"] = operand.name;
    }
    if (!is_input) {
        SLUICE_TRY_ASSIGN(entry["byteOffset"], weights.add(operand.data.bytes));
    }
    return entry;
}

// What the file said about itself; absent things are left out.
Json info_of(const ModelInfo& info) {
    Json out = Json::object();
    for (const auto& [key, text] :
         {std::pair{"name", &info.name}, std::pair{"description", &info.description},
          std::pair{"license", &info.license}, std::pair{"task", &info.task}}) {
        if (!text->empty()) {
            out[key] = *text;
        }
    }
    if (info.normalization) {
        out["mean"] = info.normalization->mean;
        out["std"] = info.normalization->std;
    }
    if (!info.labels.empty()) {
        out["labels"] = info.labels;
    }
    return out;
}

} // namespace

Result<SavedModel> save(const graph::Graph& graph, const ModelInfo& info,
                        std::string_view weights_file) {
    WeightsWriter weights;
    Json operands = Json::array();
    for (const graph::Operand& operand : graph.operands()) {
        SLUICE_TRY_ASSIGN(Json entry, operand_of(operand, weights));
        operands.push_back(std::move(entry));
    }
    Json calls = Json::array();
    for (const graph::Node& node : graph.nodes()) {
        calls.push_back(call_of(node));
    }
    Json outputs = Json::array();
    for (const graph::NamedOperand& output : graph.outputs()) {
        outputs.push_back({{"name", output.name}, {"operand", graph::index(output.id)}});
    }
    SavedModel saved;
    saved.weights = std::move(weights).take();
    Json document{{"format", kFormat}, {"version", kVersion}, {"info", info_of(info)}};
    if (!saved.weights.empty()) {
        SLUICE_TRY_ASSIGN(const std::string hash, sha256(saved.weights));
        document["weights"] = {
            {"file", weights_file}, {"byteLength", saved.weights.size()}, {"sha256", hash}};
    }
    document["operands"] = std::move(operands);
    document["operators"] = std::move(calls);
    document["outputs"] = std::move(outputs);
    // Labels given in C++ need not be UTF-8, which JSON is.
    saved.description = document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
    return saved;
}

} // namespace sluice::models::webnn
