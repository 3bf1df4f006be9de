// SPDX-License-Identifier: Apache-2.0
// The zoo and the stores: names of models to manifests to verified files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/loader.h"

namespace sluice::models {

// One manifest: of models/zoo, compiled into the library, or of a model that the user added.
struct Manifest {
    std::string name;    // "face-detection-short-range"
    std::string title;   // one line for people
    std::string task;    // "face-detection", "segmentation", "super-resolution"
    std::string format;  // "tflite", "anime4k"
    std::string file;    // name of the file in the store
    std::string licence; // SPDX
    std::string
        source; // "npm @mediapipe/face_detection 0.4.1657300184, face_detection_short_range.tflite"
    std::string sha256;
    std::uint32_t width = 0; // of the input; 0: any
    std::uint32_t height = 0;
    float low = 0.0F; // the input's range
    float high = 1.0F;
    std::string anchors;    // of face detectors: "short-range", "full-range"
    std::string activation; // of segmentation outputs: "none" (already 0..1), "softmax"
    std::vector<std::string> labels;
    // What models of the user have otherwise: a range may be left open, for the file to say, and
    // the files lie in a folder of the model's own, some beside its first.
    bool has_range = true;
    std::filesystem::path folder; // empty: the zoo's, anywhere in search_path()
    struct File {
        std::string name;
        std::string sha256;
    };
    std::vector<File> beside;
    std::map<std::string, std::uint32_t> dimensions; // sizes for those that the file only names
};

// All models of the zoo, sorted by name.
[[nodiscard]] std::span<const Manifest> zoo();
// The manifest of this name (aliases such as "anime4k-x2-s" resolve to "anime4k-x2-s-rl"); the
// zoo's, else the user's. It lives as long as the process.
[[nodiscard]] const Manifest* find_manifest(std::string_view name);

// Folders that are searched for model files: those of $SLUICE_MODEL_PATH (colon separated), then
// $XDG_CACHE_HOME/sluice/models (or ~/.cache/sluice/models).
[[nodiscard]] std::vector<std::filesystem::path> search_path();

struct ResolvedModel {
    std::filesystem::path path;
    const Manifest* manifest = nullptr; // null for a path outside zoo and store
};

// A zoo name, the name of a model that the user added, or a path. A file whose name and hash equal
// a zoo entry's gets its manifest too. NotFound lists where was looked, the closest zoo names, and
// how to fetch.
[[nodiscard]] Result<ResolvedModel> resolve(std::string_view model);

// Hashes the file and compares it with its manifest; Parse names both hashes.
[[nodiscard]] Status verify_file(const Manifest& manifest, const std::filesystem::path& path);

// load_model(), and resolve() before it. A sealed model is opened with the key that `options`
// names, into memory only; what a .modelinfo beside the file says wins over the file.
[[nodiscard]] Result<LoadedModel> open_file(const std::filesystem::path& path,
                                            const LoadOptions& options = {});
struct StoredModel {
    LoadedModel model;
    ResolvedModel source;
};
[[nodiscard]] Result<StoredModel> open_model(std::string_view model,
                                             const LoadOptions& options = {});

} // namespace sluice::models
