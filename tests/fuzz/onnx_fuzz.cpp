// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any bytes to the ONNX loader. tests/fuzz/make_onnx_corpus.py writes seeds.
#include "models/loaders/onnx/onnx_loader.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = sluice::fuzz::file_of(data, size);
    sluice::fuzz::check(sluice::models::onnx::load(file, {.dimensions = {{"N", 2}}}));
    return 0;
}
