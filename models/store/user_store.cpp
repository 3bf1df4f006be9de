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
#include "models/store/user_manifest.h"

namespace sluice::models {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string_view variable(const char* name) {
    const char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? "" : value;
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

Result<std::vector<StoredFile>> pieces_of(const fs::path& file) {
    std::vector<StoredFile> pieces;
    SLUICE_TRY_ASSIGN(const FileBytes model, map_file(file));
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

Status write_all(const fs::path& folder, std::span<const StoredFile> pieces,
                 const nlohmann::ordered_json& manifest) {
    for (const StoredFile& piece : pieces) {
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
    if (!is_model_name(name)) {
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
    if (!store || !is_model_name(name)) {
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
