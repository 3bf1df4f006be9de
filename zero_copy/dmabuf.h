// SPDX-License-Identifier: Apache-2.0
// Making dmabufs from ordinary memory, where the kernel lets us.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace sluice::zero_copy {

// A new dmabuf of at least this size (rounded up to whole pages), zeroed, linear, readable and
// writable by the CPU: from /dev/udmabuf, which desktop users may open, else from
// /dev/dma_heap/system. Unsupported says why neither can be used.
[[nodiscard]] Result<UniqueFd> make_dmabuf(std::size_t bytes);

// Whether make_dmabuf() can work on this machine. Asked of the kernel once per process.
[[nodiscard]] bool can_make_dmabufs();

// The most bytes that make_dmabuf() gives: what udmabuf's module parameter size_limit_mb says where
// there is no dma-heap; 0 where neither can be used. Asked of the kernel once per process.
[[nodiscard]] std::size_t largest_dmabuf();
// By the text of that parameter; the kernel's default, 64 MB, where it says no number. Pure.
[[nodiscard]] std::size_t udmabuf_limit(std::string_view parameter);

} // namespace sluice::zero_copy
