// SPDX-License-Identifier: Apache-2.0
// DeviceMatte and DeviceClasses: their memory, and the dispatch that fills them from logits.
#include "zero_copy/device_matte.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/vulkan/shader.h"

namespace sluice::zero_copy {

Status DeviceMask::allocate(std::shared_ptr<vulkan::Device> device, std::uint32_t width,
                            std::uint32_t height, std::size_t value_bytes) {
    static std::atomic<std::uint64_t> last = 0;
    device_ = std::move(device);
    width_ = width;
    height_ = height;
    id_ = ++last;
    const std::size_t bytes = align_up(value_bytes * width * height, sizeof(std::uint32_t));
    SLUICE_TRY_ASSIGN(buffer_, DeviceBuffer::create(device_, bytes, vulkan::Placement::Device));
    return {};
}

Result<std::span<const std::byte>> DeviceMask::read_bytes() const {
    const std::lock_guard hold(lock_);
    if (const std::span<const std::byte> seen = buffer_.mapped(); !seen.empty()) {
        return seen;
    }
    if (!copying_) {
        SLUICE_TRY_ASSIGN(
            copy_, DeviceBuffer::create(device_, range().bytes, vulkan::Placement::Download));
        SLUICE_TRY_ASSIGN(vulkan::Recording recording, vulkan::Recording::create(device_));
        SLUICE_TRY(recording.copy(range(), copy_.range()));
        SLUICE_TRY(recording.finish());
        copying_.emplace(std::move(recording));
    }
    SLUICE_TRY(copying_->run());
    return copy_.mapped();
}

Result<std::unique_ptr<DeviceMatte>> DeviceMatte::create(std::shared_ptr<vulkan::Device> device,
                                                         std::uint32_t width,
                                                         std::uint32_t height) {
    std::unique_ptr<DeviceMatte> out(new DeviceMatte);
    SLUICE_TRY(out->allocate(std::move(device), width, height, sizeof(float)));
    return out;
}

Result<std::span<const float>> DeviceMatte::read() const {
    SLUICE_TRY_ASSIGN(const auto bytes, read_bytes());
    return std::span(reinterpret_cast<const float*>(bytes.data()), std::size_t{width()} * height());
}

Result<std::unique_ptr<DeviceClasses>> DeviceClasses::create(std::shared_ptr<vulkan::Device> device,
                                                             std::uint32_t width,
                                                             std::uint32_t height) {
    std::unique_ptr<DeviceClasses> out(new DeviceClasses);
    SLUICE_TRY(out->allocate(std::move(device), width, height, sizeof(std::uint8_t)));
    return out;
}

Result<std::span<const std::uint8_t>> DeviceClasses::read() const {
    SLUICE_TRY_ASSIGN(const auto bytes, read_bytes());
    return std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                     std::size_t{width()} * height());
}

Status record_matte(vulkan::Recording& recording, const DeviceLogits& logits,
                    const vulkan::BufferRange& matte, const vulkan::BufferRange* classes) {
    using vulkan::Access;
    constexpr std::uint32_t kGroup = 64;
    constexpr std::uint32_t kPixelsOfWord = 4;
    const std::array<std::uint32_t, 2> push{logits.pixels, logits.classes};
    std::array<vulkan::Binding, 3> bindings{
        {{.range = logits.range}, {.range = matte, .access = Access::Write}}};
    if (classes == nullptr) {
        return recording.dispatch({.shader = vulkan::Shader::ResolveMatte,
                                   .buffers = std::span(bindings).first(2),
                                   .push = vulkan::push_bytes(push),
                                   .groups = {div_ceil(logits.pixels, kGroup), 1, 1}});
    }
    bindings[2] = {.range = *classes, .access = Access::Write};
    return recording.dispatch({.shader = vulkan::Shader::ResolveMatteAndClasses,
                               .buffers = bindings,
                               .push = vulkan::push_bytes(push),
                               .groups = {div_ceil(logits.pixels, kGroup * kPixelsOfWord), 1, 1}});
}

} // namespace sluice::zero_copy
