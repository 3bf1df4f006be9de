// SPDX-License-Identifier: Apache-2.0
// GStreamer's .modelinfo files: what somebody wrote down about a model, beside it.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "models/loaders/loader.h"

namespace sluice::models {

// MODEL.modelinfo, else MODEL without its extension and with this one; nothing where there is none.
[[nodiscard]] std::optional<std::filesystem::path>
find_modelinfo(const std::filesystem::path& model);

// Takes over what the file says of the model's first input: the range of its values. It is advice:
// what is malformed counts as absent. Ranges that differ between channels are left alone, for a
// ModelInfo has one for all.
void apply_modelinfo(std::string_view text, ModelInfo& info);

} // namespace sluice::models
