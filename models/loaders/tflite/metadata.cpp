// SPDX-License-Identifier: Apache-2.0
// Reading of TFLite metadata and of the label files in the appended archive.
#include "models/loaders/tflite/metadata.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <zip.h>

#include "models/loaders/loader.h"
#include "models/loaders/text.h"
#include "models/loaders/tflite/file.h"
#include "models/loaders/tflite/metadata_generated.h"

namespace sluice::models::tflite {
namespace {

constexpr std::size_t kMaxTextBytes = 4096;
constexpr std::size_t kMaxLabelFileBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxLabels = 65536;

std::string text_of(const flatbuffers::String* text) {
    return text == nullptr ? std::string() : clean_text(text->string_view(), kMaxTextBytes);
}

// The metadata's own FlatBuffer, verified; null where the file has none.
const metadata::ModelMetadata* find_metadata(const File& file) {
    const auto* entries = file.model().metadata();
    if (entries == nullptr) {
        return nullptr;
    }
    for (const auto* entry : *entries) {
        if (entry->name() == nullptr || entry->name()->string_view() != "TFLITE_METADATA") {
            continue;
        }
        const auto bytes = file.buffer(entry->buffer());
        if (!bytes || bytes->empty()) {
            return nullptr;
        }
        const auto* data = reinterpret_cast<const std::uint8_t*>(bytes->data());
        flatbuffers::Verifier::Options options;
        options.max_depth = 16;
        options.max_tables = 10'000;
        flatbuffers::Verifier verifier(data, bytes->size(), options);
        return metadata::VerifyModelMetadataBuffer(verifier) ? metadata::GetModelMetadata(data)
                                                             : nullptr;
    }
    return nullptr;
}

// The normalisation of a tensor, where it is one for all channels.
std::optional<Normalization> normalization_of(const metadata::TensorMetadata& tensor) {
    if (tensor.process_units() == nullptr) {
        return std::nullopt;
    }
    for (const auto* unit : *tensor.process_units()) {
        const auto* options = unit->options_as_NormalizationOptions();
        if (options == nullptr || options->mean() == nullptr || options->std() == nullptr) {
            continue;
        }
        const auto same = [](const flatbuffers::Vector<float>& values) {
            for (const float value : values) {
                if (!std::isfinite(value) || value != values.Get(0)) {
                    return false;
                }
            }
            return values.size() > 0;
        };
        if (same(*options->mean()) && same(*options->std()) && options->std()->Get(0) != 0.0F) {
            return Normalization{.mean = options->mean()->Get(0), .std = options->std()->Get(0)};
        }
    }
    return std::nullopt;
}

// The name of the label file without a locale that the tensor refers to, or of its first one.
std::string label_file_of(const metadata::TensorMetadata& tensor) {
    std::string found;
    if (tensor.associated_files() == nullptr) {
        return found;
    }
    for (const auto* entry : *tensor.associated_files()) {
        const bool is_labels = entry->type() == metadata::AssociatedFileType::TENSOR_AXIS_LABELS ||
                               entry->type() == metadata::AssociatedFileType::TENSOR_VALUE_LABELS;
        if (!is_labels || entry->name() == nullptr) {
            continue;
        }
        const bool has_locale = entry->locale() != nullptr && entry->locale()->size() > 0;
        if (found.empty() || !has_locale) {
            found = entry->name()->str();
        }
        if (!has_locale) {
            break;
        }
    }
    return found;
}

struct DiscardZip {
    void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseZipFile {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
};

// A member of the archive appended to the file; empty where there is none of a sane size.
std::string read_member(std::span<const std::byte> bytes, const std::string& name) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    if (source == nullptr) {
        zip_error_fini(&error);
        return {};
    }
    const std::unique_ptr<zip_t, DiscardZip> archive(
        zip_open_from_source(source, ZIP_RDONLY, &error));
    zip_error_fini(&error);
    if (archive == nullptr) {
        zip_source_free(source); // an opened archive owns it
        return {};
    }
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat(archive.get(), name.c_str(), 0, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0 ||
        stat.size > kMaxLabelFileBytes) {
        return {};
    }
    const std::unique_ptr<zip_file_t, CloseZipFile> member(
        zip_fopen(archive.get(), name.c_str(), 0));
    std::string text(stat.size, '\0');
    if (member == nullptr || zip_fread(member.get(), text.data(), text.size()) !=
                                 static_cast<zip_int64_t>(text.size())) {
        return {};
    }
    return text;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty() && lines.size() < kMaxLabels) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        lines.push_back(clean_text(line));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

} // namespace

ModelInfo read_metadata(const File& file) {
    ModelInfo info;
    info.format = "tflite";
    info.description = text_of(file.model().description());
    const metadata::ModelMetadata* metadata = find_metadata(file);
    if (metadata == nullptr) {
        return info;
    }
    info.name = text_of(metadata->name());
    info.license = text_of(metadata->license());
    if (metadata->description() != nullptr && metadata->description()->size() > 0) {
        info.description = text_of(metadata->description());
    }
    const auto* graphs = metadata->subgraph_metadata();
    if (graphs == nullptr || graphs->size() == 0) {
        return info;
    }
    const auto& graph = *graphs->Get(0);
    if (graph.input_tensor_metadata() != nullptr && graph.input_tensor_metadata()->size() > 0) {
        info.normalization = normalization_of(*graph.input_tensor_metadata()->Get(0));
    }
    if (graph.output_tensor_metadata() != nullptr) {
        for (const auto* tensor : *graph.output_tensor_metadata()) {
            const std::string name = label_file_of(*tensor);
            if (!name.empty()) {
                info.labels = lines_of(read_member(file.bytes(), name));
                break;
            }
        }
    }
    return info;
}

} // namespace sluice::models::tflite
