// SPDX-License-Identifier: Apache-2.0
// Mapping, checking and writing of files of packed weights.
#include "core/runtime/packed_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <format>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/checked_math.h"
#include "core/base/unique_fd.h"
#include "core/runtime/kernel.h"

namespace sluice::runtime {

namespace {

namespace fs = std::filesystem;

// In this machine's byte order: the file never leaves it.
struct Header {
    std::array<char, 8> magic{'s', 'l', 'u', 'i', 'c', 'e', 'p', 'w'};
    std::uint32_t version = 1; // of the file, not of its contents
    std::uint32_t count = 0;   // of blobs
    std::uint64_t bytes = 0;   // of the whole file
    ContentHash::Value key{};
    ContentHash::Value hash{}; // of the entries and of each blob
};
static_assert(sizeof(Header) == 56);

// One for each blob, behind the header; then the blobs, each on a kTensorAlignment boundary.
struct Entry {
    std::uint64_t offset = 0; // in the file
    std::uint64_t size = 0;
    std::uint64_t layout = 0;
};

std::span<const std::byte> bytes_of(const PackedBlob& blob) {
    return {blob.bytes.get(), static_cast<std::size_t>(blob.size)};
}

ContentHash::Value hash_of(std::span<const Entry> entries, std::span<const PackedBlob> blobs) {
    ContentHash hash;
    hash.add(std::as_bytes(entries));
    for (const PackedBlob& blob : blobs) {
        hash.add(bytes_of(blob));
    }
    return hash.value();
}

struct MappedFile {
    std::shared_ptr<const std::byte> bytes;
    std::size_t size = 0;
};

// Files of others are left alone: they could be changed while they are in use. What is read counts
// as used now.
Result<MappedFile> map_whole(const fs::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        return fail(errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Io, "{}",
                    std::strerror(errno));
    }
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) {
        return fail(ErrorCode::Io, "{}", std::strerror(errno));
    }
    if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() ||
        std::cmp_less(status.st_size, sizeof(Header))) {
        return fail(ErrorCode::Parse, "no file of packed weights of this user");
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd.get(), 0);
    if (memory == MAP_FAILED) {
        return fail(ErrorCode::Io, "{}", std::strerror(errno));
    }
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    return MappedFile{.bytes = {static_cast<const std::byte*>(memory),
                                [size](const std::byte* bytes) {
                                    ::munmap(const_cast<std::byte*>(bytes), size);
                                }},
                      .size = size};
}

// The entries, all of which lie in the file.
Result<std::vector<Entry>> read_entries(const MappedFile& file, const Header& header) {
    const std::span<const std::byte> rest(file.bytes.get() + sizeof(header),
                                          file.size - sizeof(header));
    if (header.count > rest.size() / sizeof(Entry)) {
        return fail(ErrorCode::Parse, "cut short");
    }
    std::vector<Entry> entries(header.count);
    std::memcpy(entries.data(), rest.data(), entries.size() * sizeof(Entry));
    for (const Entry& entry : entries) {
        if (entry.offset % kTensorAlignment != 0 || entry.offset > file.size ||
            entry.size > file.size - entry.offset) {
            return fail(ErrorCode::Parse, "damaged");
        }
    }
    return entries;
}

Result<std::vector<PackedBlob>> read_blobs(const MappedFile& file, const ContentHash::Value& key) {
    Header header;
    const Header expected;
    std::memcpy(&header, file.bytes.get(), sizeof(header));
    if (header.magic != expected.magic || header.version != expected.version || header.key != key) {
        return fail(ErrorCode::Parse, "of another network or version");
    }
    if (header.bytes != file.size) {
        return fail(ErrorCode::Parse, "cut short");
    }
    SLUICE_TRY_ASSIGN(const std::vector<Entry> entries, read_entries(file, header));
    std::vector<PackedBlob> blobs;
    blobs.reserve(entries.size());
    for (const Entry& entry : entries) {
        blobs.push_back({.bytes = {file.bytes, file.bytes.get() + entry.offset},
                         .size = entry.size,
                         .layout = entry.layout});
    }
    if (hash_of(entries, blobs) != header.hash) {
        return fail(ErrorCode::Parse, "damaged");
    }
    return blobs;
}

