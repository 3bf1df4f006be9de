// SPDX-License-Identifier: Apache-2.0
// The user's store: models that were added by name, each in a folder with its manifest.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/loader.h"
#include "models/store/store.h"

namespace sluice::models {

// $XDG_DATA_HOME/sluice/models, else ~/.local/share/sluice/models; NotFound where neither is set.
[[nodiscard]] Result<std::filesystem::path> user_store();

struct AddRequest {
    std::filesystem::path file;
    std::string name;   // empty: that of the file, in small letters
    std::string source; // for the manifest: "npm some-package 1.0.0, model.tflite"
    std::string task;   // empty: what the file says
    LoadOptions load;   // sizes that the file leaves open; the key of a sealed model
};

// Copies the model and the files beside it into the store and writes manifest.json: hashes, inputs,
// outputs, and what the file says about itself. A model that cannot be loaded is refused, and so is
// a name that is taken. Nothing is left behind by a failure.
[[nodiscard]] Result<const Manifest*> add_model(const AddRequest& request);

// The manifest of a model in the store; null where there is none, or none that can be read. Read
// anew every time; what has been handed out stays as it was.
[[nodiscard]] const Manifest* find_added(std::string_view name);
// All of them, sorted by name.
[[nodiscard]] std::vector<const Manifest*> added_models();

} // namespace sluice::models
