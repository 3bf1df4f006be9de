// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any bytes to the TFLite loader.
#include "models/loaders/tflite/tflite_loader.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = sluice::fuzz::file_of(data, size);
    sluice::fuzz::check(sluice::models::tflite::load(file, {.width = 8, .height = 8}));
    return 0;
}
