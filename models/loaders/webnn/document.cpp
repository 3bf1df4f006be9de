// SPDX-License-Identifier: Apache-2.0
// Format and version, what the file says about itself, and its weights.
#include "models/loaders/webnn/document.h"

#include <cmath>
#include <string_view>
#include <utility>

#include "models/loaders/file_hash.h"
#include "models/loaders/side_file.h"
#include "models/loaders/text.h"
#include "models/loaders/webnn/format.h"
#include "models/loaders/webnn/reader.h"

namespace sluice::models::webnn {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20U; // bounds what parsing costs
constexpr std::size_t kMaxTextBytes = 4096;
constexpr std::size_t kMaxLabels = 65536;

} // namespace

Result<json> parse_document(std::span<const std::byte> bytes) {
    if (bytes.size() > kMaxFileBytes) {
        return fail(ErrorCode::Unsupported, "{} bytes of JSON, more than {}", bytes.size(),
                    kMaxFileBytes);
    }
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    json document = json::parse(text, text + bytes.size(), nullptr, false);
    if (document.is_discarded() || !document.is_object()) {
        return fail(ErrorCode::Parse, "malformed JSON");
    }
    SLUICE_TRY_ASSIGN(const std::string format, read_text(document, "format"));
    SLUICE_TRY_ASSIGN(const std::uint32_t version, read_number(document, "version"));
    if (format != kFormat) {
        return fail(ErrorCode::Parse, "format '{}', not {}", clean_text(format), kFormat);
    }
    if (version != static_cast<std::uint32_t>(kVersion)) {
        return fail(ErrorCode::Unsupported, "version {} of {}; version {} can be read", version,
                    kFormat, kVersion);
    }
    return document;
}

Result<const json*> list_of(const json& document, const char* key) {
    const auto found = document.find(key);
    if (found == document.end() || !found->is_array()) {
        return fail(ErrorCode::Parse, "the list '{}' is missing", key);
    }
    return &*found;
}

std::string text_of(const json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found != object.end() && found->is_string()
               ? clean_text(found->get_ref<const std::string&>(), kMaxTextBytes)
               : std::string();
}

ModelInfo info_of(const json& document) {
    ModelInfo info;
    info.format = "webnn";
    const auto found = document.find("info");
    if (found == document.end() || !found->is_object()) {
        return info;
    }
    info.name = text_of(*found, "name");
    info.description = text_of(*found, "description");
    info.license = text_of(*found, "license");
    info.task = text_of(*found, "task");
    const auto mean = found->find("mean");
    const auto std = found->find("std");
    if (mean != found->end() && mean->is_number() && std != found->end() && std->is_number()) {
        const Normalization given{.mean = mean->get<float>(), .std = std->get<float>()};
        if (std::isfinite(given.mean) && std::isfinite(given.std) && given.std != 0.0F) {
            info.normalization = given;
        }
    }
    const auto labels = found->find("labels");
    if (labels != found->end() && labels->is_array() && labels->size() <= kMaxLabels) {
        for (const json& label : *labels) {
            info.labels.push_back(
                label.is_string() ? clean_text(label.get_ref<const std::string&>()) : "");
        }
    }
    return info;
}

Result<std::optional<WeightsEntry>> weights_entry(const json& document) {
    const auto found = document.find("weights");
    if (found == document.end()) {
        return std::optional<WeightsEntry>();
    }
    WeightsEntry entry;
    SLUICE_TRY_ASSIGN(entry.file, read_text(*found, "file"));
    SLUICE_TRY_ASSIGN(entry.sha256, read_text(*found, "sha256"));
    const auto size = found->find("byteLength");
    if (size == found->end() || !size->is_number_unsigned()) {
        return fail(ErrorCode::Parse, "the weights have no 'byteLength'");
    }
    entry.bytes = size->get<std::uint64_t>();
    return std::optional(std::move(entry));
}

Result<FileBytes> open_weights(const WeightsEntry& entry, const LoadOptions& options) {
    SLUICE_TRY_ASSIGN(FileBytes weights, map_side_file(options, entry.file));
    const std::string shown = clean_text(entry.file);
    if (weights.bytes.size() != entry.bytes) {
        return fail(ErrorCode::Parse,
                    "the weights '{}' have {} bytes, the description was saved with {}: they are "
                    "no pair",
                    shown, weights.bytes.size(), entry.bytes);
    }
    SLUICE_TRY_ASSIGN(const std::string hash, sha256(weights.bytes));
    if (hash != entry.sha256) {
        return fail(ErrorCode::Parse,
                    "the weights '{}' have the SHA-256 {}, the description was saved with {}: they "
                    "are no pair",
                    shown, hash, clean_text(entry.sha256));
    }
    return weights;
}

} // namespace sluice::models::webnn
