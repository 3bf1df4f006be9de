// SPDX-License-Identifier: Apache-2.0
// A document of WebNN JSON, apart from its method calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "models/loaders/loader.h"

namespace sluice::models::webnn {

// Of our format and version.
[[nodiscard]] Result<nlohmann::json> parse_document(std::span<const std::byte> bytes);

// A list of the document's; an absent one is an error.
[[nodiscard]] Result<const nlohmann::json*> list_of(const nlohmann::json& document,
                                                    const char* key);
// A text that may be absent.
[[nodiscard]] std::string text_of(const nlohmann::json& object, const char* key);

// What the file says about itself is advice: what is malformed counts as absent.
[[nodiscard]] ModelInfo info_of(const nlohmann::json& document);

struct WeightsEntry {
    std::string file;
    std::string sha256;
    std::uint64_t bytes = 0;
};
// Nothing where the model has no constants.
[[nodiscard]] Result<std::optional<WeightsEntry>> weights_entry(const nlohmann::json& document);
// Parse where it is not the file that the document was saved with.
[[nodiscard]] Result<FileBytes> open_weights(const WeightsEntry& entry, const LoadOptions& options);

} // namespace sluice::models::webnn
