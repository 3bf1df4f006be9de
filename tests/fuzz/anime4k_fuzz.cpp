// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any bytes to the Anime4K loader.
#include "models/loaders/anime4k/anime4k_loader.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = sluice::fuzz::file_of(data, size);
    sluice::fuzz::check(sluice::models::anime4k::load(file, {.width = 8, .height = 8}));
    return 0;
}
