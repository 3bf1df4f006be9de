// SPDX-License-Identifier: Apache-2.0
// Names and code of the shaders that the build compiled.
#include "core/vulkan/shader.h"

#include <array>
#include <cstddef>

#include "core/vulkan/shader_code.h"

namespace sluice::vulkan {

namespace {

constexpr auto kNames = std::to_array<std::string_view>({
#define SLUICE_SHADER(name, source, defines) #name,
#include "core/vulkan/shaders.def"
#undef SLUICE_SHADER
});

} // namespace

std::span<const std::uint32_t> code(Shader shader) {
    return kShaderCode[static_cast<std::size_t>(shader)];
}

std::string_view name(Shader shader) {
    return kNames[static_cast<std::size_t>(shader)];
}

std::size_t shader_count() {
    return kNames.size();
}

} // namespace sluice::vulkan
