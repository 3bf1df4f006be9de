// SPDX-License-Identifier: Apache-2.0
// PoolMemory: what the frames are made of that we make for others.
#pragma once

#include <cstdint>

#include <gst/gst.h>

#include "core/engine.h"
#include "core/vulkan/profile.h"
#include "gst-plugins/common/ref.h"

namespace sluice::gst {

enum class PoolMemory : std::uint8_t {
    Memfd,  // shared memory: read by the CPU, and by Vulkan by its pages or, in software, its file
    Dmabuf, // made by us
};

// The Vulkan device that a choice means, now; null: the CPU, or none.
[[nodiscard]] const vulkan::DeviceProfile* vulkan_profile(const DeviceChoice& device);

// What the device reads without a copy, and a software decoder can render into at full speed:
// memfds wherever the device can have their pages, which the CPU and what imports host memory can;
// else dmabufs of ordinary memory where the kernel makes them and this very device has been seen to
// import one. (Memory that a GPU exports is no choice: mapped, it is mostly not cached, and a
// decoder reads its reference frames.) Asks each device once per process.
struct PoolChoice {
    PoolMemory memory = PoolMemory::Memfd;
    bool for_device = false; // `device` means a Vulkan device
};
[[nodiscard]] PoolChoice choose_pool_memory(const DeviceChoice& device);

[[nodiscard]] Ref<GstAllocator> make_pool_allocator(PoolMemory memory);

} // namespace sluice::gst
