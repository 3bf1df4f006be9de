// SPDX-License-Identifier: Apache-2.0
// Asks the chosen device whether it imports a dmabuf of ours.
#include "gst-plugins/common/pool_memory.h"

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/auto_device.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "gst-plugins/common/dmabuf_allocator.h"
#include "gst-plugins/common/memfd_allocator.h"
#include "zero_copy/dmabuf.h"

GST_DEBUG_CATEGORY_EXTERN(sluice_filter_debug);
#define GST_CAT_DEFAULT sluice_filter_debug

namespace sluice::gst {

namespace {

constexpr std::size_t kTrialBytes = std::size_t{1} << 16U;

std::optional<std::size_t> vulkan_device(const DeviceChoice& device) {
    if (device.kind == DeviceKind::Cpu || device.kind == DeviceKind::Reference ||
        (device.kind == DeviceKind::Auto && !kernel_has_gpu())) {
        return std::nullopt;
    }
    const auto profiles = vulkan::list_devices();
    if (!profiles) {
        return std::nullopt;
    }
    if (device.kind == DeviceKind::Auto) {
        return choose_gpu(*profiles);
    }
    const auto index = vulkan::select_device(*profiles, device.selector);
    return index ? std::optional(*index) : std::nullopt;
}

// Why dmabufs are not, or need not be, made for this device.
Status try_dmabuf(std::size_t index) {
    SLUICE_TRY_ASSIGN(const auto profiles, vulkan::list_devices());
    const vulkan::DeviceProfile& profile = profiles[index];
    if (profile.import_host_pointer || profile.type == vulkan::DeviceType::Software) {
        return fail(ErrorCode::Unsupported, "'{}' takes memory as it is", profile.name);
    }
    SLUICE_TRY_ASSIGN(auto file, zero_copy::make_dmabuf(kTrialBytes));
    SLUICE_TRY_ASSIGN(const auto device, vulkan::Device::open(std::to_string(index)));
    SLUICE_TRY(vulkan::Buffer::import_dma_buf(device, std::move(file), kTrialBytes));
    return {};
}

} // namespace

const vulkan::DeviceProfile* vulkan_profile(const DeviceChoice& device) {
    const auto index = vulkan_device(device);
    const auto profiles = vulkan::list_devices();
    return index && profiles ? &(*profiles)[*index] : nullptr;
}

PoolChoice choose_pool_memory(const DeviceChoice& device) {
    static std::mutex lock; // guards known
    static std::map<std::size_t, PoolMemory> known;
    const auto index = vulkan_device(device);
    if (!index) {
        return {};
    }
    const std::lock_guard hold(lock);
    if (const auto at = known.find(*index); at != known.end()) {
        return {.memory = at->second, .for_device = true};
    }
    const Status tried = try_dmabuf(*index);
    if (!tried) {
        GST_INFO("frames for device %zu are memfds, not dmabufs: %s", *index,
                 tried.error().message.c_str());
    }
    const PoolMemory memory = tried ? PoolMemory::Dmabuf : PoolMemory::Memfd;
    known.emplace(*index, memory);
    return {.memory = memory, .for_device = true};
}

Ref<GstAllocator> make_pool_allocator(PoolMemory memory) {
    switch (memory) {
    case PoolMemory::Memfd: return make_memfd_allocator();
    case PoolMemory::Dmabuf: return make_dmabuf_allocator();
    }
    std::unreachable();
}

} // namespace sluice::gst
