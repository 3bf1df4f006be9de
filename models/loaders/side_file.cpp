// SPDX-License-Identifier: Apache-2.0
// Confinement of a model's files to its folder.
#include "models/loaders/side_file.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include "core/base/result.h"
#include "models/loaders/loader.h"
#include "models/loaders/text.h"

namespace sluice::models {

Result<FileBytes> map_side_file(const std::filesystem::path& folder, const std::string& path) {
    const std::string shown = clean_text(path);
    if (folder.empty()) {
        return fail(ErrorCode::Unsupported,
                    "its data is in the file '{}'; load the model from a path, beside that file",
                    shown);
    }
    if (path.empty() || path.contains('\0') || std::filesystem::path(path).is_absolute()) {
        return fail(ErrorCode::Parse, "data in '{}', which is no relative path", shown);
    }
    std::error_code error;
    const auto root = std::filesystem::canonical(folder, error);
    if (error) {
        return fail(ErrorCode::Io, "cannot find the model's folder: {}", error.message());
    }
    const auto full = std::filesystem::canonical(root / path, error);
    if (error) {
        return fail(ErrorCode::NotFound, "data in '{}': {}", shown, error.message());
    }
    const auto [end, rest] = std::ranges::mismatch(root, full);
    if (end != root.end()) {
        return fail(ErrorCode::Parse, "data in '{}', which is outside the model's folder", shown);
    }
    return map_file(full);
}

Result<FileBytes> map_side_file(const LoadOptions& options, const std::string& path) {
    if (options.files.empty()) {
        return map_side_file(options.folder, path);
    }
    const auto found = options.files.find(path);
    if (found == options.files.end()) {
        return fail(ErrorCode::NotFound, "data in '{}', which is not among the model's {} files",
                    clean_text(path), options.files.size());
    }
    return found->second;
}

} // namespace sluice::models
