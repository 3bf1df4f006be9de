// SPDX-License-Identifier: Apache-2.0
// Making dmabufs from ordinary memory, where the kernel lets us.
#pragma once

#include <cstddef>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace sluice::zero_copy {

// A new dmabuf of at least this size (rounded up to whole pages), zeroed, linear, readable and
// writable by the CPU: from /dev/udmabuf, which desktop users may open, else from
// /dev/dma_heap/system. Unsupported says why neither can be used.
[[nodiscard]] Result<UniqueFd> make_dmabuf(std::size_t bytes);

// Whether make_dmabuf() can work on this machine. Asked of the kernel once per process.
[[nodiscard]] bool can_make_dmabufs();

} // namespace sluice::zero_copy
