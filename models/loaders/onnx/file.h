// SPDX-License-Identifier: Apache-2.0
// An .onnx file as parsed protobuf, and what it says about itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/loader.h"
#include "models/loaders/onnx/onnx.pb.h"

namespace sluice::models::onnx {

// The format has no magic number: its outermost fields are looked at.
[[nodiscard]] bool is_onnx(std::span<const std::byte> bytes);

// Parses, and checks that there is a graph.
[[nodiscard]] Result<std::shared_ptr<const schema::Model>> parse(std::span<const std::byte> bytes);

// The version of the default operator set; 0 where the file uses other sets only. Unsupported: one
// that the mappings do not know.
[[nodiscard]] Result<std::int64_t> opset_version(const schema::Model& model);

// Texts and metadata_props: "mean" and "std" as numbers, "labels" or "names" as a list, "license".
[[nodiscard]] ModelInfo read_info(const schema::Model& model);

// The files of external_data, in the main graph and in all below it.
[[nodiscard]] Result<std::vector<std::string>> side_files(std::span<const std::byte> bytes);

} // namespace sluice::models::onnx
