// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: model.json, a zero byte, and one shard, which every name in the file stands
// for.
#include "models/loaders/tfjs/tfjs_loader.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto [description, shard] = sluice::fuzz::split(sluice::fuzz::file_of(data, size));
    sluice::models::LoadOptions options{.width = 8, .height = 8};
    if (const auto names = sluice::models::tfjs::side_files(description.bytes)) {
        for (const std::string& name : *names) {
            options.files[name] = shard;
        }
    }
    sluice::fuzz::check(sluice::models::tfjs::load(description, options));
    return 0;
}
