// SPDX-License-Identifier: Apache-2.0
// Parsing of "320x180".
#include "pipelines/cli/size.h"

#include <charconv>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

std::optional<Size> parse(const std::string& text) {
    Size size;
    const char* const end = text.data() + text.size();
    const auto [cross, no_width] = std::from_chars(text.data(), end, size.width);
    if (no_width != std::errc() || cross == end || *cross != 'x') {
        return std::nullopt;
    }
    const auto [rest, no_height] = std::from_chars(cross + 1, end, size.height);
    if (no_height != std::errc() || rest != end || size.width == 0 || size.height == 0) {
        return std::nullopt;
    }
    return size;
}

} // namespace

void add_size_option(CLI::App& command, Size& size) {
    command
        .add_option_function<std::string>(
            "--size", [&size](const std::string& text) { size = parse(text).value_or(Size{}); },
            "Size of the picture, for networks that take any")
        ->check(CLI::Validator(
            [](std::string& text) {
                return parse(text) ? std::string() : "'" + text + "' is no size such as 320x180";
            },
            ""))
        ->type_name("WIDTHxHEIGHT");
}

} // namespace sluice::cli
