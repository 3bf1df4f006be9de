// SPDX-License-Identifier: Apache-2.0
// Loading of model files: the format is sniffed by content, the result is a graph and what the file
// says about itself. Loaders only make builder calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"

namespace sluice::models {

// How a picture becomes an input tensor, where the file says so: value = (code - mean) / std with
// codes 0..255.
struct Normalization {
    float mean = 0.0F;
    float std = 1.0F;
};

// What a file says about itself (TFLite metadata, ONNX metadata_props, JSON headers). Anything may
// be absent.
struct ModelInfo {
    std::string format; // "tflite", "onnx", "anime4k"
    std::string name;
    std::string description;
    std::string license;
    std::string task; // "segmentation"; as the manifests of the zoo call them
    std::optional<Normalization> normalization;
    std::vector<std::string> labels;
};

struct LoadedModel {
    graph::Graph graph;
    ModelInfo info;
    // The inputs that are constants now, because LoadOptions gave their values or numbers. Formats
    // in which no shape depends on a value leave them inputs.
    std::vector<std::string> bound;
};

// A file's bytes and what keeps them mapped; constants of the graph may point into them.
struct FileBytes {
    std::shared_ptr<const void> owner;
    std::span<const std::byte> bytes;
};

struct LoadOptions {
    // Size of the picture, for networks that take any (Anime4K). 0: a default of the format.
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    // Sizes of dimensions that the file calls by a name only ("batch"), and whole shapes of inputs;
    // the shapes win.
    std::map<std::string, std::uint32_t> dimensions;
    std::map<std::string, std::vector<std::uint32_t>> shapes;
    // Values of inputs on which shapes depend: such an input becomes a constant.
    std::map<std::string, graph::ConstantData> values;
    // The same as numbers of whatever type the input has: one for each element, or one for all.
    std::map<std::string, std::vector<double>> numbers;
    // Where the model lies, for files beside it. Empty: loaded from memory, there are none.
    std::filesystem::path folder;
    // The files beside the model by their names in it, where they are in memory like the model
    // (those of a sealed one): the folder is not looked at then.
    std::map<std::string, FileBytes> files;
    // Where the key of a sealed model is: the path of a file, "env:NAME" or "keyring:NAME". Empty:
    // what $SLUICE_MODEL_KEY names. Only open_model() looks at it.
    std::string key;
};

// Maps a file read-only. NotFound or Io names the path.
[[nodiscard]] Result<FileBytes> map_file(const std::filesystem::path& path);

// Loads from memory. `name` is for messages. Parse: malformed. Unsupported: well-formed, but lists
// every operator or format that we lack, with names and places, in one message.
[[nodiscard]] Result<LoadedModel> load_model(const FileBytes& file, std::string_view name,
                                             const LoadOptions& options = {});
[[nodiscard]] Result<LoadedModel> load_model(const std::filesystem::path& path,
                                             const LoadOptions& options = {});

// One row of the table of loaders.
struct LoaderEntry {
    std::string_view format; // "tflite"
    bool (*sniff)(std::span<const std::byte> bytes);
    Result<LoadedModel> (*load)(const FileBytes& file, const LoadOptions& options);
    // The names of the files beside this one that hold its weights; null: the format has none.
    Result<std::vector<std::string>> (*side_files)(std::span<const std::byte> bytes);
};
[[nodiscard]] std::span<const LoaderEntry> loaders();

// Every file that the model consists of beside this one, by the names it has for them, once each.
[[nodiscard]] Result<std::vector<std::string>> side_files(std::span<const std::byte> bytes,
                                                          std::string_view name);

} // namespace sluice::models
