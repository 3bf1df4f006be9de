// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: what files say about themselves, without the rest of the loaders: .modelinfo,
// TFLITE_METADATA with its archive, ONNX's metadata_props and its list of external files.
#include <cmath>

#include "models/loaders/modelinfo.h"
#include "models/loaders/onnx/file.h"
#include "models/loaders/tflite/file.h"
#include "models/loaders/tflite/metadata.h"
#include "tests/fuzz/fuzz.h"

namespace {

// A normalisation can be divided by.
void check_info(const sluice::models::ModelInfo& info) {
    if (info.normalization &&
        (!std::isfinite(info.normalization->mean) || !std::isfinite(info.normalization->std) ||
         info.normalization->std == 0.0F)) {
        __builtin_trap();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = sluice::fuzz::file_of(data, size);
    sluice::models::ModelInfo info;
    sluice::models::apply_modelinfo({reinterpret_cast<const char*>(data), size}, info);
    check_info(info);
    if (const auto model = sluice::models::onnx::parse(file.bytes)) {
        check_info(sluice::models::onnx::read_info(**model));
        // What parsed once parses again.
        if (!sluice::models::onnx::side_files(file.bytes)) {
            __builtin_trap();
        }
    }
    if (const auto model = sluice::models::tflite::File::open(file)) {
        check_info(sluice::models::tflite::read_metadata(*model));
    }
    return 0;
}
