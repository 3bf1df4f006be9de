// SPDX-License-Identifier: Apache-2.0
// Sealed models: a model and the files beside it, encrypted and authenticated in one file.
//
// The file: 8 bytes "SLUSEAL" and the version 1, 8 of the key's id, 8 of the payload's size, the 24
// of XChaCha20-Poly1305's secretstream header; then the payload in pieces of 64 KiB, each with its
// 17 bytes of authentication, which covers the first 48 bytes of the file, too. The last piece is
// marked as such. Numbers are little-endian. The payload is a table of files and their contents,
// aligned to 64 bytes, so that constants of a graph may point into it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "models/loaders/loader.h"
#include "models/store/model_key.h"

namespace sluice::models {

struct NamedBytes {
    std::string name;
    std::span<const std::byte> bytes;
};

// Whether the file begins like a sealed one.
[[nodiscard]] bool is_sealed(std::span<const std::byte> bytes);

// The model first, then the files beside it by the names it has for them.
[[nodiscard]] Result<std::vector<std::byte>> seal(std::span<const NamedBytes> files,
                                                  const ModelKey& key);
// The same for a model on disk, the files that it names and its .modelinfo.
[[nodiscard]] Result<std::vector<std::byte>> seal_model(const std::filesystem::path& path,
                                                        const ModelKey& key);

struct UnsealedModel {
    std::string name; // of the model's file when it was sealed
    FileBytes model;
    std::map<std::string, FileBytes> files; // as LoadOptions::files
};

// Decrypts into memory that is locked, left out of core dumps, read-only once filled, and wiped
// with the last user of its bytes. InvalidArgument: another key. Parse: cut off or altered; nothing
// of it is handed out then.
[[nodiscard]] Result<UnsealedModel> unseal(std::span<const std::byte> sealed, const ModelKey& key);

} // namespace sluice::models
