// SPDX-License-Identifier: Apache-2.0
// Sealing by libsodium's secretstream.
#include "models/store/seal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sodium.h>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "models/loaders/loader.h"
#include "models/loaders/modelinfo.h"
#include "models/loaders/side_file.h"
#include "models/loaders/text.h"
#include "models/store/model_key.h"
#include "models/store/sealed_table.h"

namespace sluice::models {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are stored as they are");

constexpr std::array<std::byte, 8> kMagic{std::byte{'S'}, std::byte{'L'}, std::byte{'U'},
                                          std::byte{'S'}, std::byte{'E'}, std::byte{'A'},
                                          std::byte{'L'}, std::byte{1}};
constexpr std::size_t kVersionAt = 7;
constexpr std::size_t kKeyIdAt = 8;
constexpr std::size_t kSizeAt = 16;
constexpr std::size_t kStreamAt = 24;
constexpr std::size_t kHeaderBytes = kStreamAt + crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t kPieceBytes = std::size_t{64} << 10U;
constexpr std::size_t kTagBytes = crypto_secretstream_xchacha20poly1305_ABYTES;
static_assert(crypto_secretstream_xchacha20poly1305_KEYBYTES == kModelKeyBytes);

unsigned char* bytes_at(std::byte* data) {
    return reinterpret_cast<unsigned char*>(data);
}
const unsigned char* bytes_at(const std::byte* data) {
    return reinterpret_cast<const unsigned char*>(data);
}

// The state of a stream, which holds key material.
struct Stream {
    crypto_secretstream_xchacha20poly1305_state state{};

    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { ::sodium_memzero(&state, sizeof(state)); }
};

// Memory for a payload; the size is rounded up so that it begins aligned, for libsodium puts the
// end at the end of a page.
std::shared_ptr<std::byte> locked_memory(std::size_t size) {
    auto* const memory = static_cast<std::byte*>(::sodium_malloc(align_up(size, kSealedAlignment)));
    return {memory, [](std::byte* bytes) { ::sodium_free(bytes); }};
}

std::size_t pieces_of(std::uint64_t size) {
    return std::max<std::size_t>(div_ceil<std::size_t>(size, kPieceBytes), 1);
}

// The lengths that header and file tell must agree before anything is decrypted.
Result<std::size_t> payload_size(std::span<const std::byte> sealed) {
    if (sealed.size() < kHeaderBytes ||
        !std::ranges::equal(sealed.first(kVersionAt), std::span(kMagic).first(kVersionAt))) {
        return fail(ErrorCode::Parse, "it is no sealed model, or cut off");
    }
    if (sealed[kVersionAt] != kMagic[kVersionAt]) {
        return fail(ErrorCode::Unsupported,
                    "it is sealed in version {} of the format, version {} can be opened",
                    std::to_integer<int>(sealed[kVersionAt]),
                    std::to_integer<int>(kMagic[kVersionAt]));
    }
    const auto size = number_at<std::uint64_t>(sealed, kSizeAt);
    const std::size_t body = sealed.size() - kHeaderBytes;
    if (size > body || pieces_of(size) * kTagBytes + size != body) {
        return fail(ErrorCode::Parse,
                    "it has {} bytes behind its header, {} bytes of content need another number: "
                    "it was cut off or altered",
                    body, size);
    }
    return static_cast<std::size_t>(size);
}

} // namespace

bool is_sealed(std::span<const std::byte> bytes) {
    return bytes.size() >= kMagic.size() &&
           std::ranges::equal(bytes.first(kVersionAt), std::span(kMagic).first(kVersionAt));
}

