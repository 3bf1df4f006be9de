// SPDX-License-Identifier: Apache-2.0
// From a parsed file to a graph: its inputs with their sizes bound, its nodes, its outputs.
#include "models/loaders/onnx/onnx_loader.h"

#include <cstddef>
#include <cstdint>
#include <format>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/loader.h"
#include "models/loaders/numbers.h"
#include "models/loaders/onnx/file.h"
#include "models/loaders/onnx/literal.h"
#include "models/loaders/onnx/operation.h"
#include "models/loaders/onnx/translator.h"
#include "models/loaders/text.h"

namespace sluice::models::onnx {
namespace {

using graph::OperandId;

// Graph inputs or outputs. Their names are compared with each other, which must stay quick.
constexpr int kMaxEnds = 1024;

// All tensors that constants of the graph point into.
struct Tensors {
    std::shared_ptr<const schema::Model> model;
    std::vector<std::unique_ptr<schema::Tensor>> bound; // inputs that became constants
};

class Loader {
public:
    Loader(std::shared_ptr<const schema::Model> model, const LoadOptions& options,
           std::size_t file_bytes)
        : tensors_(std::make_shared<Tensors>(Tensors{.model = std::move(model), .bound = {}})),
          graph_(tensors_->model->graph()), options_(options),
          translation_(tensors_, options, file_bytes) {}

    // Of inputs, in the order of the file.
    [[nodiscard]] std::vector<std::string> take_bound() { return std::move(bound_); }

    Result<graph::Graph> run(std::int64_t opset) {
        translation_.opset = opset;
        Translator translator(translation_, missing_);
        SLUICE_TRY(translator.add_initializers(graph_));
        SLUICE_TRY(add_inputs());
        SLUICE_TRY(translator.add_nodes(graph_));
        if (!missing_.empty()) {
            return std::unexpected(missing_.error());
        }
        SLUICE_TRY_ASSIGN(auto outputs, collect_outputs());
        return translation_.builder.build(std::move(outputs));
    }

private:
    // All that is unbound is told at once.
    Status add_inputs() {
        if (graph_.input_size() > kMaxEnds) {
            return fail(ErrorCode::Unsupported, "{} graph inputs", graph_.input_size());
        }
        for (const schema::ValueInfo& input : graph_.input()) {
            // Files of the first versions list their constants as inputs with defaults.
            if (translation_.find(input.name()) != nullptr) {
                if (!inputs_.contains(input.name())) {
                    continue;
                }
                return fail(ErrorCode::Parse, "'{}' is an input twice", clean_text(input.name()));
            }
            auto added = add_input(input);
            if (!added) {
                return std::unexpected(std::move(added).error().within(
                    std::format("input '{}'", clean_text(input.name()))));
            }
            inputs_.insert(input.name());
        }
        SLUICE_TRY(check_given_names());
        if (!unbound_.empty()) {
            return fail(
                ErrorCode::InvalidArgument,
                "sizes are missing: {}; bind the names (--dim NAME=SIZE), or give the inputs "
                "shapes",
                unbound_);
        }
        return {};
    }

    // A name that no input has would be left out silently.
    [[nodiscard]] Status check_given_names() const {
        Status status;
        const auto check = [&](const auto& given) {
            for (const auto& [name, value] : given) {
                if (status && !inputs_.contains(name)) {
                    status = fail(ErrorCode::NotFound, "the model has no input '{}' (it has: {})",
                                  clean_text(name), list(inputs_));
                }
            }
        };
        check(options_.values);
        check(options_.numbers);
        return status;
    }

    static std::string list(const std::set<std::string>& names) {
        std::string out;
        for (const std::string& name : names) {
            out += (out.empty() ? "" : ", ") + clean_text(name);
        }
        return out;
    }