Status write_all(const UniqueFd& fd, std::span<const std::byte> data) {
    while (!data.empty()) {
        const ssize_t written = ::write(fd.get(), data.data(), data.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return fail(ErrorCode::Io, "{}", std::strerror(errno));
        }
        data = data.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Status write_contents(const UniqueFd& fd, const ContentHash::Value& key,
                      std::span<const PackedBlob> blobs) {
    std::vector<Entry> entries;
    std::size_t end = sizeof(Header) + blobs.size() * sizeof(Entry);
    for (const PackedBlob& blob : blobs) {
        const std::size_t offset = align_up(end, kTensorAlignment);
        entries.push_back({.offset = offset, .size = blob.size, .layout = blob.layout});
        end = offset + blob.size;
    }
    Header header;
    header.count = static_cast<std::uint32_t>(blobs.size());
    header.bytes = end;
    header.key = key;
    header.hash = hash_of(entries, blobs);
    SLUICE_TRY(write_all(fd, std::as_bytes(std::span(&header, 1))));
    SLUICE_TRY(write_all(fd, std::as_bytes(std::span(entries))));
    std::size_t done = sizeof(Header) + entries.size() * sizeof(Entry);
    for (std::size_t i = 0; i < blobs.size(); ++i) {
        constexpr std::array<std::byte, kTensorAlignment> kZeros{};
        SLUICE_TRY(write_all(fd, std::span(kZeros).first(entries[i].offset - done)));
        SLUICE_TRY(write_all(fd, bytes_of(blobs[i])));
        done = entries[i].offset + entries[i].size;
    }
    return {};
}

} // namespace

Result<std::vector<PackedBlob>> read_packed_file(const fs::path& path,
                                                 const ContentHash::Value& key) {
    const auto within = [&](Error error) {
        return std::unexpected(std::move(error).within(std::format("'{}'", path.string())));
    };
    auto file = map_whole(path);
    if (!file) {
        return within(std::move(file).error());
    }
    auto blobs = read_blobs(*file, key);
    if (!blobs) {
        return within(std::move(blobs).error());
    }
    return blobs;
}

Status write_packed_file(const fs::path& path, const ContentHash::Value& key,
                         std::span<const PackedBlob> blobs) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::string temporary = path.string() + ".XXXXXX";
    const UniqueFd fd(error ? -1 : ::mkostemp(temporary.data(), O_CLOEXEC)); // 0600
    if (!fd) {
        return fail(ErrorCode::Io, "cannot write '{}': {}", path.string(),
                    error ? error.message() : std::strerror(errno));
    }
    Status written = write_contents(fd, key, blobs);
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
        written = fail(ErrorCode::Io, "{}", std::strerror(errno));
    }
    if (!written) {
        ::unlink(temporary.c_str());
        return std::unexpected(
            std::move(written).error().within(std::format("writing '{}'", path.string())));
    }
    return {};
}

void drop_oldest(const fs::path& folder, std::uintmax_t bound) {
    struct File {
        fs::file_time_type used;
        fs::path path;
        std::uintmax_t bytes;
    };
    std::vector<File> files;
    std::uintmax_t total = 0;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
        std::error_code gone; // another process removed it
        File file{.used = entry->last_write_time(gone), .path = entry->path(), .bytes = 0};
        file.bytes = gone ? 0 : entry->file_size(gone);
        if (!gone) {
            total += file.bytes;
            files.push_back(std::move(file));
        }
    }
    std::ranges::sort(files, {}, &File::used);
    for (const File& file : files) {
        if (total <= bound) {
            return;
        }
        fs::remove(file.path, error);
        total -= file.bytes;
    }
}

} // namespace sluice::runtime
