// SPDX-License-Identifier: Apache-2.0
// What models/zoo/embed.py generates: the manifests as data.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "models/store/store.h"

namespace sluice::models {

// A second name of a model: "anime4k-x2-s" for "anime4k-x2-s-rl".
struct ZooAlias {
    std::string_view alias;
    std::string_view name;
};

// A model's manifest as the JSON that it was written in: what only its card tells.
struct ZooText {
    std::string_view name;
    std::string_view json;
};

// Sorted by name.
[[nodiscard]] std::vector<Manifest> zoo_manifests();
[[nodiscard]] std::span<const ZooAlias> zoo_aliases();
[[nodiscard]] std::span<const ZooText> zoo_texts();

} // namespace sluice::models
