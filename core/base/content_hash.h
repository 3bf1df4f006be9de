// SPDX-License-Identifier: Apache-2.0
// A fast hash that tells contents apart and finds damage.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice {

// 128 bits over pieces of any size; where one piece ends counts, too. Not for what others could
// forge: it has no key and is no cryptographic hash. About as fast as memory is read.
class ContentHash {
public:
    using Value = std::array<std::uint64_t, 2>;

    void add(std::span<const std::byte> piece);
    void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
    void add(std::uint64_t number) { add(std::as_bytes(std::span(&number, 1))); }

    // Of all pieces so far.
    [[nodiscard]] Value value() const;

private:
    static constexpr std::size_t kLanes = 4;
    void mix(const std::byte* block); // kLanes words

    std::array<std::uint64_t, kLanes> lanes_{0x243F6A8885A308D3, 0x13198A2E03707344,
                                             0xA4093822299F31D0, 0x082EFA98EC4E6C89};
};

} // namespace sluice
