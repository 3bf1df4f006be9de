// SPDX-License-Identifier: Apache-2.0
// Owner of a POSIX file descriptor.
#pragma once

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "core/base/result.h"

namespace sluice {

// Owns a file descriptor and closes it. Move-only; sharing is shared_ptr's job, duplication is
// explicit because it can fail.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    explicit operator bool() const { return fd_ >= 0; }

    // A second descriptor of the same open file, close-on-exec.
    [[nodiscard]] Result<UniqueFd> dup() const {
        const int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
        if (copy < 0) {
            return fail(ErrorCode::Io, "cannot duplicate file descriptor {}: {}", fd_,
                        std::strerror(errno));
        }
        return UniqueFd(copy);
    }

private:
    int fd_ = -1;
};

} // namespace sluice
