// SPDX-License-Identifier: Apache-2.0
// The key of sealed models: where it comes from, and memory that does not keep it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sluice::models {

inline constexpr std::size_t kModelKeyBytes = 32;

// 32 secret bytes in locked, guarded memory, which is left out of core dumps and wiped when the key
// goes.
class ModelKey {
public:
    // A random one.
    [[nodiscard]] static Result<ModelKey> generate();
    // 64 hexadecimal digits, white space around them allowed, or 32 raw bytes. The error does not
    // repeat what was given.
    [[nodiscard]] static Result<ModelKey> parse(std::span<const std::byte> text);

    [[nodiscard]] const unsigned char* data() const { return bytes_.get(); }
    // 16 hexadecimal digits that tell keys apart and from which the key cannot be found.
    [[nodiscard]] std::uint64_t id() const;
    // The 64 digits and a line feed, for a file; the caller wipes them.
    [[nodiscard]] std::string to_text() const;

private:
    struct Free {
        void operator()(unsigned char* bytes) const;
    };
    explicit ModelKey(unsigned char* bytes) : bytes_(bytes) {}
    [[nodiscard]] static Result<ModelKey> allocate();

    std::unique_ptr<unsigned char, Free> bytes_;
};

// Reads the key from `source`: "env:NAME" (an environment variable), "keyring:NAME" (a key of the
// type "user" in one of the process's kernel keyrings), or the path of a file, also as "file:PATH".
// Empty: the source that $SLUICE_MODEL_KEY names. NotFound names what is not there.
[[nodiscard]] Result<ModelKey> read_model_key(std::string_view source);

// Overwrites what held a secret, in a way that no compiler leaves out.
void wipe(std::string& text);

} // namespace sluice::models
