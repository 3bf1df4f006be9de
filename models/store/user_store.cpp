// SPDX-License-Identifier: Apache-2.0
// Adding models to the user's store, and reading its manifests.
#include "models/store/user_store.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <format>
#include <fstream>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "models/loaders/file_hash.h"
#include "models/loaders/loader.h"
#include "models/loaders/modelinfo.h"
#include "models/loaders/side_file.h"
#include "models/loaders/text.h"
#include "models/store/seal.h"
#include "models/store/store.h"

namespace sluice::models {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kManifestFile = "manifest.json";
constexpr std::size_t kMaxManifestBytes = std::size_t{8} << 20U;
constexpr float kMaxCode = 255.0F;

std::string_view variable(const char* name) {
    const char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? "" : value;
}

// Names are folders and words of command lines.
bool is_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    return !name.empty() && name.size() <= 100 && name.front() != '.' &&
           std::ranges::all_of(name, fits);
}

std::string name_from(const fs::path& file) {
    std::string name = file.stem().string();
    for (char& c : name) {
        const auto byte = static_cast<unsigned char>(c);
        c = std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.'
                ? static_cast<char>(std::tolower(byte))
                : '-';
    }
    return name;
}

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

// A file of the model: where it comes from and what it is called in the store.
struct Piece {
    std::string name;
    FileBytes bytes;
};

Result<std::vector<Piece>> pieces_of(const fs::path& file) {
    std::vector<Piece> pieces;
    SLUICE_TRY_ASSIGN(FileBytes model, map_file(file));
    const std::string name = file.filename().string();
    pieces.push_back({.name = name, .bytes = model});
    if (!is_sealed(model.bytes)) {
        SLUICE_TRY_ASSIGN(const auto beside, side_files(model.bytes, name));
        LoadOptions options;
        options.folder = file.has_parent_path() ? file.parent_path() : ".";
        for (const std::string& path : beside) {
            auto mapped = map_side_file(options, path);
            if (!mapped) {
                return std::unexpected(std::move(mapped).error().within(name));
            }
            pieces.push_back({.name = path, .bytes = std::move(*mapped)});
        }
    }
    if (const auto sidecar = find_modelinfo(file)) {
        SLUICE_TRY_ASSIGN(FileBytes mapped, map_file(*sidecar));
        pieces.push_back({.name = name + ".modelinfo", .bytes = std::move(mapped)});
    }
    return pieces;
}

