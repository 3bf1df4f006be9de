// SPDX-License-Identifier: Apache-2.0
// spirv-val over every shader of the build.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <fstream>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include "core/vulkan/shader.h"

namespace sluice::vulkan {
namespace {

// What a command says, and how it ended.
struct Said {
    int status = -1;
    std::string text;
};

Said run(const std::string& command) {
    Said said;
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) {
        return said;
    }
    std::array<char, 256> line{};
    while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
        said.text += line.data();
    }
    said.status = ::pclose(pipe);
    return said;
}

TEST(Shaders, are_valid_spirv) {
    if (run("spirv-val --version").status != 0) {
        GTEST_SKIP() << "there is no spirv-val (Debian: spirv-tools)";
    }
    const auto file =
        std::filesystem::temp_directory_path() / std::format("sluice-shader-{}.spv", ::getpid());
    for (std::size_t i = 0; i < shader_count(); ++i) {
        const auto shader = static_cast<Shader>(i);
        const auto words = std::as_bytes(code(shader));
        std::ofstream(file, std::ios::binary)
            .write(reinterpret_cast<const char*>(words.data()),
                   static_cast<std::streamsize>(words.size()));
        const Said said = run("spirv-val --target-env vulkan1.2 " + file.string());
        EXPECT_EQ(said.status, 0) << name(shader) << ": " << said.text;
    }
    std::filesystem::remove(file);
}

} // namespace
} // namespace sluice::vulkan
