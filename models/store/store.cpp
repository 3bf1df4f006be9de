// SPDX-License-Identifier: Apache-2.0
// Finding, verifying and opening models by name.
#include "models/store/store.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <numeric>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/confidential.h"
#include "core/base/result.h"
#include "models/loaders/file_hash.h"
#include "models/loaders/loader.h"
#include "models/loaders/modelinfo.h"
#include "models/store/model_key.h"
#include "models/store/seal.h"
#include "models/store/user_store.h"
#include "models/store/zoo_table.h"

namespace sluice::models {
namespace {

namespace fs = std::filesystem;

// Insertions, deletions and replacements that turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

// Up to three zoo names that are nearly `name`, or that contain it, the closest first.
std::vector<std::string_view> similar_names(std::string_view name) {
    std::vector<std::pair<std::size_t, std::string_view>> found;
    const std::size_t limit = std::max<std::size_t>(2, name.size() / 3);
    if (name.empty() || name.size() > 100) {
        return {};
    }
    for (const Manifest& manifest : zoo()) {
        const std::size_t distance = edit_distance(name, manifest.name);
        if (distance <= limit || manifest.name.contains(name)) {
            found.emplace_back(distance, manifest.name);
        }
    }
    std::ranges::sort(found);
    std::vector<std::string_view> names;
    for (const auto& [distance, similar] : found | std::views::take(3)) {
        names.push_back(similar);
    }
    return names;
}

std::string joined(const auto& items, std::string_view separator) {
    std::string text;
    for (const auto& item : items) {
        text += (text.empty() ? std::string_view() : separator);
        text += std::string_view(item);
    }
    return text;
}

std::string searched_folders() {
    std::vector<std::string> folders;
    for (const fs::path& folder : search_path()) {
        folders.push_back(folder.string());
    }
    return folders.empty() ? "no folder: neither SLUICE_MODEL_PATH nor HOME is set"
                           : joined(folders, ", ");
}

bool is_file(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored) && !fs::is_directory(path, ignored);
}

// A model of the user: it lies where its manifest does.
Result<ResolvedModel> resolve_added(const Manifest& manifest) {
    const fs::path path = manifest.folder / manifest.file;
    SLUICE_TRY(verify_file(manifest, path));
    return ResolvedModel{.path = path, .manifest = &manifest};
}

Result<ResolvedModel> resolve_manifest(const Manifest& manifest) {
    if (!manifest.folder.empty()) {
        return resolve_added(manifest);
    }
    for (const fs::path& folder : search_path()) {
        const fs::path path = folder / manifest.file;
        if (is_file(path)) {
            SLUICE_TRY(verify_file(manifest, path));
            return ResolvedModel{.path = path, .manifest = &manifest};
        }
    }
    return fail(
        ErrorCode::NotFound,
        "model '{}' is not on this machine: no {} in {}; fetch it with './dev shell true', or add "
        "its folder to SLUICE_MODEL_PATH",
        manifest.name, manifest.file, searched_folders());
}

// A small text file; beyond a limit it is none.
std::string_view text_of(const FileBytes& file) {
    constexpr std::size_t kMaxBytes = std::size_t{1} << 20U;
    return file.bytes.size() > kMaxBytes
               ? std::string_view()
               : std::string_view(reinterpret_cast<const char*>(file.bytes.data()),
                                  file.bytes.size());
}

// The key goes before anything is loaded.
Result<UnsealedModel> unseal_with(std::span<const std::byte> sealed, std::string_view key_source) {
    SLUICE_TRY_ASSIGN(const ModelKey key, read_model_key(key_source));
    return unseal(sealed, key);
}

// A file named on its own. One of the zoo's, by name and hash, keeps its manifest.
Result<ResolvedModel> resolve_path(const fs::path& path) {
    const std::string file = path.filename().string();
    const auto manifest = std::ranges::find(zoo(), file, &Manifest::file);
    if (manifest == zoo().end() || !verify_file(*manifest, path)) {
        return ResolvedModel{.path = path, .manifest = nullptr};
    }
    return ResolvedModel{.path = path, .manifest = &*manifest};
}

} // namespace

std::span<const Manifest> zoo() {
    static const std::vector<Manifest> manifests = zoo_manifests();
    return manifests;
}

const Manifest* find_manifest(std::string_view name) {
    const auto alias = std::ranges::find(zoo_aliases(), name, &ZooAlias::alias);
    if (alias != zoo_aliases().end()) {
        name = alias->name;
    }
    const auto found = std::ranges::find(zoo(), name, &Manifest::name);
    return found == zoo().end() ? find_added(name) : &*found;
}

