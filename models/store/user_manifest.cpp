// SPDX-License-Identifier: Apache-2.0
// Writing and reading of manifests.
#include "models/store/user_manifest.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "models/loaders/file_hash.h"

namespace sluice::models {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxManifestBytes = std::size_t{8} << 20U;
constexpr float kMaxCode = 255.0F;

Json tensors_of(std::span<const graph::NamedOperand> named, const graph::Graph& graph) {
    Json list = Json::array();
    for (const graph::NamedOperand& entry : named) {
        const graph::TensorDesc& desc = graph.desc(entry.id);
        list.push_back({{"name", entry.name},
                        {"dataType", graph::name(desc.type())},
                        {"shape", desc.shape().dims()}});
    }
    return list;
}

std::string text_at(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

} // namespace

bool is_model_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    return !name.empty() && name.size() <= 100 && name.front() != '.' &&
           std::ranges::all_of(name, fits);
}

Result<Json> manifest_of(const AddRequest& request, const std::string& name,
                         std::span<const StoredFile> pieces, const LoadedModel& model) {
    SLUICE_TRY_ASSIGN(const std::string hash, sha256(pieces[0].bytes.bytes));
    const ModelInfo& info = model.info;
    Json manifest{{"name", name},
                  {"title", info.name.empty() ? name : info.name},
                  {"description", info.description},
                  {"task", request.task.empty() ? info.task : request.task},
                  {"format", info.format},
                  {"file", pieces[0].name},
                  {"licence", info.license},
                  {"source", request.source},
                  {"sha256", hash}};
    Json beside = Json::array();
    for (const StoredFile& piece : pieces.subspan(1)) {
        SLUICE_TRY_ASSIGN(const std::string its_hash, sha256(piece.bytes.bytes));
        beside.push_back({{"name", piece.name}, {"sha256", its_hash}});
    }
    manifest["beside"] = std::move(beside);
    if (!request.load.dimensions.empty()) {
        manifest["dimensions"] = request.load.dimensions;
    }
    manifest["inputs"] = tensors_of(model.graph.inputs(), model.graph);
    manifest["outputs"] = tensors_of(model.graph.outputs(), model.graph);
    if (info.normalization) {
        const auto [mean, std] = *info.normalization;
        manifest["range"] = {-mean / std, (kMaxCode - mean) / std};
    }
    if (!info.labels.empty()) {
        manifest["labels"] = info.labels;
    }
    return manifest;
}

std::optional<Manifest> read_manifest(const fs::path& folder) {
    const auto file = map_file(folder / kManifestFile);
    if (!file || file->bytes.size() > kMaxManifestBytes) {
        return std::nullopt;
    }
    const auto* const text = reinterpret_cast<const char*>(file->bytes.data());
    const Json document = Json::parse(text, text + file->bytes.size(), nullptr, false);
    if (!document.is_object()) {
        return std::nullopt;
    }
    Manifest manifest;
    manifest.name = folder.filename().string();
    manifest.title = text_at(document, "title");
    manifest.task = text_at(document, "task");
    manifest.format = text_at(document, "format");
    manifest.file = text_at(document, "file");
    manifest.licence = text_at(document, "licence");
    manifest.source = text_at(document, "source");
    manifest.sha256 = text_at(document, "sha256");
    manifest.anchors = text_at(document, "anchors");
    manifest.activation = text_at(document, "activation");
    manifest.folder = folder;
    const auto range = document.find("range");
    manifest.has_range = range != document.end() && range->is_array() && range->size() == 2 &&
                         (*range)[0].is_number() && (*range)[1].is_number();
    if (manifest.has_range) {
        manifest.low = (*range)[0].get<float>();
        manifest.high = (*range)[1].get<float>();
    }
    if (const auto labels = document.find("labels"); labels != document.end()) {
        for (const Json& label : *labels) {
            manifest.labels.push_back(label.is_string() ? label.get<std::string>() : "");
        }
    }
    if (const auto beside = document.find("beside"); beside != document.end()) {
        for (const Json& entry : *beside) {
            if (entry.is_object()) {
                manifest.beside.push_back({text_at(entry, "name"), text_at(entry, "sha256")});
            }
        }
    }
    if (const auto sizes = document.find("dimensions"); sizes != document.end()) {
        for (const auto& [dimension, size] : sizes->items()) {
            if (size.is_number_unsigned()) {
                manifest.dimensions.emplace(dimension, size.get<std::uint32_t>());
            }
        }
    }
    // A file beside the manifest, by name.
    const bool whole = is_model_name(manifest.name) && manifest.sha256.size() == 64 &&
                       !manifest.file.empty() && !manifest.file.contains('/');
    return whole ? std::optional(std::move(manifest)) : std::nullopt;
}

} // namespace sluice::models
