// SPDX-License-Identifier: Apache-2.0
// What embed_shaders.py writes: the words of every shader, by its number in shaders.def.
#pragma once

#include <cstdint>
#include <span>

namespace sluice::vulkan {

extern const std::span<const std::span<const std::uint32_t>> kShaderCode;

} // namespace sluice::vulkan