std::vector<std::filesystem::path> search_path() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
        return std::string_view(value == nullptr ? "" : value);
    };
    std::vector<fs::path> folders;
    for (const auto part : std::views::split(variable("SLUICE_MODEL_PATH"), ':')) {
        if (!part.empty()) {
            folders.emplace_back(std::string_view(part));
        }
    }
    // The base directory specification wants relative values ignored.
    const fs::path cache = variable("XDG_CACHE_HOME");
    const fs::path home = variable("HOME");
    if (cache.is_absolute()) {
        folders.push_back(cache / "sluice" / "models");
    } else if (!home.empty()) {
        folders.push_back(home / ".cache" / "sluice" / "models");
    }
    return folders;
}

Result<ResolvedModel> resolve(std::string_view model) {
    if (model.empty()) {
        return fail(ErrorCode::InvalidArgument,
                    "no model is named: give the name of a zoo model or the path of a file");
    }
    if (const Manifest* manifest = find_manifest(model); manifest != nullptr) {
        return resolve_manifest(*manifest);
    }
    const fs::path path(model);
    std::error_code ignored;
    if (fs::exists(path, ignored)) {
        return resolve_path(path);
    }
    const auto similar = similar_names(model);
    const std::string hint =
        similar.empty() ? std::format("the zoo has {}",
                                      joined(zoo() | std::views::transform(&Manifest::name), ", "))
                        : std::format("did you mean {}?", joined(similar, " or "));
    return fail(
        ErrorCode::NotFound,
        "no model '{}': neither a file nor a model of the zoo; {} (zoo models are looked for "
        "in {} and fetched with './dev shell true')",
        model, hint, searched_folders());
}

Status verify_file(const Manifest& manifest, const std::filesystem::path& path) {
    SLUICE_TRY_ASSIGN(const FileBytes file, map_file(path));
    SLUICE_TRY_ASSIGN(const std::string hash, sha256(file.bytes));
    if (hash != manifest.sha256) {
        return fail(ErrorCode::Parse,
                    "{} is not the {} of the {}: its SHA-256 is {}, {} is expected; {}",
                    path.string(), manifest.name, manifest.folder.empty() ? "zoo" : "store", hash,
                    manifest.sha256,
                    manifest.folder.empty() ? "fetch it again with './dev shell true'"
                                            : "remove its folder and add it again");
    }
    for (const Manifest::File& expected : manifest.beside) {
        SLUICE_TRY_ASSIGN(const FileBytes beside, map_file(path.parent_path() / expected.name));
        SLUICE_TRY_ASSIGN(const std::string its_hash, sha256(beside.bytes));
        if (its_hash != expected.sha256) {
            return fail(ErrorCode::Parse,
                        "{} of the model {} has the SHA-256 {}, {} is expected; remove the model's "
                        "folder and add it again",
                        expected.name, manifest.name, its_hash, expected.sha256);
        }
    }
    return {};
}

Result<LoadedModel> open_file(const std::filesystem::path& path, const LoadOptions& options) {
    SLUICE_TRY_ASSIGN(const FileBytes file, map_file(path));
    const std::string name = path.filename().string();
    if (!is_sealed(file.bytes)) {
        SLUICE_TRY_ASSIGN(LoadedModel loaded, load_model(path, options));
        if (const auto sidecar = find_modelinfo(path)) {
            SLUICE_TRY_ASSIGN(const FileBytes text, map_file(*sidecar));
            apply_modelinfo(text_of(text), loaded.info);
        }
        return loaded;
    }
    auto unsealed = unseal_with(file.bytes, options.key);
    if (!unsealed) {
        return std::unexpected(std::move(unsealed).error().within("opening " + name));
    }
    LoadOptions inside = options;
    inside.folder.clear();
    inside.files = std::move(unsealed->files);
    SLUICE_TRY_ASSIGN(LoadedModel loaded, load_model(unsealed->model, unsealed->name, inside));
    // What loaders converted lies in memory of its own.
    for (const auto& operand : loaded.graph.operands()) {
        mark_confidential(operand.data.owner);
    }
    if (const auto sidecar = inside.files.find(unsealed->name + ".modelinfo");
        sidecar != inside.files.end()) {
        apply_modelinfo(text_of(sidecar->second), loaded.info);
    }
    return loaded;
}

Result<StoredModel> open_model(std::string_view model, const LoadOptions& options) {
    SLUICE_TRY_ASSIGN(ResolvedModel source, resolve(model));
    LoadOptions sized = options;
    if (source.manifest != nullptr) {
        sized.dimensions.insert(source.manifest->dimensions.begin(),
                                source.manifest->dimensions.end()); // the caller's win
    }
    SLUICE_TRY_ASSIGN(LoadedModel loaded, open_file(source.path, sized));
    return StoredModel{.model = std::move(loaded), .source = std::move(source)};
}

} // namespace sluice::models
