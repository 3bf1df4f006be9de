// SPDX-License-Identifier: Apache-2.0
// Names and texts from model files, made fit for messages and labels.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace sluice::models {

// Names in a file may be shared by any number of things, so their length is bounded.
inline constexpr std::size_t kMaxNameBytes = 256;

// `text` as printable UTF-8 of at most `limit` bytes: control characters and bytes that are no
// UTF-8 become '?', and what is cut is cut between characters.
[[nodiscard]] std::string clean_text(std::string_view text, std::size_t limit = kMaxNameBytes);

// `wanted`, or a made-up name ("input_2") where it is empty, with a number behind it where it is
// taken; added to `taken`.
[[nodiscard]] std::string unique_name(std::set<std::string>& taken, const std::string& wanted,
                                      std::string_view kind, std::size_t index);

} // namespace sluice::models
