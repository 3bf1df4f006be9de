// SPDX-License-Identifier: Apache-2.0
// Reading of manifests and shards, and expansion of quantised weights.
#include "models/loaders/tfjs/weights.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/checked_math.h"
#include "core/base/float16.h"
#include "core/base/result.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "models/loaders/load_budget.h"
#include "models/loaders/loader.h"
#include "models/loaders/side_file.h"
#include "models/loaders/text.h"
#include "models/loaders/tfjs/json.h"

namespace sluice::models::tfjs {
namespace {

using graph::DataType;
using nlohmann::json;

std::optional<DataType> type_from(std::string_view name) {
    if (name == "float32") {
        return DataType::Float32;
    }
    if (name == "int32") {
        return DataType::Int32;
    }
    if (name == "bool" || name == "uint8") {
        return DataType::Uint8;
    }
    return std::nullopt;
}

std::size_t stored_size(const Weight& weight) {
    switch (weight.storage) {
    case Storage::Plain: return graph::size_of(weight.type);
    case Storage::Float16: return 2;
    case Storage::Uint8: return 1;
    case Storage::Uint16: return 2;
    }
    std::unreachable();
}

Status read_quantization(const json& entry, Weight& weight) {
    const auto found = entry.find("quantization");
    if (found == entry.end() || !found->is_object()) {
        return {};
    }
    const std::string type = string_at(*found, "dtype");
    if (type == "float16") {
        weight.storage = Storage::Float16;
        return {};
    }
    if (type != "uint8" && type != "uint16") {
        return fail(ErrorCode::Unsupported, "quantisation to '{}'", clean_text(type));
    }
    weight.storage = type == "uint8" ? Storage::Uint8 : Storage::Uint16;
    const auto number = [&](const char* key) {
        const auto value = found->find(key);
        return value != found->end() && value->is_number() ? value->get<double>() : std::nan("");
    };
    weight.scale = number("scale");
    weight.min = number("min");
    if (!std::isfinite(weight.scale) || !std::isfinite(weight.min)) {
        return fail(ErrorCode::Parse, "quantisation without scale and min");
    }
    return {};
}

// Everything about a weight but its bytes, and how many these are.
Result<std::pair<Weight, std::size_t>> read_entry(const json& entry) {
    Weight weight;
    const std::string type = string_at(entry, "dtype");
    const auto known = type_from(type);
    if (!known) {
        return fail(ErrorCode::Unsupported, "the type '{}'", clean_text(type));
    }
    weight.type = *known;
    const auto shape = entry.find("shape");
    if (shape == entry.end() || !shape->is_array()) {
        return fail(ErrorCode::Parse, "no shape");
    }
    SLUICE_TRY(read_quantization(entry, weight));
    if (weight.storage != Storage::Plain && weight.type != DataType::Float32) {
        return fail(ErrorCode::Unsupported, "quantisation of {}", graph::name(weight.type));
    }
    std::size_t bytes = stored_size(weight);
    for (const json& dim : *shape) {
        if (!dim.is_number_unsigned()) {
            return fail(ErrorCode::Parse, "a dimension that is no size");
        }
        weight.dims.push_back(dim.get<std::int64_t>());
        const auto next = checked_mul<std::size_t>(bytes, dim.get<std::size_t>());
        if (!next || weight.dims.back() < 0) {
            return fail(ErrorCode::Parse, "its size overflows");
        }
        bytes = *next;
    }
    return std::pair{std::move(weight), bytes};
}

// The shards of a group, one behind the other.
Result<FileBytes> read_shards(const json& group, const LoadOptions& options) {
    const auto paths = group.find("paths");
    if (paths == group.end() || !paths->is_array() || paths->empty()) {
        return fail(ErrorCode::Parse, "a group of weights without paths");
    }
    std::vector<FileBytes> shards;
    std::size_t total = 0;
    for (const json& path : *paths) {
        if (!path.is_string()) {
            return fail(ErrorCode::Parse, "a path of weights that is no text");
        }
        SLUICE_TRY_ASSIGN(shards.emplace_back(),
                          map_side_file(options, path.get_ref<const std::string&>()));
        total += shards.back().bytes.size(); // mapped files, far from overflow
    }
    if (shards.size() == 1) {
        return shards[0];
    }
    auto joined = std::make_shared<std::vector<std::byte>>();
    joined->reserve(total);
    for (const FileBytes& shard : shards) {
        joined->insert(joined->end(), shard.bytes.begin(), shard.bytes.end());
    }
    const std::span<const std::byte> bytes(*joined);
    return FileBytes{.owner = std::move(joined), .bytes = bytes};
}

} // namespace

Result<Weights> Weights::read(const json& manifest, const LoadOptions& options) {
    if (!manifest.is_array()) {
        return fail(ErrorCode::Parse, "weightsManifest is no list");
    }
    Weights out;
    for (const json& group : manifest) {
        const auto entries = group.is_object() ? group.find("weights") : group.end();
        if (!group.is_object() || entries == group.end() || !entries->is_array()) {
            return fail(ErrorCode::Parse, "a group of weights without a list");
        }
        if (entries->empty()) {
            continue;
        }
        SLUICE_TRY_ASSIGN(const FileBytes file, read_shards(group, options));
        std::span<const std::byte> rest = file.bytes;
        for (const json& entry : *entries) {
            const std::string name = entry.is_object() ? string_at(entry, "name") : "";
            auto read = name.empty() ? fail(ErrorCode::Parse, "a weight without a name")
                                     : read_entry(entry);
            if (!read) {
                return std::unexpected(
                    std::move(read).error().within("weight '" + clean_text(name) + "'"));
            }
            auto& [weight, bytes] = *read;
            if (bytes > rest.size()) {
                return fail(ErrorCode::Parse,
                            "weight '{}' has {} bytes, its shards have {} left; the files may be "
                            "truncated",
                            clean_text(name), bytes, rest.size());
            }
            weight.bytes = rest.first(bytes);
            rest = rest.subspan(bytes);
            out.weights_.insert_or_assign(name, std::move(weight));
        }
        out.stored_bytes_ += file.bytes.size();
        out.files_.push_back(file);
    }
    return out;
}

const Weight* Weights::find(std::string_view name) const {
    const auto found = weights_.find(name);
    return found == weights_.end() ? nullptr : &found->second;
}

std::vector<double> Weights::numbers(const Weight& weight) {
    const std::size_t count = weight.bytes.size() / stored_size(weight);
    std::vector<double> out(count);
    const auto each = [&]<typename T>(T, auto&& convert) {
        for (std::size_t i = 0; i < count; ++i) {
            T stored;
            std::memcpy(&stored, weight.bytes.data() + i * sizeof(T), sizeof(T));
            out[i] = convert(stored);
        }
    };
    const auto affine = [&](auto code) {
        // In float, as TensorFlow.js computes it.
        return static_cast<double>(static_cast<float>(code * weight.scale + weight.min));
    };
    const auto plain = [](auto value) { return static_cast<double>(value); };
    switch (weight.storage) {
    case Storage::Float16:
        each(std::uint16_t{},
             [](std::uint16_t bits) { return static_cast<double>(float16_to_float(bits)); });
        return out;
    case Storage::Uint8: each(std::uint8_t{}, affine); return out;
    case Storage::Uint16: each(std::uint16_t{}, affine); return out;
    case Storage::Plain: break;
    }
    if (weight.type == DataType::Float32) {
        each(float{}, plain);
    } else if (weight.type == DataType::Int32) {
        each(std::int32_t{}, plain);
    } else {
        each(std::uint8_t{}, plain);
    }
    return out;
}

Result<graph::ConstantData> Weights::constant(const Weight& weight, LoadBudget& budget) const {
    if (weight.storage == Storage::Plain) {
        const auto holds = [&](const FileBytes& file) {
            return weight.bytes.data() >= file.bytes.data() &&
                   weight.bytes.data() < file.bytes.data() + file.bytes.size();
        };
        const auto file = std::ranges::find_if(files_, holds);
        return graph::ConstantData{.owner = file == files_.end() ? nullptr : file->owner,
                                   .bytes = weight.bytes};
    }
    const std::size_t count = weight.bytes.size() / stored_size(weight);
    SLUICE_TRY(budget.take(count * sizeof(float)));
    std::vector<float> values(count);
    std::ranges::transform(numbers(weight), values.begin(),
                           [](double value) { return static_cast<float>(value); });
    return graph::ConstantData::copy(std::span<const float>(values));
}

} // namespace sluice::models::tfjs
