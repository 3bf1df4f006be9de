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
    if (folder.empty()) {
        return fail(ErrorCode::Unsupported,
                    "its weights are in '{}', and a model in memory has no files beside it",
                    clean_text(path));
    }
    if (path.empty() || path.find('\0') != std::string::npos) {
        return fail(ErrorCode::Parse, "a file beside the model has no name");
    }
    std::error_code error;
    const std::filesystem::path root = std::filesystem::canonical(folder, error);
    if (error) {
        return fail(ErrorCode::Io, "cannot examine {}: {}", folder.string(), error.message());
    }
    const std::filesystem::path full = std::filesystem::weakly_canonical(root / path, error);
    if (error) {
        return fail(ErrorCode::Io, "cannot examine '{}': {}", clean_text(path), error.message());
    }
    const auto [end, rest] = std::ranges::mismatch(root, full);
    if (end != root.end()) {
        return fail(ErrorCode::Unsupported, "'{}' leads out of the model's folder",
                    clean_text(path));
    }
    return map_file(full);
}

} // namespace sluice::models
