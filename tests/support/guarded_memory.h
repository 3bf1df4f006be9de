// SPDX-License-Identifier: Apache-2.0
// Memory between two pages that may not be touched: a byte too far ends the program at once.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>

#include <sys/mman.h>
#include <unistd.h>

namespace sluice::testing {

// `size` bytes that end, or begin, where a forbidden page lies.
class GuardedMemory {
public:
    enum class Side { AtEnd, AtBeginning };

    GuardedMemory(std::size_t size, Side side) : size_(size) {
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        const std::size_t inside = (size + page - 1) / page * page;
        mapped_ = inside + 2 * page;
        void* const all = ::mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (all == MAP_FAILED) {
            throw std::runtime_error("no memory to map");
        }
        base_ = static_cast<std::byte*>(all);
        if (inside > 0 && ::mprotect(base_ + page, inside, PROT_READ | PROT_WRITE) != 0) {
            throw std::runtime_error("no memory to unprotect");
        }
        data_ = base_ + page + (side == Side::AtEnd ? inside - size : 0);
    }
    GuardedMemory(GuardedMemory&& other) noexcept
        : base_(other.base_), mapped_(other.mapped_), data_(other.data_), size_(other.size_) {
        other.base_ = nullptr;
    }
    GuardedMemory(const GuardedMemory&) = delete;
    GuardedMemory& operator=(const GuardedMemory&) = delete;
    GuardedMemory& operator=(GuardedMemory&&) = delete;
    ~GuardedMemory() {
        if (base_ != nullptr) {
            ::munmap(base_, mapped_);
        }
    }

    [[nodiscard]] std::span<std::byte> bytes() const { return {data_, size_}; }

private:
    std::byte* base_ = nullptr;
    std::size_t mapped_ = 0;
    std::byte* data_ = nullptr;
    std::size_t size_;
};

} // namespace sluice::testing
