// SPDX-License-Identifier: Apache-2.0
// Translation of a Keras network, layer by layer.
#include "models/loaders/tfjs/layers_model.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <format>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/loader.h"
#include "models/loaders/missing.h"
#include "models/loaders/text.h"
#include "models/loaders/tfjs/json.h"
#include "models/loaders/tfjs/layer.h"
#include "models/loaders/tfjs/open_shape.h"
#include "models/loaders/tfjs/operation.h"

namespace sluice::models::tfjs {
namespace {

using graph::OperandId;
using nlohmann::json;

constexpr std::size_t kMaxLayers = 10'000;
constexpr std::size_t kMaxCalls = 64; // of one layer

// One use of a layer: which results of which uses it takes.
struct Reference {
    std::string layer;
    std::size_t call = 0;
};

// [name, call, output, ...].
Result<Reference> reference_of(const json& entry) {
    if (!entry.is_array() || entry.size() < 3 || !entry[0].is_string() ||
        !entry[1].is_number_unsigned() || !entry[2].is_number_unsigned()) {
        return fail(ErrorCode::Parse, "a reference to a layer is no [name, call, output]");
    }
    if (entry[2].get<std::size_t>() != 0) {
        return fail(ErrorCode::Unsupported, "layers of several outputs");
    }
    return Reference{.layer = entry[0].get<std::string>(), .call = entry[1].get<std::size_t>()};
}

class LayersTranslator {
public:
    LayersTranslator(const json& config, bool is_sequential, Weights weights,
                     const LoadOptions& options)
        : config_(config), is_sequential_(is_sequential), options_(options),
          translation_(std::move(weights)) {}

    Result<graph::Graph> run() {
        const json& layers = config_.is_array() ? config_ : config_.value("layers", json());
        if (!layers.is_array() || layers.empty()) {
            return fail(ErrorCode::Parse, "no list of layers");
        }
        if (layers.size() > kMaxLayers) {
            return fail(ErrorCode::Unsupported, "{} layers", layers.size());
        }
        for (const json& layer : layers) {
            SLUICE_TRY(add_layer(layer));
        }
        if (!missing_.empty()) {
            return std::unexpected(missing_.error());
        }
        SLUICE_TRY_ASSIGN(auto outputs, collect());
        return translation_.builder.build(std::move(outputs));
    }

private:
    Status add_layer(const json& layer) {
        const std::string class_name = layer.is_object() ? string_at(layer, "class_name") : "";
        const auto config = layer.is_object() ? layer.find("config") : layer.end();
        if (class_name.empty() || config == layer.end() || !config->is_object()) {
            return fail(ErrorCode::Parse, "a layer without class or configuration");
        }
        std::string name = string_at(layer, "name");
        name = name.empty() ? string_at(*config, "name") : name;
        if (name.empty() || calls_.contains(name)) {
            return fail(ErrorCode::Parse, "a layer's name '{}' is missing or taken",
                        clean_text(name));
        }
        const json* sizes = nullptr;
        for (const char* const key : {"batch_input_shape", "batch_shape"}) {
            if (config->contains(key) && config->at(key).is_array()) {
                sizes = &config->at(key);
            }
        }
        const bool starts = last_.empty() && is_sequential_ && sizes != nullptr;
        if (class_name == "InputLayer" || starts) {
            SLUICE_TRY(add_input(class_name == "InputLayer" ? name : name + "_input", sizes,
                                 string_at(*config, "dtype")));
        }
        if (class_name == "InputLayer") {
            return {};
        }
        return add_calls(layer, *config, class_name, name);
    }

    Status add_input(const std::string& name, const json* sizes, const std::string& type) {
        if (sizes == nullptr) {
            return fail(ErrorCode::Parse, "the input '{}' has no shape", clean_text(name));
        }
        std::vector<std::int64_t> dims;
        for (const json& size : *sizes) {
            dims.push_back(size.is_number_integer() ? size.get<std::int64_t>() : -1);
        }
        if (!type.empty() && type != "float32") {
            return fail(ErrorCode::Unsupported, "the input '{}' of type '{}'", clean_text(name),
                        clean_text(type));
        }
        SLUICE_TRY_ASSIGN(const graph::Shape shape, closed_shape(name, dims, options_));
        SLUICE_TRY_ASSIGN(const auto desc,
                          graph::TensorDesc::create(graph::DataType::Float32, shape));
        const std::string unique = unique_name(names_, clean_text(name), "input", 0);
        SLUICE_TRY_ASSIGN(const OperandId id, translation_.builder.input(unique, desc));
        calls_[name] = {id};
        last_ = name;
        return {};
    }