Result<Json> manifest_of(const AddRequest& request, const std::string& name,
                         std::span<const Piece> pieces, const LoadedModel& model) {
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
    for (const Piece& piece : pieces.subspan(1)) {
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

Status write(const fs::path& path, std::span<const std::byte> bytes) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (error || !file) {
        return fail(ErrorCode::Io, "cannot write {}", path.string());
    }
    return {};
}

Status write_all(const fs::path& folder, std::span<const Piece> pieces, const Json& manifest) {
    for (const Piece& piece : pieces) {
        const fs::path relative = fs::path(piece.name).lexically_normal();
        if (relative.is_absolute() || relative.empty() || *relative.begin() == ".." ||
            relative == kManifestFile) {
            return fail(ErrorCode::Unsupported, "a file of the model is called '{}'",
                        clean_text(piece.name));
        }
        SLUICE_TRY(write(folder / relative, piece.bytes.bytes));
    }
    const std::string text = manifest.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    return write(folder / kManifestFile, std::as_bytes(std::span(text)));
}

// A folder that goes when it is not wanted in the end.
class Partial {
public:
    explicit Partial(fs::path path) : path_(std::move(path)) {}
    Partial(const Partial&) = delete;
    Partial& operator=(const Partial&) = delete;
    ~Partial() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

std::string text_at(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// What add_model() wrote, or a person since; nothing where it does not describe a model.
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
    const bool whole = is_name(manifest.name) && manifest.sha256.size() == 64 &&
                       !manifest.file.empty() && !manifest.file.contains('/');
    return whole ? std::optional(std::move(manifest)) : std::nullopt;
}

// Manifests that were handed out, which callers keep pointers to. One that is read again and equal
// is not kept twice.
const Manifest* keep(Manifest manifest) {
    static std::mutex lock;
    static std::deque<Manifest> kept; // guarded by lock; its elements stay where they are
    const std::scoped_lock held(lock);
    const auto same = [&](const Manifest& other) {
        return other.folder == manifest.folder && other.sha256 == manifest.sha256 &&
               other.task == manifest.task && other.labels == manifest.labels &&
               other.file == manifest.file && other.title == manifest.title &&
               other.has_range == manifest.has_range && other.low == manifest.low &&
               other.high == manifest.high && other.anchors == manifest.anchors &&
               other.licence == manifest.licence && other.source == manifest.source &&
               other.activation == manifest.activation && other.dimensions == manifest.dimensions &&
               other.format == manifest.format &&
               std::ranges::equal(other.beside, manifest.beside, [](const auto& a, const auto& b) {
                   return a.name == b.name && a.sha256 == b.sha256;
               });
    };
    const auto found = std::ranges::find_if(kept, same);
    return found != kept.end() ? &*found : &kept.emplace_back(std::move(manifest));
}

} // namespace

Result<std::filesystem::path> user_store() {
    // The base directory specification wants relative values ignored.
    if (const fs::path data = variable("XDG_DATA_HOME"); data.is_absolute()) {
        return data / "sluice" / "models";
    }
    if (const fs::path home = variable("HOME"); home.is_absolute()) {
        return home / ".local" / "share" / "sluice" / "models";
    }
    return fail(ErrorCode::NotFound,
                "there is no place for a store: neither XDG_DATA_HOME nor HOME is set");
}

Result<const Manifest*> add_model(const AddRequest& request) {
    SLUICE_TRY_ASSIGN(const fs::path store, user_store());
    const std::string name = request.name.empty() ? name_from(request.file) : request.name;
    if (!is_name(name)) {
        return fail(ErrorCode::InvalidArgument,
                    "'{}' is no name for a model: small letters, digits, '-', '_' and '.' are; "
                    "give another with --name",
                    clean_text(name));
    }
    std::error_code error;
    if (find_manifest(name) != nullptr || fs::exists(store / name, error)) {
        return fail(ErrorCode::InvalidArgument,
                    "there is a model '{}' already; give another name with --name{}", name,
                    fs::exists(store / name, error) ? ", or remove " + (store / name).string()
                                                    : std::string(", for the zoo has it"));
    }
    SLUICE_TRY_ASSIGN(const auto pieces, pieces_of(request.file));
    SLUICE_TRY_ASSIGN(const LoadedModel model, open_file(request.file, request.load));
    SLUICE_TRY_ASSIGN(const Json manifest, manifest_of(request, name, pieces, model));
    const Partial partial(store / std::format(".{}.{}.partial", name, ::getpid()));
    SLUICE_TRY(write_all(partial.path(), pieces, manifest));
    fs::rename(partial.path(), store / name, error);
    if (error) {
        return fail(ErrorCode::Io, "cannot put the model into {}: {}", (store / name).string(),
                    error.message());
    }
    const Manifest* const added = find_added(name);
    if (added == nullptr) {
        return fail(ErrorCode::Io, "cannot read {} again", (store / name).string());
    }
    return added;
}

const Manifest* find_added(std::string_view name) {
    const auto store = user_store();
    if (!store || !is_name(name)) {
        return nullptr;
    }
    auto manifest = read_manifest(*store / name);
    return manifest ? keep(std::move(*manifest)) : nullptr;
}

std::vector<const Manifest*> added_models() {
    std::vector<const Manifest*> found;
    const auto store = user_store();
    if (!store) {
        return found;
    }
    std::error_code error;
    for (fs::directory_iterator entry(*store, error), end; !error && entry != end;
         entry.increment(error)) {
        if (const Manifest* manifest = find_added(entry->path().filename().string())) {
            found.push_back(manifest);
        }
    }
    std::ranges::sort(found, {}, &Manifest::name);
    return found;
}

} // namespace sluice::models
