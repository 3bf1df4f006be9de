// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any bytes as a .npy file. What can be read is written and read again.
#include <cstddef>
#include <cstdint>
#include <span>

#include "pipelines/common/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto array = sluice::pipelines::parse_npy(std::as_bytes(std::span(data, size)));
    if (!array) {
        if (array.error().message.empty()) {
            __builtin_trap();
        }
        return 0;
    }
    const auto bytes = sluice::pipelines::encode_npy(array->desc, array->bytes);
    const auto again = sluice::pipelines::parse_npy(bytes);
    if (!again || again->desc != array->desc || again->bytes != array->bytes) {
        __builtin_trap();
    }
    return 0;
}
