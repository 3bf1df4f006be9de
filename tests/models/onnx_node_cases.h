// SPDX-License-Identifier: Apache-2.0
// The backend tests of ONNX (Debian: libonnx-testdata): models with inputs and expected outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine.h"
#include "models/loaders/loader.h"

namespace sluice::models::test {

// Debian's libonnx-testdata, or a folder of the same layout named by SLUICE_ONNX_TESTDATA.
[[nodiscard]] std::filesystem::path onnx_data_folder();

// A tensor of a .pb file.
struct CaseTensor {
    std::string name;
    std::int32_t type = 0; // ONNX's number
    std::vector<std::int64_t> dims;
    std::vector<std::byte> bytes; // dense, in the type's own size
};
[[nodiscard]] Result<CaseTensor> read_case_tensor(const std::filesystem::path& path);

enum class Outcome { Passed, Failed, LeftOut };

struct CaseResult {
    std::string name;
    Outcome outcome = Outcome::Failed;
    std::string message;            // why it failed or was left out
    std::vector<std::string> bound; // inputs whose values were given at load time
};

// Loads the model of a folder and compares its outputs on each of the devices. What the loader
// calls Unsupported is left out; every other error, and every difference beyond ONNX's own
// tolerance (rtol 1e-3, atol 1e-7), is a failure.
[[nodiscard]] CaseResult run_case(const std::filesystem::path& folder,
                                  const std::vector<DeviceKind>& devices);

// Whether `actual` is within the tolerance of `expected`; else what differs.
[[nodiscard]] std::string compare(const CaseTensor& expected, std::span<const std::byte> actual,
                                  const graph::TensorDesc& desc, double rtol = 1e-3,
                                  double atol = 1e-7);

} // namespace sluice::models::test
