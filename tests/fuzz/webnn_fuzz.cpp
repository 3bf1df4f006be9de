// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: WebNN JSON, a zero byte, and the weights, which here need no matching hash.
// What loads is saved and loaded once more: the second description equals the first.
#include "models/loaders/webnn/webnn_loader.h"
#include "models/loaders/webnn/webnn_writer.h"
#include "tests/fuzz/fuzz.h"

namespace webnn = sluice::models::webnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = sluice::fuzz::file_of(data, size);
    const auto [text, weights] = sluice::fuzz::split(file);
    const auto model = webnn::load_with_weights(text.bytes, weights);
    sluice::fuzz::check(model);
    sluice::fuzz::check(sluice::models::webnn::load(file, {}));
    if (!model) {
        return 0;
    }
    const auto saved = webnn::save(model->graph, model->info, "w");
    if (!saved) {
        __builtin_trap();
    }
    sluice::models::LoadOptions options;
    options.files["w"] = {.owner = nullptr, .bytes = saved->weights};
    const auto bytes = std::as_bytes(std::span(saved->description));
    const auto again = webnn::load({.owner = nullptr, .bytes = bytes}, options);
    if (!again) {
        __builtin_trap();
    }
    const auto twice = webnn::save(again->graph, again->info, "w");
    if (!twice || twice->description != saved->description) {
        __builtin_trap();
    }
    return 0;
}