    Status add_input(const schema::ValueInfo& input) {
        if (!input.type().has_tensor_type()) {
            return fail(ErrorCode::Unsupported, "a sequence, map or optional value");
        }
        const std::int32_t type = input.type().tensor_type().elem_type();
        const auto known = data_type(type);
        if (!known) {
            return fail(ErrorCode::Unsupported,
                        "the type {}, which WebNN lacks; export the model in float32 or float16",
                        type_name(type));
        }
        SLUICE_TRY_ASSIGN(const auto dims, input_dims(input));
        Value value;
        value.is_bool = type == schema::Tensor::BOOL;
        if (!dims) {
            value.state = Value::State::Failed; // told with the others
        } else {
            SLUICE_TRY_ASSIGN(const graph::Shape shape, shape_of(*dims));
            SLUICE_TRY_ASSIGN(const auto desc, graph::TensorDesc::create(*known, shape));
            SLUICE_TRY(bind(input.name(), type, desc, value));
        }
        translation_.scopes.back().emplace(input.name(), std::move(value));
        return {};
    }

    // The bytes that the caller gives the input; nothing where it gives none.
    [[nodiscard]] Result<std::optional<graph::ConstantData>>
    given(const std::string& name, const graph::TensorDesc& desc) const {
        if (const auto found = options_.values.find(name); found != options_.values.end()) {
            if (found->second.bytes.size() != desc.byte_size()) {
                return fail(ErrorCode::InvalidArgument, "a value of {} bytes for {}",
                            found->second.bytes.size(), graph::to_string(desc));
            }
            return found->second;
        }
        if (const auto found = options_.numbers.find(name); found != options_.numbers.end()) {
            SLUICE_TRY_ASSIGN(auto bytes, tensor_of_numbers(desc, found->second));
            return graph::ConstantData::own(std::move(bytes));
        }
        return std::nullopt;
    }

    // An operand, or a constant where the caller gives the value.
    Status bind(const std::string& name, std::int32_t type, const graph::TensorDesc& desc,
                Value& value) {
        SLUICE_TRY_ASSIGN(const auto data, given(name, desc));
        if (!data) {
            SLUICE_TRY_ASSIGN(value.id,
                              translation_.builder.input(
                                  unique_name(clean_text(name), "input", inputs_.size()), desc));
            return {};
        }
        // As a stored tensor, so that it is read like one.
        auto tensor = std::make_unique<schema::Tensor>();
        for (const std::uint32_t dim : desc.shape()) {
            tensor->add_dims(dim);
        }
        tensor->set_data_type(type);
        tensor->set_raw_data(data->bytes.data(), data->bytes.size());
        value.tensor = tensors_->bound.emplace_back(std::move(tensor)).get();
        bound_.push_back(name);
        return {};
    }

    // The file's dimensions with LoadOptions' sizes for names; nothing where one has none.
    Result<std::optional<std::vector<std::int64_t>>> input_dims(const schema::ValueInfo& input) {
        const auto& stated = input.type().tensor_type();
        std::vector<std::int64_t> dims;
        if (const auto found = options_.shapes.find(input.name()); found != options_.shapes.end()) {
            if (stated.has_shape() &&
                static_cast<std::size_t>(stated.shape().dim_size()) != found->second.size()) {
                return fail(ErrorCode::InvalidArgument, "a shape of {} dimensions for one of {}",
                            found->second.size(), stated.shape().dim_size());
            }
            dims.assign(found->second.begin(), found->second.end());
            for (std::size_t i = 0; stated.has_shape() && i < dims.size(); ++i) {
                const auto& dim = stated.shape().dim(static_cast<int>(i));
                if (dim.dim_value() > 0 && dim.dim_value() != dims[i]) {
                    return fail(ErrorCode::InvalidArgument,
                                "dimension {} is given as {}, the file says {}", i, dims[i],
                                dim.dim_value());
                }
            }
            return std::optional(std::move(dims));
        }
        if (!stated.has_shape()) {
            add_unbound(input, "any shape");
            return std::optional<std::vector<std::int64_t>>();
        }
        bool bound = true;
        for (int i = 0; i < stated.shape().dim_size(); ++i) {
            const auto& dim = stated.shape().dim(i);
            if (dim.has_dim_value() && dim.dim_value() > 0) {
                dims.push_back(dim.dim_value());
                continue;
            }
            const auto found = options_.dimensions.find(dim.dim_param());
            if (!dim.dim_param().empty() && found != options_.dimensions.end()) {
                dims.push_back(found->second);
                continue;
            }
            add_unbound(input, std::format("dimension {} '{}'", i, clean_text(dim.dim_param())));
            bound = false;
        }
        return bound ? std::optional(std::move(dims)) : std::nullopt;
    }

