// SPDX-License-Identifier: Apache-2.0
// From WebNN JSON to builder calls: operands in the order of their ids, nodes in that of the file.
#include "models/loaders/webnn/webnn_loader.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <format>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/graph/builder.h"
#include "core/graph/graph.h"
#include "models/loaders/file_hash.h"
#include "models/loaders/load_budget.h"
#include "models/loaders/loader.h"
#include "models/loaders/missing.h"
#include "models/loaders/side_file.h"
#include "models/loaders/text.h"
#include "models/loaders/webnn/document.h"
#include "models/loaders/webnn/format.h"
#include "models/loaders/webnn/operators.h"
#include "models/loaders/webnn/reader.h"

namespace sluice::models::webnn {
namespace {

using graph::OperandId;
using nlohmann::json;

constexpr std::size_t kMaxNamedOperands = 1024; // inputs, outputs; their names are compared
constexpr std::size_t kSniffedBytes = 4096;

// The calls of one document.
class Loader {
public:
    Loader(const json& document, const FileBytes& weights, std::size_t file_bytes)
        : document_(document), weights_(weights), budget_(file_bytes) {
        budget_.add_file(weights.bytes.size());
    }

    Result<graph::Graph> run() {
        SLUICE_TRY_ASSIGN(operands_, list_of(document_, "operands"));
        SLUICE_TRY_ASSIGN(const json* const calls, list_of(document_, "operators"));
        SLUICE_TRY(check_methods(*calls));
        ids_.assign(operands_->size(), graph::kNoOperand);
        for (std::size_t i = 0; i < calls->size(); ++i) {
            const json& call = (*calls)[i];
            if (auto added = add_call(call); !added) {
                return std::unexpected(std::move(added).error().within(std::format(
                    "operator {} ({} '{}')", i, text_of(call, "method"), text_of(call, "label"))));
            }
        }
        SLUICE_TRY(add_leaves(ids_.size()));
        return add_outputs();
    }

private:
    // All methods that there are not, at once.
    static Status check_methods(const json& calls) {
        Missing missing;
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const auto method = read_text(calls[i], "method");
            if (!method) {
                return fail(ErrorCode::Parse, "operator {}: {}", i, method.error().message);
            }
            if (find_method(*method) == nullptr) {
                missing.add(std::format("{} (operator {} '{}')", clean_text(*method), i,
                                        text_of(calls[i], "label")));
            }
        }
        return missing.empty() ? Status{} : std::unexpected(missing.error());
    }

    Status add_call(const json& call) {
        // check_methods() has found it.
        SLUICE_TRY_ASSIGN(const Call read, read_call(call, *find_method(text_of(call, "method"))));
        SLUICE_TRY_ASSIGN(const json* const listed, list_of(call, "outputs"));
        std::vector<std::size_t> outputs;
        for (const json& output : *listed) {
            const bool fits =
                output.is_number_unsigned() && output.get<std::uint64_t>() < ids_.size();
            if (!fits) {
                return fail(ErrorCode::Parse, "an output that is none of the {} operands",
                            ids_.size());
            }
            outputs.push_back(output.get<std::size_t>());
        }
        // Ids come out as they were where what has lower ones is made first.
        if (!outputs.empty()) {
            SLUICE_TRY(add_leaves(std::ranges::min(outputs)));
        }
        std::vector<OperandId> inputs;
        for (const std::uint32_t place : read.inputs) {
            SLUICE_TRY_ASSIGN(inputs.emplace_back(), operand(place));
        }
        SLUICE_TRY_ASSIGN(const auto made, builder_.add_node(read.attributes, std::move(inputs),
                                                             text_of(call, "label")));
        if (made.size() != outputs.size()) {
            return fail(ErrorCode::Parse, "{} outputs, there should be {}", outputs.size(),
                        made.size());
        }
        for (std::size_t i = 0; i < made.size(); ++i) {
            SLUICE_TRY(bind_result(outputs[i], made[i]));
        }
        return {};
    }

    Status bind_result(std::size_t place, OperandId id) {
        const json& entry = (*operands_)[place];
        if (ids_[place] != graph::kNoOperand || (entry.is_object() && entry.contains("kind"))) {
            return fail(ErrorCode::Parse, "operand {} has a producer already, or needs none",
                        place);
        }
        SLUICE_TRY_ASSIGN(const graph::TensorDesc desc, desc_of(place));
        if (desc != builder_.desc(id)) {
            return fail(ErrorCode::Parse, "operand {} is {}, but the operator gives {}", place,
                        graph::to_string(desc), graph::to_string(builder_.desc(id)));
        }
        ids_[place] = id;
        return {};
    }

    Result<graph::TensorDesc> desc_of(std::size_t place) const {
        auto desc = read_desc((*operands_)[place]);
        if (!desc) {
            return std::unexpected(
                std::move(desc).error().within(std::format("operand {}", place)));
        }
        return desc;
    }

    // An operand that an operator uses; inputs and constants behind the last result, too.
    Result<OperandId> operand(std::size_t place) {
        if (place >= ids_.size()) {
            return fail(ErrorCode::Parse, "operand {} of {}", place, ids_.size());
        }
        if (ids_[place] == graph::kNoOperand) {
            SLUICE_TRY(add_leaf(place));
        }
        if (ids_[place] == graph::kNoOperand) {
            return fail(ErrorCode::Parse, "operand {} is used before an operator gives it", place);
        }
        return ids_[place];
    }

