// SPDX-License-Identifier: Apache-2.0
// The weights of a TensorFlow.js model: a manifest of names, shapes and types, and shards of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/load_budget.h"
#include "models/loaders/loader.h"

namespace sluice::models::tfjs {

// How elements are stored: as the type says, or smaller: float16, or value = code * scale + min.
enum class Storage : std::uint8_t { Plain, Float16, Uint8, Uint16 };

struct Weight {
    graph::DataType type = graph::DataType::Float32; // in the graph; bool is uint8
    std::vector<std::int64_t> dims;                  // may hold zeros
    Storage storage = Storage::Plain;
    double scale = 1.0;
    double min = 0.0;
    std::span<const std::byte> bytes; // as stored
};

class Weights {
public:
    // `manifest` is model.json's list of groups. Parse where shards and manifest do not fit each
    // other, NotFound where a shard is not where `options` says.
    [[nodiscard]] static Result<Weights> read(const nlohmann::json& manifest,
                                              const LoadOptions& options);

    // Null where there is none.
    [[nodiscard]] const Weight* find(std::string_view name) const;
    [[nodiscard]] std::size_t stored_bytes() const { return stored_bytes_; }
    // Dense bytes of the weight's type, shared with the shard where they are stored as such.
    [[nodiscard]] Result<graph::ConstantData> constant(const Weight& weight,
                                                       LoadBudget& budget) const;
    // The elements as numbers.
    [[nodiscard]] static std::vector<double> numbers(const Weight& weight);

private:
    std::map<std::string, Weight, std::less<>> weights_;
    std::vector<FileBytes> files_; // and joined shards
    std::size_t stored_bytes_ = 0;
};

} // namespace sluice::models::tfjs
