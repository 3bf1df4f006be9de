// SPDX-License-Identifier: Apache-2.0
// Reading of .modelinfo: sections, keys, and the ranges of inputs.
#include "models/loaders/modelinfo.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "models/loaders/loader.h"

namespace sluice::models {
namespace {

constexpr std::string_view kSpace = " \t\r";
constexpr float kMaxCode = 255.0F;

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kSpace);
    return first == std::string_view::npos
               ? std::string_view()
               : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// The text up to `separator`, which is taken off `text` together with it.
std::string_view take_until(std::string_view& text, char separator) {
    const std::size_t end = text.find(separator);
    const std::string_view taken = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return trimmed(taken);
}

std::optional<float> number_of(std::string_view text) {
    float value = 0.0F;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool fits =
        error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
    return fits ? std::optional(value) : std::nullopt;
}

// "0.0,1.0;0.0,1.0": what codes 0 and 255 become, a pair a channel.
std::optional<Normalization> normalization_of(std::string_view ranges) {
    std::optional<float> low;
    std::optional<float> high;
    while (!ranges.empty()) {
        std::string_view pair = take_until(ranges, ';');
        if (pair.empty()) {
            continue; // behind the last separator
        }
        const auto first = number_of(take_until(pair, ','));
        const auto second = number_of(trimmed(pair));
        if (!first || !second || (low && (low != first || high != second))) {
            return std::nullopt;
        }
        low = first;
        high = second;
    }
    if (!low || *low == *high) {
        return std::nullopt;
    }
    const float std = kMaxCode / (*high - *low);
    const Normalization out{.mean = -*low * std, .std = std};
    return std::isfinite(out.mean) && std::isfinite(out.std) ? std::optional(out) : std::nullopt;
}

} // namespace

std::optional<std::filesystem::path> find_modelinfo(const std::filesystem::path& model) {
    std::filesystem::path appended = model;
    appended += ".modelinfo";
    std::filesystem::path replaced = model;
    replaced.replace_extension(".modelinfo");
    for (const auto& path : {appended, replaced}) {
        std::error_code ignored;
        if (std::filesystem::is_regular_file(path, ignored)) {
            return path;
        }
    }
    return std::nullopt;
}

void apply_modelinfo(std::string_view text, ModelInfo& info) {
    bool is_input = false;
    std::string_view ranges;
    const auto finish_section = [&] {
        const auto given = is_input ? normalization_of(ranges) : std::nullopt;
        if (given) {
            info.normalization = given;
        }
        const bool found = is_input;
        is_input = false;
        ranges = {};
        return found;
    };
    while (!text.empty()) {
        std::string_view line = take_until(text, '\n');
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        if (line.starts_with('[')) {
            if (finish_section()) {
                return; // the first input is the one
            }
            continue;
        }
        const std::string_view key = take_until(line, '=');
        is_input = key == "dir" ? trimmed(line) == "input" : is_input;
        ranges = key == "ranges" ? line : ranges;
    }
    finish_section();
}

} // namespace sluice::models
