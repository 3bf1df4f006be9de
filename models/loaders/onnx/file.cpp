// SPDX-License-Identifier: Apache-2.0
// Sniffing and parsing of .onnx files, and their metadata.
#include "models/loaders/onnx/file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/loader.h"
#include "models/loaders/text.h"

namespace sluice::models::onnx {
namespace {

// Before 7, operators broadcast by attributes; after 24 is what this code has not seen.
constexpr std::int64_t kOldestOpset = 7;
constexpr std::int64_t kNewestOpset = 24;

constexpr std::size_t kMaxLabels = 100'000;

// A varint at the front of `bytes`, which is moved behind it.
std::optional<std::uint64_t> read_varint(std::span<const std::byte>& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
        const auto byte = std::to_integer<std::uint64_t>(bytes[0]);
        bytes = bytes.subspan(1);
        value |= (byte & 0x7FU) << shift;
        if ((byte & 0x80U) == 0) {
            return value;
        }
    }
    return std::nullopt;
}

std::optional<float> parse_float(std::string_view text) {
    float value = 0.0F;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
}

// "a,b" or "a\nb"; the mapping "{0: 'a', 1: 'b'}" that some exporters write.
std::vector<std::string> parse_labels(std::string_view text) {
    std::vector<std::string> labels;
    if (text.starts_with('{')) {
        // Every second text between quotes or after a colon would need a parser; only what stands
        // in quotes is taken.
        for (std::size_t at = text.find_first_of("'\""); at != std::string_view::npos;
             at = text.find_first_of("'\"", at)) {
            const std::size_t end = text.find(text[at], at + 1);
            if (end == std::string_view::npos || labels.size() == kMaxLabels) {
                break;
            }
            labels.push_back(clean_text(text.substr(at + 1, end - at - 1)));
            at = end + 1;
        }
        return labels;
    }
    const char separator = text.contains('\n') ? '\n' : ',';
    while (!text.empty() && labels.size() < kMaxLabels) {
        const std::size_t end = std::min(text.find(separator), text.size());
        std::string_view label = text.substr(0, end);
        label.remove_prefix(std::min(label.find_first_not_of(" \r"), label.size()));
        while (label.ends_with('\r') || label.ends_with(' ')) {
            label.remove_suffix(1);
        }
        labels.push_back(clean_text(label));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return labels;
}

// The files of a tensor's, a graph's external data. Protobuf bounds how deep graphs nest.
void add_files(const schema::Tensor& tensor, std::vector<std::string>& files) {
    if (tensor.data_location() == 1) {
        for (const auto& entry : tensor.external_data()) {
            if (entry.key() == "location") {
                files.push_back(entry.value());
            }
        }
    }
}

void add_files(const schema::Graph& graph, // NOLINT(misc-no-recursion)
               std::vector<std::string>& files) {
    for (const schema::Tensor& tensor : graph.initializer()) {
        add_files(tensor, files);
    }
    for (const schema::Node& node : graph.node()) {
        for (const schema::Attribute& attribute : node.attribute()) {
            add_files(attribute.t(), files);
            if (attribute.has_g()) {
                add_files(attribute.g(), files);
            }
        }
    }
}

} // namespace

// Model's fields in any order, up to the graph: the version first or later, texts and numbers.
bool is_onnx(std::span<const std::byte> bytes) {
    constexpr std::uint64_t kVersion = (1U << 3U) | 0U;
    constexpr std::uint64_t kModelVersion = (5U << 3U) | 0U;
    constexpr std::uint64_t kGraph = (7U << 3U) | 2U;
    constexpr std::uint64_t kTexts[] = {2, 3, 4, 6, 8, 14, 20, 25, 26};
    bool versioned = false;
    for (std::size_t fields = 0; !bytes.empty() && fields < 1000; ++fields) {
        const auto tag = read_varint(bytes);
        const auto value = read_varint(bytes);
        if (!tag || !value) {
            return versioned;
        }
        if (*tag == kGraph) {
            return versioned || *value <= bytes.size();
        }
        if (*tag == kVersion || *tag == kModelVersion) {
            versioned = versioned || (*tag == kVersion && *value > 0 && *value < 1000);
            continue;
        }
        if ((*tag & 7U) != 2 || !std::ranges::contains(kTexts, *tag >> 3U)) {
            return false;
        }
        if (*value > bytes.size()) {
            return versioned;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(*value));
    }
    return versioned;
}

Result<std::shared_ptr<const schema::Model>> parse(std::span<const std::byte> bytes) {
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        return fail(ErrorCode::Unsupported,
                    "{} bytes, more than protobuf can hold; store the weights as external data",
                    bytes.size());
    }
    auto model = std::make_shared<schema::Model>();
    if (!model->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return fail(ErrorCode::Parse, "it is no valid protobuf, or cut off");
    }
    if (!model->has_graph() || !model->has_ir_version()) {
        return fail(ErrorCode::Parse, "it has no {}", model->has_graph() ? "version" : "graph");
    }
    if (model->graph().output_size() == 0) {
        return fail(ErrorCode::Parse, "the graph has no outputs");
    }
    return model;
}

Result<std::int64_t> opset_version(const schema::Model& model) {
    for (const auto& set : model.opset_import()) {
        if (!set.domain().empty() && set.domain() != "ai.onnx") {
            continue; // operators of other domains are listed where they are used
        }
        if (set.version() < kOldestOpset || set.version() > kNewestOpset) {
            return fail(ErrorCode::Unsupported,
                        "operator set {}, those from {} to {} are supported; convert it with "
                        "onnx.version_converter",
                        set.version(), kOldestOpset, kNewestOpset);
        }
        return set.version();
    }
    if (model.opset_import_size() != 0) {
        return 0; // operators of other domains only
    }
    return fail(ErrorCode::Parse, "it does not say which operator set it uses");
}

ModelInfo read_info(const schema::Model& model) {
    ModelInfo info{.format = "onnx",
                   .name = clean_text(model.graph().name()),
                   .description = clean_text(model.doc_string().empty() ? model.graph().doc_string()
                                                                        : model.doc_string(),
                                             4096),
                   .license = {},
                   .task = {},
                   .normalization = {},
                   .labels = {}};
    std::optional<float> mean;
    std::optional<float> deviation;
    for (const auto& entry : model.metadata_props()) {
        const std::string& key = entry.key();
        if (key == "name") {
            info.name = clean_text(entry.value());
        } else if (key == "description") {
            info.description = clean_text(entry.value(), 4096);
        } else if (key == "license") {
            info.license = clean_text(entry.value());
        } else if (key == "task") {
            info.task = clean_text(entry.value());
        } else if (key == "labels" || key == "names") {
            info.labels = parse_labels(entry.value());
        } else if (key == "mean") {
            mean = parse_float(entry.value());
        } else if (key == "std") {
            deviation = parse_float(entry.value());
        }
    }
    // Metadata is advice: a deviation that nothing can be divided by counts as absent.
    const bool usable = std::isfinite(mean.value_or(0.0F)) &&
                        std::isfinite(deviation.value_or(1.0F)) && deviation != 0.0F;
    if ((mean || deviation) && usable) {
        info.normalization =
            Normalization{.mean = mean.value_or(0.0F), .std = deviation.value_or(1.0F)};
    }
    return info;
}

Result<std::vector<std::string>> side_files(std::span<const std::byte> bytes) {
    SLUICE_TRY_ASSIGN(const auto model, parse(bytes));
    std::vector<std::string> files;
    add_files(model->graph(), files);
    return files;
}

} // namespace sluice::models::onnx
