// SPDX-License-Identifier: Apache-2.0
// DeviceMatte: its memory, and the copy that the host may ask for.
#include "zero_copy/device_matte.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include "core/base/result.h"

namespace sluice::zero_copy {

Result<std::unique_ptr<DeviceMatte>> DeviceMatte::create(std::shared_ptr<vulkan::Device> device,
                                                         std::uint32_t width,
                                                         std::uint32_t height) {
    static std::atomic<std::uint64_t> last = 0;
    std::unique_ptr<DeviceMatte> out(new DeviceMatte);
    out->device_ = std::move(device);
    out->width_ = width;
    out->height_ = height;
    out->id_ = ++last;
    SLUICE_TRY_ASSIGN(out->buffer_,
                      DeviceBuffer::create(out->device_, sizeof(float) * width * height,
                                           vulkan::Placement::Device));
    return out;
}

Result<std::span<const float>> DeviceMatte::read() const {
    const std::lock_guard hold(lock_);
    std::span<std::byte> seen = buffer_.mapped();
    if (seen.empty()) {
        if (!copying_) {
            SLUICE_TRY_ASSIGN(
                copy_, DeviceBuffer::create(device_, range().bytes, vulkan::Placement::Download));
            SLUICE_TRY_ASSIGN(vulkan::Recording recording, vulkan::Recording::create(device_));
            SLUICE_TRY(recording.copy(range(), copy_.range()));
            SLUICE_TRY(recording.finish());
            copying_.emplace(std::move(recording));
        }
        SLUICE_TRY(copying_->run());
        seen = copy_.mapped();
    }
    return std::span(reinterpret_cast<const float*>(seen.data()),
                     static_cast<std::size_t>(width_) * height_);
}

} // namespace sluice::zero_copy
