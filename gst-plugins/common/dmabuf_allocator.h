// SPDX-License-Identifier: Apache-2.0
// An allocator whose memories are dmabufs of our own.
#pragma once

#include <gst/gst.h>

#include "gst-plugins/common/ref.h"

namespace sluice::gst {

// A GstDmaBufAllocator that also allocates, by zero_copy::make_dmabuf(). The memories stay mapped
// while they live, so that a pool's frames are mapped once. gst_allocator_alloc() gives null, and
// the log the reason, where the kernel does not let us.
[[nodiscard]] Ref<GstAllocator> make_dmabuf_allocator();

// Whether this is the memory of such an allocator: its file lasts as long as it.
[[nodiscard]] bool is_own_dmabuf(GstMemory* memory);

} // namespace sluice::gst
