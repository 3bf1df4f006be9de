// SPDX-License-Identifier: Apache-2.0
// SHA-256 by OpenSSL's libcrypto.
#include "models/loaders/file_hash.h"

#include <array>
#include <cstddef>
#include <format>
#include <span>
#include <string>

#include <openssl/evp.h>

#include "core/base/result.h"

namespace sluice::models {

Result<std::string> sha256(std::span<const std::byte> bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        return fail(ErrorCode::Internal, "libcrypto computes no SHA-256");
    }
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
        text += std::format("{:02x}", digest[i]);
    }
    return text;
}

} // namespace sluice::models
