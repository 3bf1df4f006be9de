// SPDX-License-Identifier: Apache-2.0
// Four independent lanes of multiply and shift, folded into two words at the end.
#include "core/base/content_hash.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sluice {

namespace {

// Odd, hence a multiplication loses nothing: two states of a lane that differ stay different.
constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15;

// The end of MurmurHash3: every bit of the result depends on every bit of the word.
std::uint64_t finish(std::uint64_t word) {
    word = (word ^ (word >> 33U)) * 0xFF51AFD7ED558CCD;
    word = (word ^ (word >> 33U)) * 0xC4CEB9FE1A85EC53;
    return word ^ (word >> 33U);
}

} // namespace

void ContentHash::mix(const std::byte* block) {
    std::array<std::uint64_t, kLanes> words;
    std::memcpy(words.data(), block, sizeof(words));
    for (std::size_t i = 0; i < kLanes; ++i) {
        lanes_[i] = (lanes_[i] ^ words[i]) * kFactor;
        lanes_[i] ^= lanes_[i] >> 29U;
    }
}

void ContentHash::add(std::span<const std::byte> piece) {
    constexpr std::size_t kBlock = kLanes * sizeof(std::uint64_t);
    // The size first: what fills up the last block is not taken for contents.
    lanes_[0] = (lanes_[0] ^ finish(piece.size() + 1)) * kFactor;
    while (piece.size() >= kBlock) {
        mix(piece.data());
        piece = piece.subspan(kBlock);
    }
    if (!piece.empty()) {
        std::array<std::byte, kBlock> rest{};
        std::ranges::copy(piece, rest.begin());
        mix(rest.data());
    }
}

ContentHash::Value ContentHash::value() const {
    Value value{0x452821E638D01377, 0xBE5466CF34E90C6C};
    for (std::size_t i = 0; i < kLanes; ++i) {
        value[0] = finish(value[0] ^ lanes_[i]);
        value[1] = finish(value[1] + std::rotl(lanes_[i], 32) * kFactor);
    }
    return value;
}

} // namespace sluice
