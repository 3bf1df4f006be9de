// SPDX-License-Identifier: Apache-2.0
// Parsing of "320x180" and "batch=1".
#include "pipelines/cli/size.h"

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

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

struct Dimension {
    std::string name;
    std::uint32_t size = 0;
};

std::optional<Dimension> parse_dimension(const std::string& text) {
    const std::size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0) {
        return std::nullopt;
    }
    Dimension dimension{.name = text.substr(0, equals)};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + equals + 1, end, dimension.size);
    if (error != std::errc() || rest != end || dimension.size == 0) {
        return std::nullopt;
    }
    return dimension;
}

} // namespace

void add_size_option(CLI::App& command, Size& size) {
    command
        .add_option_function<std::string>(
            "--size",
            [&size](const std::string& text) {
                const Size parsed = parse(text).value_or(Size{});
                size.width = parsed.width;
                size.height = parsed.height;
            },
            "Size of the picture, for networks that take any")
        ->check(CLI::Validator(
            [](std::string& text) {
                return parse(text) ? std::string() : "'" + text + "' is no size such as 320x180";
            },
            ""))
        ->type_name("WIDTHxHEIGHT");
    command
        .add_option_function<std::vector<std::string>>(
            "--dim",
            [&size](const std::vector<std::string>& entries) {
                for (const std::string& entry : entries) {
                    if (const auto dimension = parse_dimension(entry)) {
                        size.dimensions[dimension->name] = dimension->size;
                    }
                }
            },
            "Size of a dimension that the file knows by a name; once for each name")
        ->check(CLI::Validator(
            [](std::string& text) {
                return parse_dimension(text) ? std::string()
                                             : "'" + text + "' is not of the form NAME=SIZE";
            },
            ""))
        ->type_name("NAME=SIZE")
        ->expected(1)
        ->take_all();
}

} // namespace sluice::cli
