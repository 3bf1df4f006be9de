// SPDX-License-Identifier: Apache-2.0
// Near misses: what a mistyped word was probably meant to be.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::cli {

// The candidate with the fewest insertions, deletions, replacements and swaps of neighbours, if
// they are few enough for its length; the first of equal ones.
[[nodiscard]] std::optional<std::string> closest(std::string_view word,
                                                 std::span<const std::string> candidates);

// "; did you mean 'models'?" or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string> candidates);

} // namespace sluice::cli
