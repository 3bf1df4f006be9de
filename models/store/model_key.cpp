// SPDX-License-Identifier: Apache-2.0
// Keys by libsodium's memory functions, from files, the environment and the kernel's keyrings.
#include "models/store/model_key.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sodium.h>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace sluice::models {
namespace {

constexpr const char* kDefaultSource = "SLUICE_MODEL_KEY";
constexpr std::size_t kMaxTextBytes = 256; // of a key with white space around it

Status start_sodium() {
    if (::sodium_init() < 0) {
        return fail(ErrorCode::Internal, "libsodium does not start");
    }
    return {};
}

// A key's text on the stack, wiped when it goes.
struct SecretText {
    std::array<std::byte, kMaxTextBytes> bytes{};
    std::size_t size = 0;

    SecretText() = default;
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    ~SecretText() { ::sodium_memzero(bytes.data(), bytes.size()); }
    [[nodiscard]] std::span<const std::byte> view() const { return std::span(bytes).first(size); }
};

Result<ModelKey> read_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) {
        const int error = errno;
        return fail(error == ENOENT ? ErrorCode::NotFound : ErrorCode::Io,
                    "the key file {} cannot be opened: {}", path, std::strerror(error));
    }
    if (S_ISREG(status.st_mode) && (status.st_mode & (S_IRGRP | S_IROTH)) != 0) {
        log::warning("store", "the key file {} can be read by others; chmod 600 it", path);
    }
    SecretText text;
    while (text.size < text.bytes.size()) {
        const ssize_t got =
            ::read(file.get(), text.bytes.data() + text.size, text.bytes.size() - text.size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(ErrorCode::Io, "the key file {} cannot be read: {}", path,
                        std::strerror(errno));
        }
        if (got == 0) {
            break;
        }
        text.size += static_cast<std::size_t>(got);
    }
    return ModelKey::parse(text.view());
}

Result<ModelKey> read_variable(const std::string& name) {
    const char* const value = std::getenv(name.c_str()); // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) {
        return fail(ErrorCode::NotFound, "the environment variable {} is not set", name);
    }
    return ModelKey::parse(std::as_bytes(std::span(value, std::strlen(value))));
}

Result<ModelKey> read_keyring(const std::string& name) {
    const long id = ::syscall(SYS_request_key, "user", name.c_str(), nullptr, 0);
    if (id < 0) {
        return fail(errno == ENOKEY ? ErrorCode::NotFound : ErrorCode::Io,
                    "the kernel's keyrings give no key '{}': {}; add it with 'keyctl padd user {} "
                    "@s'",
                    name, std::strerror(errno), name);
    }
    SecretText text;
    const long size = ::syscall(SYS_keyctl, KEYCTL_READ, id, text.bytes.data(), text.bytes.size());
    if (size < 0) {
        return fail(ErrorCode::Io, "the kernel's key '{}' cannot be read: {}", name,
                    std::strerror(errno));
    }
    if (static_cast<std::size_t>(size) > text.bytes.size()) {
        return fail(ErrorCode::Parse, "the kernel's key '{}' has {} bytes, {} at most", name, size,
                    text.bytes.size());
    }
    text.size = static_cast<std::size_t>(size);
    return ModelKey::parse(text.view());
}

Result<ModelKey> read_source(std::string_view source) {
    const auto behind = [&](std::string_view prefix) {
        return std::string(source.substr(prefix.size()));
    };
    if (source.starts_with("env:")) {
        return read_variable(behind("env:"));
    }
    if (source.starts_with("keyring:")) {
        return read_keyring(behind("keyring:"));
    }
    return read_file(source.starts_with("file:") ? behind("file:") : std::string(source));
}

} // namespace

void ModelKey::Free::operator()(unsigned char* bytes) const {
    ::sodium_free(bytes); // wipes, too
}

Result<ModelKey> ModelKey::allocate() {
    SLUICE_TRY(start_sodium());
    ModelKey key(static_cast<unsigned char*>(::sodium_malloc(kModelKeyBytes)));
    if (key.bytes_ == nullptr) {
        return fail(ErrorCode::OutOfMemory, "no memory for a key");
    }
    return key;
}

Result<ModelKey> ModelKey::generate() {
    SLUICE_TRY_ASSIGN(ModelKey key, allocate());
    ::randombytes_buf(key.bytes_.get(), kModelKeyBytes);
    return key;
}

Result<ModelKey> ModelKey::parse(std::span<const std::byte> text) {
    SLUICE_TRY_ASSIGN(ModelKey key, allocate());
    if (text.size() == kModelKeyBytes) {
        std::memcpy(key.bytes_.get(), text.data(), kModelKeyBytes);
        return key;
    }
    const auto is_space = [](std::byte c) {
        return c == std::byte{' '} || c == std::byte{'\t'} || c == std::byte{'\r'} ||
               c == std::byte{'\n'};
    };
    while (!text.empty() && is_space(text.front())) {
        text = text.subspan(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text = text.first(text.size() - 1);
    }
    std::size_t size = 0;
    const char* end = nullptr;
    const auto* digits = reinterpret_cast<const char*>(text.data());
    const bool fits = text.size() == 2 * kModelKeyBytes &&
                      ::sodium_hex2bin(key.bytes_.get(), kModelKeyBytes, digits, text.size(),
                                       nullptr, &size, &end) == 0 &&
                      size == kModelKeyBytes && end == digits + text.size();
    if (!fits) {
        return fail(ErrorCode::Parse,
                    "a key is {} hexadecimal digits or {} raw bytes, this one is neither ({} "
                    "bytes); make one with 'sluice models keygen'",
                    2 * kModelKeyBytes, kModelKeyBytes, text.size());
    }
    return key;
}

std::uint64_t ModelKey::id() const {
    constexpr std::string_view kPurpose = "sluice: id of a model key";
    std::array<unsigned char, crypto_generichash_BYTES_MIN> hash{};
    ::crypto_generichash(hash.data(), hash.size(),
                         reinterpret_cast<const unsigned char*>(kPurpose.data()), kPurpose.size(),
                         bytes_.get(), kModelKeyBytes);
    std::uint64_t id = 0;
    std::memcpy(&id, hash.data(), sizeof(id));
    return id;
}

std::string ModelKey::to_text() const {
    std::string text(2 * kModelKeyBytes + 1, '\0'); // bin2hex ends with a zero
    ::sodium_bin2hex(text.data(), text.size(), bytes_.get(), kModelKeyBytes);
    text.back() = '\n';
    return text;
}

Result<ModelKey> read_model_key(std::string_view source) {
    std::string named(source);
    if (named.empty()) {
        // zero
        const char* const given = std::getenv(kDefaultSource);
        named = given == nullptr ? "" : given;
    }
    if (named.empty()) {
        return fail(ErrorCode::InvalidArgument,
                    "no key is given: name a file, env:NAME or keyring:NAME (--key, the property "
                    "model-key, or {})",
                    kDefaultSource);
    }
    // Somebody's secret must not end in a message.
    if (named.size() == 2 * kModelKeyBytes &&
        named.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos) {
        wipe(named);
        return fail(ErrorCode::InvalidArgument,
                    "a key itself is given where the place of one is needed: a file, env:NAME or "
                    "keyring:NAME; whoever saw that command line has the key");
    }
    auto key = read_source(named);
    if (!key) {
        return std::unexpected(std::move(key).error().within("key " + named));
    }
    return key;
}

void wipe(std::string& text) {
    ::sodium_memzero(text.data(), text.size());
}

} // namespace sluice::models
