// SPDX-License-Identifier: Apache-2.0
// An allocator whose memories are files of shared memory of our own.
#pragma once

#include <gst/gst.h>

#include "gst-plugins/common/ref.h"

namespace sluice::gst {

// A GstFdAllocator that also allocates: sealed memfds of whole pages, mapped for reading and
// writing while they live, so that a pool's frames are mapped once, by all, and a device can have
// their pages. gst_allocator_alloc() gives ordinary memory, and the log the reason, where no
// descriptor is left.
[[nodiscard]] Ref<GstAllocator> make_memfd_allocator();

// Whether this is the memory of such an allocator: its mapping and its file last as long as it.
[[nodiscard]] bool is_own_memfd(GstMemory* memory);

} // namespace sluice::gst
