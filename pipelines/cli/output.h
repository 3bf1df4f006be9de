// SPDX-License-Identifier: Apache-2.0
// What the program writes: JSON, tables, and a progress bar.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace sluice::cli {

// Keys keep the order in which they were written.
using Json = nlohmann::ordered_json;

// Text to stdout. Io: nobody takes it (a full disk, a closed pipe).
[[nodiscard]] Status print(std::string_view text);
// One JSON value and a line feed: to stdout where `path` is empty or "-", else to the file.
[[nodiscard]] Status print_json(const Json& value, const std::filesystem::path& path = {});

// Rounded to so many decimals, which keeps JSON short without losing what counts.
[[nodiscard]] double rounded(double value, int decimals);

// Columns padded to their widest cell; the first `left` ones are left-aligned.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows,
                                std::size_t left);

// At most `most` bytes of UTF-8: what is longer loses its middle, "...". A step of some networks is
// named by all that was fused into it, thousands of characters.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most = 72);

// "1.5 MiB"
[[nodiscard]] std::string bytes_text(std::size_t bytes);

// A line on stderr that is redrawn; nothing at all where stderr is no terminal.
class Progress {
public:
    explicit Progress(std::string what);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress(); // wipes the line

    // `share` of the whole, 0..1, or below 0 where nobody knows; `detail` is shown after it.
    void update(double share, std::string_view detail = {});

private:
    std::string what_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point next_;
};

} // namespace sluice::cli
