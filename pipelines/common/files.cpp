// SPDX-License-Identifier: Apache-2.0
// Whole files by POSIX calls, whose errors say why.
#include "pipelines/common/files.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/unique_fd.h"

namespace sluice::pipelines {
namespace {

std::unexpected<Error> failed(std::string_view doing, const std::filesystem::path& path) {
    const int reason = errno;
    return fail(reason == ENOENT ? ErrorCode::NotFound : ErrorCode::Io, "cannot {} '{}': {}", doing,
                path.string(), std::strerror(reason));
}

} // namespace

Result<std::vector<std::byte>> read_file(const std::filesystem::path& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        return failed("open", path);
    }
    struct stat about{};
    if (::fstat(file.get(), &about) != 0) {
        return failed("read", path);
    }
    std::vector<std::byte> bytes(static_cast<std::size_t>(about.st_size));
    std::size_t have = 0;
    while (have < bytes.size()) {
        const ssize_t got = ::read(file.get(), bytes.data() + have, bytes.size() - have);
        if (got < 0) {
            return failed("read", path);
        }
        if (got == 0) {
            break; // the file shrank meanwhile
        }
        have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    return bytes;
}

Status write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    const std::filesystem::path partial =
        path.parent_path() / ("." + path.filename().string() + ".partial");
    {
        const UniqueFd file(
            ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
        if (!file) {
            return failed("write", path);
        }
        while (!bytes.empty()) {
            const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
            if (put < 0) {
                auto error = failed("write", path);
                ::unlink(partial.c_str());
                return error;
            }
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
    }
    if (::rename(partial.c_str(), path.c_str()) != 0) {
        auto error = failed("write", path);
        ::unlink(partial.c_str());
        return error;
    }
    return {};
}

} // namespace sluice::pipelines
