// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any bytes as a sealed file, and the same bytes as what a file holds that was
// sealed with the right key: its table of files is read, too.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <sodium.h>

#include "models/store/model_key.h"
#include "models/store/seal.h"

namespace {

using sluice::models::ModelKey;

constexpr std::size_t kHeader = 48; // as seal.h describes the format
constexpr std::size_t kPiece = 65536;

const ModelKey& key() {
    static const ModelKey fixed = [] {
        const std::array<std::byte, 32> bytes{std::byte{7}};
        return *ModelKey::parse(bytes);
    }();
    return fixed;
}

std::vector<std::byte> sealed(const std::uint8_t* data, std::size_t size) {
    std::vector<std::byte> out(kHeader + size + 17);
    const std::uint64_t id = key().id();
    const std::uint64_t length = size;
    std::memcpy(out.data(), "SLUSEAL\1", 8);
    std::memcpy(out.data() + 8, &id, 8);
    std::memcpy(out.data() + 16, &length, 8);
    auto* const bytes = reinterpret_cast<unsigned char*>(out.data());
    crypto_secretstream_xchacha20poly1305_state state;
    crypto_secretstream_xchacha20poly1305_init_push(&state, bytes + 24, key().data());
    crypto_secretstream_xchacha20poly1305_push(&state, bytes + kHeader, nullptr, data, size, bytes,
                                               kHeader,
                                               crypto_secretstream_xchacha20poly1305_TAG_FINAL);
    return out;
}

// Every byte that is handed out can be read.
void touch(std::span<const std::byte> bytes) {
    volatile std::byte sum{};
    for (const std::byte byte : bytes) {
        sum = sum ^ byte;
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (sluice::models::unseal(std::as_bytes(std::span(data, size)), key())) {
        __builtin_trap(); // nobody guesses 16 bytes of authentication
    }
    if (size > kPiece) {
        return 0;
    }
    const auto out = sluice::models::unseal(sealed(data, size), key());
    if (out) {
        touch(out->model.bytes);
        for (const auto& [name, file] : out->files) {
            touch(file.bytes);
        }
    } else if (out.error().message.empty()) {
        __builtin_trap();
    }
    return 0;
}