Result<std::vector<std::byte>> seal(std::span<const NamedBytes> files, const ModelKey& key) {
    if (files.empty() || files.size() > kMaxSealedFiles) {
        return fail(ErrorCode::Unsupported, "{} files, 1 to {} can be sealed in one", files.size(),
                    kMaxSealedFiles);
    }
    std::size_t size = 0;
    const std::vector<std::byte> table = write_file_table(files);
    size = table.size();
    for (const NamedBytes& file : files) {
        if (file.name.size() > kMaxSealedNameBytes) {
            return fail(ErrorCode::Unsupported, "a name of {} bytes", file.name.size());
        }
        size += align_up(file.bytes.size(), kSealedAlignment); // mapped files, far from overflow
    }
    // The payload is not secret from whoever seals it, but it need not lie about either.
    const auto payload = locked_memory(size);
    if (payload == nullptr) {
        return fail(ErrorCode::OutOfMemory, "no memory for {} bytes", size);
    }
    std::memset(payload.get(), 0, size);
    std::ranges::copy(table, payload.get());
    std::size_t at = table.size();
    for (const NamedBytes& file : files) {
        std::ranges::copy(file.bytes, payload.get() + at);
        at += align_up(file.bytes.size(), kSealedAlignment);
    }

    std::vector<std::byte> out(kMagic.begin(), kMagic.end());
    put(out, key.id());
    put(out, static_cast<std::uint64_t>(size));
    out.resize(kHeaderBytes + pieces_of(size) * kTagBytes + size);
    Stream stream;
    if (::crypto_secretstream_xchacha20poly1305_init_push(
            &stream.state, bytes_at(out.data() + kStreamAt), key.data()) != 0) {
        return fail(ErrorCode::Internal, "libsodium starts no stream");
    }
    std::byte* target = out.data() + kHeaderBytes;
    for (std::size_t done = 0; done < size;) {
        const std::size_t piece = std::min(kPieceBytes, size - done);
        const unsigned char tag = done + piece == size
                                      ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                      : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
        if (::crypto_secretstream_xchacha20poly1305_push(
                &stream.state, bytes_at(target), nullptr, bytes_at(payload.get() + done), piece,
                bytes_at(out.data()), kHeaderBytes, tag) != 0) {
            return fail(ErrorCode::Internal, "libsodium encrypts no piece of {} bytes", piece);
        }
        done += piece;
        target += piece + kTagBytes;
    }
    return out;
}

Result<std::vector<std::byte>> seal_model(const std::filesystem::path& path, const ModelKey& key) {
    SLUICE_TRY_ASSIGN(const FileBytes model, map_file(path));
    if (is_sealed(model.bytes)) {
        return fail(ErrorCode::InvalidArgument, "{} is sealed already", path.string());
    }
    const std::string name = path.filename().string();
    SLUICE_TRY_ASSIGN(const auto beside, side_files(model.bytes, name));
    LoadOptions options;
    options.folder = path.has_parent_path() ? path.parent_path() : ".";
    std::vector<FileBytes> kept;
    std::vector<NamedBytes> files{{.name = name, .bytes = model.bytes}};
    for (const std::string& file : beside) {
        auto mapped = map_side_file(options, file);
        if (!mapped) {
            return std::unexpected(std::move(mapped).error().within(name));
        }
        files.push_back({.name = file, .bytes = mapped->bytes});
        kept.push_back(std::move(*mapped));
    }
    if (const auto sidecar = find_modelinfo(path)) {
        SLUICE_TRY_ASSIGN(FileBytes mapped, map_file(*sidecar));
        files.push_back({.name = name + ".modelinfo", .bytes = mapped.bytes});
        kept.push_back(std::move(mapped));
    }
    return seal(files, key);
}

Result<UnsealedModel> unseal(std::span<const std::byte> sealed, const ModelKey& key) {
    SLUICE_TRY_ASSIGN(const std::size_t size, payload_size(sealed));
    if (const auto id = number_at<std::uint64_t>(sealed, kKeyIdAt); id != key.id()) {
        return fail(ErrorCode::InvalidArgument,
                    "it is sealed with the key {:016x}, the key given is {:016x}", id, key.id());
    }
    const auto payload = locked_memory(size);
    Stream stream;
    if (payload == nullptr) {
        return fail(ErrorCode::OutOfMemory, "no memory for {} bytes", size);
    }
    const auto altered = [] {
        return fail(ErrorCode::Parse, "it was altered, or is sealed with another key");
    };
    if (::crypto_secretstream_xchacha20poly1305_init_pull(
            &stream.state, bytes_at(sealed.data() + kStreamAt), key.data()) != 0) {
        return altered();
    }
    const std::byte* source = sealed.data() + kHeaderBytes;
    std::size_t done = 0;
    do {
        const std::size_t piece = std::min(kPieceBytes, size - done);
        const unsigned char wanted = done + piece == size
                                         ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                         : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
        unsigned char tag = 0;
        if (::crypto_secretstream_xchacha20poly1305_pull(
                &stream.state, bytes_at(payload.get() + done), nullptr, &tag, bytes_at(source),
                piece + kTagBytes, bytes_at(sealed.data()), kHeaderBytes) != 0 ||
            tag != wanted) {
            return altered();
        }
        done += piece;
        source += piece + kTagBytes;
    } while (done < size);
    ::sodium_mprotect_readonly(payload.get());
    return read_file_table(payload, {payload.get(), size});
}

} // namespace sluice::models