    // Every call of a layer: one, that of the layer before, in a sequential network.
    Status add_calls(const json& layer, const json& config, const std::string& class_name,
                     const std::string& name) {
        std::vector<std::vector<Reference>> calls;
        if (is_sequential_) {
            calls.push_back({{.layer = last_, .call = 0}});
        } else if (const auto nodes = layer.find("inbound_nodes");
                   nodes != layer.end() && nodes->is_array() && nodes->size() <= kMaxCalls) {
            for (const json& node : *nodes) {
                if (!node.is_array()) {
                    return fail(ErrorCode::Unsupported,
                                "layer '{}' is connected in the way of Keras 3", clean_text(name));
                }
                auto& call = calls.emplace_back();
                for (const json& entry : node) {
                    SLUICE_TRY_ASSIGN(call.emplace_back(), reference_of(entry));
                }
            }
        }
        last_ = name;
        const LayerFunction function = find_layer(class_name);
        if (function == nullptr) {
            missing_.add(std::format("{} (layer '{}')", clean_text(class_name), clean_text(name)));
        }
        std::vector<OperandId>& results = calls_[name];
        for (const auto& call : calls) {
            SLUICE_TRY_ASSIGN(const auto inputs, resolve(call));
            const bool skipped =
                function == nullptr || std::ranges::contains(inputs, graph::kNoOperand);
            OperandId result = graph::kNoOperand;
            if (!skipped) {
                SLUICE_TRY_ASSIGN(result, apply(function, config, class_name, name, inputs));
            }
            results.push_back(result);
        }
        return {};
    }

    // kNoOperand stands for the results of what is missing.
    Result<std::vector<OperandId>> resolve(const std::vector<Reference>& call) const {
        std::vector<OperandId> inputs;
        for (const Reference& reference : call) {
            const auto found = calls_.find(reference.layer);
            if (found == calls_.end() || reference.call >= found->second.size()) {
                return fail(ErrorCode::Parse, "call {} of the layer '{}' is read before it is made",
                            reference.call, clean_text(reference.layer));
            }
            inputs.push_back(found->second[reference.call]);
        }
        return inputs;
    }

    // Records what is Unsupported and goes on.
    Result<OperandId> apply(LayerFunction function, const json& config,
                            const std::string& class_name, const std::string& name,
                            const std::vector<OperandId>& inputs) {
        Layer layer(translation_, config, name, inputs);
        auto made = function(layer);
        if (made) {
            return *made;
        }
        Error error = std::move(made).error();
        const std::string place = std::format("layer '{}'", clean_text(name));
        if (error.code != ErrorCode::Unsupported) {
            error.code = ErrorCode::Parse;
            return std::unexpected(
                std::move(error).within(std::format("{} {}", clean_text(class_name), place)));
        }
        missing_.add(std::format("{} ({}: {})", clean_text(class_name), place, error.message));
        return graph::kNoOperand;
    }

    Result<std::vector<graph::NamedOperand>> collect() {
        std::vector<Reference> outputs;
        if (is_sequential_) {
            outputs.push_back({.layer = last_, .call = 0});
        } else {
            const auto listed = config_.find("output_layers");
            if (listed == config_.end() || !listed->is_array() || listed->empty()) {
                return fail(ErrorCode::Parse, "no list of output layers");
            }
            if ((*listed)[0].is_string()) { // a single one, not in a list of its own
                SLUICE_TRY_ASSIGN(outputs.emplace_back(), reference_of(*listed));
            } else {
                for (const json& entry : *listed) {
                    SLUICE_TRY_ASSIGN(outputs.emplace_back(), reference_of(entry));
                }
            }
        }
        std::vector<graph::NamedOperand> named;
        std::set<OperandId> used;
        SLUICE_TRY_ASSIGN(const auto ids, resolve(outputs));
        for (std::size_t i = 0; i < ids.size(); ++i) {
            OperandId id = ids[i];
            // A graph's outputs are results, each of its own.
            const auto kind = translation_.builder.operand(id).kind;
            if (kind != graph::OperandKind::Result || !used.insert(id).second) {
                SLUICE_TRY_ASSIGN(id, translation_.builder.identity(id));
            }
            named.push_back({unique_name(names_, clean_text(outputs[i].layer), "output", i), id});
        }
        return named;
    }

    const json& config_;
    bool is_sequential_;
    const LoadOptions& options_;
    Translation translation_;
    Missing missing_;
    std::map<std::string, std::vector<OperandId>, std::less<>> calls_; // results, by layer
    std::string last_;            // layer, in a sequential network
    std::set<std::string> names_; // of graph inputs and outputs
};

} // namespace

Result<graph::Graph> load_layers_model(const json& topology, Weights weights,
                                       const LoadOptions& options) {
    // Models saved by Keras wrap the network in "model_config".
    const json* network = &topology;
    if (const auto wrapped = topology.find("model_config");
        wrapped != topology.end() && wrapped->is_object()) {
        network = &*wrapped;
    }
    const std::string class_name = string_at(*network, "class_name");
    const auto config = network->find("config");
    if (config == network->end() || !(config->is_object() || config->is_array())) {
        return fail(ErrorCode::Parse, "no configuration of a network");
    }
    if (class_name != "Sequential" && class_name != "Functional" && class_name != "Model") {
        return fail(ErrorCode::Unsupported, "a network of class '{}'", clean_text(class_name));
    }
    return LayersTranslator(*config, class_name == "Sequential", std::move(weights), options).run();
}

} // namespace sluice::models::tfjs
