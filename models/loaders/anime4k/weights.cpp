// SPDX-License-Identifier: Apache-2.0
// Parsing of Anime4K weights and the order of their taps.
#include "models/loaders/anime4k/weights.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "models/loaders/text.h"

namespace sluice::models::anime4k {
namespace {

using nlohmann::json;

// The largest of these files has 114 KB; the limit bounds what a parsed number costs.
constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20U;

Result<std::vector<float>> numbers(const json& layer, const std::string& name, const char* key) {
    const auto found = layer.find(key);
    if (found == layer.end() || !found->is_array()) {
        return fail(ErrorCode::Parse, "layer '{}' has no list of {}", name, key);
    }
    std::vector<float> values;
    values.reserve(found->size());
    for (const json& item : *found) {
        const double value = item.is_number() ? item.get<double>() : std::nan("");
        if (!std::isfinite(static_cast<float>(value))) {
            return fail(ErrorCode::Parse, "layer '{}': element {} of its {} is no number", name,
                        values.size(), key);
        }
        values.push_back(static_cast<float>(value));
    }
    return values;
}

} // namespace

Result<Weights> read_weights(std::span<const std::byte> bytes) {
    if (bytes.size() > kMaxFileBytes) {
        return fail(ErrorCode::Unsupported, "{} bytes of weights, more than {}", bytes.size(),
                    kMaxFileBytes);
    }
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    const json document = json::parse(text, text + bytes.size(), nullptr, false);
    if (document.is_discarded() || !document.is_object()) {
        return fail(ErrorCode::Parse, "malformed JSON");
    }
    const auto layers = document.find("layers");
    if (layers == document.end() || !layers->is_object()) {
        return fail(ErrorCode::Parse, "no object of layers");
    }
    Weights out;
    if (const auto name = document.find("name"); name != document.end() && name->is_string()) {
        out.name = clean_text(name->get_ref<const std::string&>());
    }
    for (const auto& [key, layer] : layers->items()) {
        // The pixel shuffle at the end is listed as a layer without weights.
        if (!layer.is_object() || !layer.contains("weights")) {
            continue;
        }
        const std::string name = clean_text(key);
        Layer& entry = out.layers[name];
        SLUICE_TRY_ASSIGN(entry.weights, numbers(layer, name, "weights"));
        SLUICE_TRY_ASSIGN(entry.bias, numbers(layer, name, "bias"));
    }
    return out;
}

Result<Filter> join(std::span<const Layer* const> layers, std::uint32_t size,
                    std::uint32_t inputs) {
    const std::size_t taps = std::size_t{size} * size;
    const std::size_t groups = (inputs + 3) / 4;
    Filter filter{.outputs = static_cast<std::uint32_t>(4 * layers.size()),
                  .size = size,
                  .inputs = inputs,
                  .values = {},
                  .bias = {}};
    for (const Layer* layer : layers) {
        if (layer->weights.size() != groups * taps * 16 || layer->bias.size() != 4) {
            return fail(ErrorCode::Parse, "{} weights and {} biases, {} and 4 are needed",
                        layer->weights.size(), layer->bias.size(), groups * taps * 16);
        }
        filter.bias.insert(filter.bias.end(), layer->bias.begin(), layer->bias.end());
        for (std::size_t output = 0; output < 4; ++output) {
            for (std::size_t tap = 0; tap < taps; ++tap) {
                // Row by row here, column by column in the file.
                const std::size_t stored = (tap % size) * size + tap / size;
                for (std::size_t input = 0; input < inputs; ++input) {
                    const std::size_t matrix = (input / 4) * taps + stored;
                    filter.values.push_back(layer->weights[matrix * 16 + (input % 4) * 4 + output]);
                }
            }
        }
    }
    return filter;
}

} // namespace sluice::models::anime4k
