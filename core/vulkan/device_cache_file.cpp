// SPDX-License-Identifier: Apache-2.0
// Reading and writing of files that belong to a device and its driver.
#include "core/vulkan/device_cache_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <format>
#include <fstream>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "core/base/unique_fd.h"

namespace sluice::vulkan {

namespace {

// In this machine's byte order: the file never leaves it.
struct Header {
    std::array<char, 8> magic{};
    std::uint32_t version = 0;
    std::uint32_t driver_version = 0;
    std::uint64_t bytes = 0; // of the data that follow
    std::uint64_t hash = 0;  // of them
};
static_assert(sizeof(Header) == 32);

constexpr std::uint64_t kLargest = 1U << 28U;

// FNV-1a, 64 bits: it finds damage, nobody attacks a user's own cache.
std::uint64_t hash_of(std::span<const std::byte> data) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const std::byte byte : data) {
        hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3U;
    }
    return hash;
}

Header header_of(const DeviceProfile& device, const CacheKind& kind) {
    Header header{.version = kind.version, .driver_version = device.driver_version};
    std::copy_n(kind.magic.begin(), std::min(kind.magic.size(), header.magic.size()),
                header.magic.begin());
    return header;
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

} // namespace

std::filesystem::path device_cache_path(const DeviceProfile& device, std::string_view extension) {
    std::filesystem::path folder;
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
        folder = cache;
    } else if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
        folder = std::filesystem::path(home) / ".cache";
    } else {
        return {};
    }
    std::string uuid;
    for (const std::uint8_t byte : device.cache_uuid) {
        uuid += std::format("{:02x}", byte);
    }
    return folder / "sluice" / "pipelines" /
           std::format("{:04x}-{:04x}-{}.{}", device.vendor_id, device.device_id, uuid, extension);
}

Result<std::vector<std::byte>> read_device_cache(const std::filesystem::path& path,
                                                 const DeviceProfile& device,
                                                 const CacheKind& kind) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return fail(ErrorCode::NotFound, "there is no '{}'", path.string());
    }
    Header header;
    file.read(reinterpret_cast<char*>(&header), sizeof(header));
    const Header expected = header_of(device, kind);
    if (!file || header.magic != expected.magic || header.version != expected.version ||
        header.bytes > kLargest) {
        return fail(ErrorCode::Parse, "'{}' is no {} of this version", path.string(), kind.name);
    }
    if (header.driver_version != device.driver_version) {
        return fail(ErrorCode::Parse, "'{}' is of another driver version", path.string());
    }
    std::vector<std::byte> data(header.bytes);
    file.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(data.size()));
    if (!file || hash_of(data) != header.hash) {
        return fail(ErrorCode::Parse, "'{}' is damaged", path.string());
    }
    return data;
}

Status write_device_cache(const std::filesystem::path& path, const DeviceProfile& device,
                          const CacheKind& kind, std::span<const std::byte> data) {
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    std::string temporary = path.string() + ".XXXXXX";
    const UniqueFd fd(error ? -1 : ::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd) {
        return fail(ErrorCode::Io, "cannot write '{}': {}", path.string(),
                    error ? error.message() : std::strerror(errno));
    }
    Header header = header_of(device, kind);
    header.bytes = data.size();
    header.hash = hash_of(data);
    Status written = write_all(fd, std::as_bytes(std::span(&header, 1)));
    if (written) {
        written = write_all(fd, data);
    }
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

} // namespace sluice::vulkan
