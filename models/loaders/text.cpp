// SPDX-License-Identifier: Apache-2.0
// Cleaning of texts that come from model files.
#include "models/loaders/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <format>
#include <set>
#include <string>
#include <string_view>

namespace sluice::models {
namespace {

// Length of the UTF-8 character that `text` starts with; 0 where it starts with none.
std::size_t character_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    const std::size_t length = first < 0x80                    ? 1
                               : first >= 0xC2 && first < 0xE0 ? 2
                               : first >= 0xE0 && first < 0xF0 ? 3
                               : first >= 0xF0 && first < 0xF5 ? 4
                                                               : 0;
    if (length == 0 || length > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    // Overlong forms, surrogates and what lies above U+10FFFF.
    if (length > 2) {
        const std::uint8_t second = byte(1);
        const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
                           (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
        return wrong ? 0 : length;
    }
    return length;
}

} // namespace

std::string clean_text(std::string_view text, std::size_t limit) {
    std::string out;
    out.reserve(std::min(text.size(), limit));
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        const auto first = static_cast<std::uint8_t>(text[0]);
        const bool printable = length > 1 || (length == 1 && first >= 0x20 && first != 0x7F);
        if (out.size() + std::max<std::size_t>(length, 1) > limit) {
            break;
        }
        out += printable ? text.substr(0, length) : std::string_view("?");
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string unique_name(std::set<std::string>& taken, const std::string& wanted,
                        std::string_view kind, std::size_t index) {
    const std::string base = wanted.empty() ? std::format("{}_{}", kind, index) : wanted;
    std::string name = base;
    for (std::size_t i = 1; !taken.insert(name).second; ++i) {
        name = std::format("{}_{}", base, i);
    }
    return name;
}

} // namespace sluice::models
