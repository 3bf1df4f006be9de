// SPDX-License-Identifier: Apache-2.0
// --size WIDTHxHEIGHT and --dim NAME=SIZE: what files leave open of their inputs' shapes.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <CLI/App.hpp>

#include "models/loaders/loader.h"

namespace sluice::cli {

struct Size {
    std::uint32_t width = 0; // 0, 0: the format's default
    std::uint32_t height = 0;
    std::map<std::string, std::uint32_t> dimensions; // by the name that the file has for them

    [[nodiscard]] models::LoadOptions load_options() const {
        return {.width = width, .height = height, .dimensions = dimensions};
    }
};

// Both options.
void add_size_option(CLI::App& command, Size& size);

} // namespace sluice::cli
