// SPDX-License-Identifier: Apache-2.0
// --size WIDTHxHEIGHT: the picture of networks that take any.
#pragma once

#include <cstdint>

#include <CLI/App.hpp>

#include "models/loaders/loader.h"

namespace sluice::cli {

struct Size {
    std::uint32_t width = 0; // 0, 0: the format's default
    std::uint32_t height = 0;

    [[nodiscard]] models::LoadOptions load_options() const {
        return {.width = width, .height = height};
    }
};

void add_size_option(CLI::App& command, Size& size);

} // namespace sluice::cli