    void add_unbound(const schema::ValueInfo& input, std::string_view what) {
        if (unbound_.size() < kMaxUnbound) {
            unbound_ += std::format("{}{} of input '{}'", unbound_.empty() ? "" : ", ", what,
                                    clean_text(input.name()));
        }
    }

    std::string unique_name(const std::string& wanted, std::string_view kind, std::size_t index) {
        const std::string base = wanted.empty() ? std::format("{}_{}", kind, index) : wanted;
        std::string name = base;
        for (std::size_t i = 1; !names_.insert(name).second; ++i) {
            name = std::format("{}_{}", base, i);
        }
        return name;
    }

    Result<std::vector<graph::NamedOperand>> collect_outputs() {
        if (graph_.output_size() > kMaxEnds) {
            return fail(ErrorCode::Unsupported, "{} graph outputs", graph_.output_size());
        }
        std::vector<graph::NamedOperand> outputs;
        std::set<OperandId> used;
        for (const schema::ValueInfo& output : graph_.output()) {
            Value* const value = translation_.find(output.name());
            if (value == nullptr) {
                return fail(ErrorCode::Parse, "'{}' is an output that nothing computes",
                            clean_text(output.name()));
            }
            SLUICE_TRY_ASSIGN(OperandId id, materialize(translation_, *value, output.name()));
            // A graph's outputs are results, each of its own.
            const auto kind = translation_.builder.operand(id).kind;
            if (kind != graph::OperandKind::Result || !used.insert(id).second) {
                SLUICE_TRY_ASSIGN(id, translation_.builder.identity(id));
            }
            outputs.push_back(
                {unique_name(clean_text(output.name()), "output", outputs.size()), id});
        }
        return outputs;
    }

    static constexpr std::size_t kMaxUnbound = 4096; // bytes

    std::shared_ptr<Tensors> tensors_;
    const schema::Graph& graph_;
    const LoadOptions& options_;
    Translation translation_;
    Missing missing_;
    std::set<std::string> inputs_;
    std::set<std::string> names_; // of graph inputs and outputs
    std::string unbound_;
    std::vector<std::string> bound_;
};

// A function of the file's own would need to be inlined.
Status refuse_functions(const schema::Model& model) {
    if (model.functions_size() == 0) {
        return {};
    }
    return fail(ErrorCode::Unsupported,
                "it defines {} operators of its own ('{}'); inline them with onnx.inliner",
                model.functions_size(), clean_text(model.functions(0).name()));
}

} // namespace

Result<LoadedModel> load(const FileBytes& bytes, const LoadOptions& options) {
    SLUICE_TRY_ASSIGN(std::shared_ptr<const schema::Model> model, parse(bytes.bytes));
    SLUICE_TRY_ASSIGN(const std::int64_t opset, opset_version(*model));
    SLUICE_TRY(refuse_functions(*model));
    ModelInfo info = read_info(*model);
    Loader loader(std::move(model), options, bytes.bytes.size());
    SLUICE_TRY_ASSIGN(graph::Graph graph, loader.run(opset));
    return LoadedModel{
        .graph = std::move(graph), .info = std::move(info), .bound = loader.take_bound()};
}

} // namespace sluice::models::onnx
