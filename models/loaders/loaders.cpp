// SPDX-License-Identifier: Apache-2.0
// The table of loaders, and files as bytes.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <expected>
#include <filesystem>
#include <format>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "models/loaders/anime4k/anime4k_loader.h"
#include "models/loaders/loader.h"
#include "models/loaders/onnx/onnx_loader.h"
#include "models/loaders/tfjs/tfjs_loader.h"
#include "models/loaders/tflite/tflite_loader.h"
#include "models/loaders/webnn/webnn_loader.h"

namespace sluice::models {
namespace {

constexpr LoaderEntry kLoaders[] = {
    {"tflite", tflite::is_tflite, tflite::load, nullptr},
    {"webnn", webnn::is_webnn, webnn::load, webnn::side_files},
    {"anime4k", anime4k::is_anime4k, anime4k::load, nullptr},
    {"tfjs", tfjs::is_tfjs, tfjs::load, tfjs::side_files},
    {"onnx", onnx::is_onnx, onnx::load, onnx::side_files}, // last: it has no magic number
};

Result<const LoaderEntry*> find_loader(std::span<const std::byte> bytes, std::string_view name) {
    const auto* const found = std::ranges::find_if(
        kLoaders, [&](const LoaderEntry& entry) { return entry.sniff(bytes); });
    if (found != std::end(kLoaders)) {
        return found;
    }
    std::string known;
    for (const LoaderEntry& entry : kLoaders) {
        known += (known.empty() ? "" : ", ") + std::string(entry.format);
    }
    return fail(ErrorCode::Unsupported, "{} is in no format that can be loaded ({})", name, known);
}

} // namespace

std::span<const LoaderEntry> loaders() {
    return kLoaders;
}

Result<FileBytes> map_file(const std::filesystem::path& path) {
    // Non-blocking, so that a FIFO is told by its type below instead of waiting for a writer.
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
        const int error = errno;
        return fail(error == ENOENT || error == ENOTDIR ? ErrorCode::NotFound : ErrorCode::Io,
                    "cannot open {}: {}", path.string(), std::strerror(error));
    }
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) {
        return fail(ErrorCode::Io, "cannot examine {}: {}", path.string(), std::strerror(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        return fail(ErrorCode::Io, "{} is a directory, a file is needed", path.string());
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(ErrorCode::Io, "{} is no regular file", path.string());
    }
    if (status.st_size <= 0) {
        return fail(ErrorCode::Parse, "{} is empty", path.string());
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (mapped == MAP_FAILED) {
        return fail(ErrorCode::Io, "cannot map {}: {}", path.string(), std::strerror(errno));
    }
    const auto unmap = [size](const void* data) { ::munmap(const_cast<void*>(data), size); };
    return FileBytes{.owner = std::shared_ptr<const void>(mapped, unmap),
                     .bytes = {static_cast<const std::byte*>(mapped), size}};
}

Result<LoadedModel> load_model(const FileBytes& file, std::string_view name,
                               const LoadOptions& options) {
    SLUICE_TRY_ASSIGN(const LoaderEntry* const found, find_loader(file.bytes, name));
    auto model = found->load(file, options);
    if (!model) {
        return std::unexpected(std::move(model).error().within(std::format("loading {}", name)));
    }
    return model;
}

Result<std::vector<std::string>> side_files(std::span<const std::byte> bytes,
                                            std::string_view name) {
    SLUICE_TRY_ASSIGN(const LoaderEntry* const found, find_loader(bytes, name));
    if (found->side_files == nullptr) {
        return std::vector<std::string>();
    }
    auto files = found->side_files(bytes);
    if (!files) {
        return std::unexpected(std::move(files).error().within(std::format("reading {}", name)));
    }
    std::ranges::sort(*files);
    const auto rest = std::ranges::unique(*files);
    files->erase(rest.begin(), rest.end());
    return files;
}

Result<LoadedModel> load_model(const std::filesystem::path& path, const LoadOptions& options) {
    SLUICE_TRY_ASSIGN(const FileBytes file, map_file(path));
    LoadOptions placed = options;
    if (placed.folder.empty() && placed.files.empty()) {
        placed.folder = path.has_parent_path() ? path.parent_path() : ".";
    }
    return load_model(file, path.filename().string(), placed);
}

} // namespace sluice::models
