// SPDX-License-Identifier: Apache-2.0
// Buffers of 32-bit words, and the one shader that the device layer is tested with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "core/vulkan/recording.h"
#include "tests/support/must.h"

namespace sluice::vulkan {

using Words = std::vector<std::uint32_t>;

inline constexpr std::uint32_t kGroup = 64;

inline Words counting(std::size_t count, std::uint32_t first = 0) {
    Words words(count);
    std::iota(words.begin(), words.end(), first);
    return words;
}

inline void write_words(std::span<std::byte> to, std::span<const std::uint32_t> words) {
    std::memcpy(to.data(), words.data(), words.size_bytes());
}

inline Words read_words(std::span<const std::byte> from) {
    Words words(from.size() / 4);
    std::memcpy(words.data(), from.data(), words.size() * 4);
    return words;
}

// A mapped buffer that holds `words`.
inline Buffer buffer_of(const std::shared_ptr<Device>& device, std::span<const std::uint32_t> words,
                        Placement placement = Placement::Upload) {
    Buffer buffer = testing::must(Buffer::create(device, words.size_bytes(), placement));
    write_words(buffer.mapped(), words);
    return buffer;
}

// to = from * scale + offset
inline Status linear(Recording& recording, const BufferRange& from, const BufferRange& to,
                     std::uint32_t scale, std::uint32_t offset) {
    struct Push {
        std::uint32_t count;
        std::uint32_t offset;
    };
    const Push push{.count = static_cast<std::uint32_t>(from.bytes / 4), .offset = offset};
    const std::array constants{kGroup, scale};
    const std::array buffers{Binding{.range = from, .access = Access::Read},
                             Binding{.range = to, .access = Access::Write}};
    return recording.dispatch({.shader = Shader::LinearWords,
                               .constants = constants,
                               .buffers = buffers,
                               .push = push_bytes(push),
                               .groups = {(push.count + kGroup - 1) / kGroup, 1, 1}});
}

} // namespace sluice::vulkan