    Status add_leaves(std::size_t end) {
        for (; next_leaf_ < end; ++next_leaf_) {
            SLUICE_TRY(add_leaf(next_leaf_));
        }
        return {};
    }

    // The input or constant of this place; nothing where an operator makes it, or it is there.
    Status add_leaf(std::size_t place) {
        const json& entry = (*operands_)[place];
        const std::string kind = text_of(entry, "kind");
        if (kind.empty() || ids_[place] != graph::kNoOperand) {
            return {};
        }
        SLUICE_TRY_ASSIGN(const graph::TensorDesc desc, desc_of(place));
        if (kind == "input") {
            if (++inputs_ > kMaxNamedOperands) {
                return fail(ErrorCode::Unsupported, "more than {} inputs", kMaxNamedOperands);
            }
            SLUICE_TRY_ASSIGN(ids_[place], builder_.input(text_of(entry, "name"), desc));
            return {};
        }
        if (kind != "constant") {
            return fail(ErrorCode::Parse, "operand {} is of the kind '{}', not input or constant",
                        place, kind);
        }
        auto data = weights_of(entry, desc);
        if (!data) {
            return std::unexpected(
                std::move(data).error().within(std::format("constant {}", place)));
        }
        SLUICE_TRY_ASSIGN(ids_[place],
                          builder_.constant(desc, std::move(*data), text_of(entry, "name")));
        return {};
    }

    Result<graph::ConstantData> weights_of(const json& entry, const graph::TensorDesc& desc) {
        const auto found = entry.find("byteOffset");
        if (found == entry.end() || !found->is_number_unsigned()) {
            return fail(ErrorCode::Parse, "'byteOffset' is missing");
        }
        const auto offset = found->get<std::uint64_t>();
        const std::size_t size = desc.byte_size();
        const std::size_t have = weights_.bytes.size();
        if (offset % graph::size_of(desc.type()) != 0) {
            return fail(ErrorCode::Parse, "byte {} is not aligned for {}", offset,
                        graph::name(desc.type()));
        }
        if (size > have || offset > have - size) {
            return fail(ErrorCode::Parse, "{} bytes at {} of the weights, which have {}", size,
                        offset, have);
        }
        SLUICE_TRY(budget_.take(size));
        return graph::ConstantData{.owner = weights_.owner,
                                   .bytes = weights_.bytes.subspan(offset, size)};
    }

    Result<graph::Graph> add_outputs() {
        SLUICE_TRY_ASSIGN(const json* const listed, list_of(document_, "outputs"));
        if (listed->size() > kMaxNamedOperands) {
            return fail(ErrorCode::Unsupported, "{} outputs", listed->size());
        }
        std::vector<graph::NamedOperand> outputs;
        for (const json& entry : *listed) {
            SLUICE_TRY_ASSIGN(const std::uint32_t place, read_number(entry, "operand"));
            SLUICE_TRY_ASSIGN(const OperandId id, operand(place));
            outputs.push_back({.name = text_of(entry, "name"), .id = id});
        }
        return builder_.build(std::move(outputs));
    }

    const json& document_;
    const FileBytes& weights_;
    LoadBudget budget_;
    const json* operands_ = nullptr;
    graph::GraphBuilder builder_;
    std::vector<OperandId> ids_; // by place in the file
    std::size_t next_leaf_ = 0;
    std::size_t inputs_ = 0;
};

Result<LoadedModel> load_document(const json& document, const FileBytes& weights,
                                  std::size_t file_bytes) {
    SLUICE_TRY_ASSIGN(graph::Graph graph, Loader(document, weights, file_bytes).run());
    return LoadedModel{.graph = std::move(graph), .info = info_of(document)};
}

} // namespace

bool is_webnn(std::span<const std::byte> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                                std::min(bytes.size(), kSniffedBytes));
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{' &&
           text.contains(std::format("\"{}\"", kFormat));
}

Result<LoadedModel> load(const FileBytes& bytes, const LoadOptions& options) {
    SLUICE_TRY_ASSIGN(const json document, parse_document(bytes.bytes));
    SLUICE_TRY_ASSIGN(const auto entry, weights_entry(document));
    FileBytes weights;
    if (entry) {
        SLUICE_TRY_ASSIGN(weights, open_weights(*entry, options));
    }
    return load_document(document, weights, bytes.bytes.size());
}

Result<LoadedModel> load_with_weights(std::span<const std::byte> description,
                                      const FileBytes& weights) {
    SLUICE_TRY_ASSIGN(const json document, parse_document(description));
    return load_document(document, weights, description.size());
}

Result<std::vector<std::string>> side_files(std::span<const std::byte> bytes) {
    SLUICE_TRY_ASSIGN(const json document, parse_document(bytes));
    SLUICE_TRY_ASSIGN(const auto entry, weights_entry(document));
    return entry ? std::vector{entry->file} : std::vector<std::string>();
}

} // namespace sluice::models::webnn
