// SPDX-License-Identifier: Apache-2.0
// The Anime4K loader: JSON files of convolution weights as x2 super-resolution graphs.
#pragma once

#include <cstddef>
#include <span>

#include "core/base/result.h"
#include "models/loaders/loader.h"

namespace sluice::models::anime4k {

[[nodiscard]] bool is_anime4k(std::span<const std::byte> bytes);

// Builds the network of the kind that the layers tell (S, M or L) for pictures of options.width x
// options.height, 640x360 by default.
//
// Input "input" float32[1,H,W,3], RGB 0..1. Outputs "residual" float32[1,2H,2W,C], C being 1 (S:
// luma) or 3 (M and L), and "output" float32[1,2H,2W,3]: the input enlarged by half-pixel bilinear
// interpolation plus the residual, not clamped.
[[nodiscard]] Result<LoadedModel> load(const FileBytes& bytes, const LoadOptions& options);

} // namespace sluice::models::anime4k
