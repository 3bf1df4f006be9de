// SPDX-License-Identifier: Apache-2.0
// The manifest of a model in the user's store, as JSON.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "models/loaders/loader.h"
#include "models/store/store.h"
#include "models/store/user_store.h"

namespace sluice::models {

inline constexpr std::string_view kManifestFile = "manifest.json";

// Names are folders and words of command lines.
[[nodiscard]] bool is_model_name(std::string_view name);

// A file of the model: where it comes from and what it is called in the store.
struct StoredFile {
    std::string name;
    FileBytes bytes;
};

// The first of the files is the model.
[[nodiscard]] Result<nlohmann::ordered_json> manifest_of(const AddRequest& request,
                                                         const std::string& name,
                                                         std::span<const StoredFile> pieces,
                                                         const LoadedModel& model);

// What add_model() wrote, or a person since; nothing where it does not describe a model.
[[nodiscard]] std::optional<Manifest> read_manifest(const std::filesystem::path& folder);

} // namespace sluice::models
