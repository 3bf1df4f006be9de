// SPDX-License-Identifier: Apache-2.0
// The ONNX loader: protobuf files to graphs.
#pragma once

#include "core/base/result.h"
#include "models/loaders/loader.h"
#include "models/loaders/onnx/file.h"

namespace sluice::models::onnx {

// Shapes are fixed here: LoadOptions binds dimensions that the file calls by name, and values of
// inputs that shapes depend on. Results of the type bool are uint8.
[[nodiscard]] Result<LoadedModel> load(const FileBytes& file, const LoadOptions& options);

} // namespace sluice::models::onnx
