// SPDX-License-Identifier: Apache-2.0
// The shaders that the build compiled, from shaders.def.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::vulkan {

enum class Shader : std::uint16_t {
#define SLUICE_SHADER(name, source, defines) name,
#include "core/vulkan/shaders.def"
#undef SLUICE_SHADER
};

// SPIR-V words.
[[nodiscard]] std::span<const std::uint32_t> code(Shader shader);
[[nodiscard]] std::string_view name(Shader shader);
// Rows of shaders.def; a Shader is a number below it.
[[nodiscard]] std::size_t shader_count();

} // namespace sluice::vulkan
