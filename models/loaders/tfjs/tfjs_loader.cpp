// SPDX-License-Identifier: Apache-2.0
// model.json: which kind it is, and what it says about itself.
#include "models/loaders/tfjs/tfjs_loader.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "models/loaders/loader.h"
#include "models/loaders/text.h"
#include "models/loaders/tfjs/graph_model.h"
#include "models/loaders/tfjs/layers_model.h"
#include "models/loaders/tfjs/weights.h"

namespace sluice::models::tfjs {
namespace {

using nlohmann::json;

// Large networks have files of a few megabytes; the limit bounds what parsing costs.
constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20U;

// For people: printable and of bounded length.
std::string clean_text_at(const json& document, const char* key) {
    const auto found = document.find(key);
    return found != document.end() && found->is_string()
               ? clean_text(found->get_ref<const std::string&>(), 4096)
               : std::string();
}

} // namespace

bool is_tfjs(std::span<const std::byte> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{' &&
           text.find("\"modelTopology\"") != std::string_view::npos &&
           text.find("\"weightsManifest\"") != std::string_view::npos;
}

Result<LoadedModel> load(const FileBytes& bytes, const LoadOptions& options) {
    if (bytes.bytes.size() > kMaxFileBytes) {
        return fail(ErrorCode::Unsupported, "{} bytes of JSON, more than {}", bytes.bytes.size(),
                    kMaxFileBytes);
    }
    const auto* text = reinterpret_cast<const char*>(bytes.bytes.data());
    const json document = json::parse(text, text + bytes.bytes.size(), nullptr, false);
    if (document.is_discarded() || !document.is_object()) {
        return fail(ErrorCode::Parse, "malformed JSON");
    }
    const auto topology = document.find("modelTopology");
    const auto manifest = document.find("weightsManifest");
    if (topology == document.end() || !topology->is_object() || manifest == document.end()) {
        return fail(ErrorCode::Parse, "modelTopology and weightsManifest are needed");
    }
    SLUICE_TRY_ASSIGN(Weights weights, Weights::read(*manifest, options));
    const bool is_graph = topology->contains("node");
    auto graph = is_graph ? load_graph_model(document, std::move(weights), options)
                          : load_layers_model(*topology, std::move(weights), options);
    if (!graph) {
        return std::unexpected(std::move(graph).error());
    }
    ModelInfo info;
    info.format = is_graph ? "tfjs-graph" : "tfjs-layers";
    info.description = clean_text_at(document, "generatedBy");
    return LoadedModel{.graph = std::move(*graph), .info = std::move(info)};
}

Result<std::vector<std::string>> side_files(std::span<const std::byte> bytes) {
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    const json document = bytes.size() <= kMaxFileBytes
                              ? json::parse(text, text + bytes.size(), nullptr, false)
                              : json(json::value_t::discarded);
    const auto manifest = document.is_object() ? document.find("weightsManifest") : document.end();
    if (!document.is_object() || manifest == document.end() || !manifest->is_array()) {
        return fail(ErrorCode::Parse, "malformed JSON, or no weightsManifest");
    }
    std::vector<std::string> files;
    for (const json& group : *manifest) {
        const auto paths = group.is_object() ? group.find("paths") : group.end();
        if (!group.is_object() || paths == group.end() || !paths->is_array()) {
            return fail(ErrorCode::Parse, "a group of weights without paths");
        }
        for (const json& path : *paths) {
            if (!path.is_string()) {
                return fail(ErrorCode::Parse, "a path of weights that is no text");
            }
            files.push_back(path.get<std::string>());
        }
    }
    return files;
}

} // namespace sluice::models::tfjs
