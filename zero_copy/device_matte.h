// SPDX-License-Identifier: Apache-2.0
// DeviceMatte: a matte in a device's memory, for whoever blends on the same device.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "core/vulkan/recording.h"
#include "zero_copy/device_tables.h"

namespace sluice::zero_copy {

// Floats, row-major, over the whole frame: 1 is not background. Work on the device's one queue that
// writes it and work that reads it follow each other; the host reads between the two.
class DeviceMatte {
public:
    [[nodiscard]] static Result<std::unique_ptr<DeviceMatte>>
    create(std::shared_ptr<vulkan::Device> device, std::uint32_t width, std::uint32_t height);

    [[nodiscard]] const std::shared_ptr<vulkan::Device>& device() const { return device_; }
    [[nodiscard]] std::uint32_t width() const { return width_; }
    [[nodiscard]] std::uint32_t height() const { return height_; }
    // Of no other matte of this process, ever: what recordings that use it are known by.
    [[nodiscard]] std::uint64_t id() const { return id_; }
    [[nodiscard]] vulkan::BufferRange range() const { return buffer_.range(); }

    // The host's view, width x height values: waits for a copy where the host does not see the
    // memory. Valid until the device writes again. Thread-safe.
    [[nodiscard]] Result<std::span<const float>> read() const;

private:
    DeviceMatte() = default;

    std::shared_ptr<vulkan::Device> device_;
    std::uint32_t width_ = 0;
    std::uint32_t height_ = 0;
    std::uint64_t id_ = 0;
    DeviceBuffer buffer_;
    mutable std::mutex lock_; // guards what follows
    mutable DeviceBuffer copy_;
    mutable std::optional<vulkan::Recording> copying_; // before copy_ goes
};

} // namespace sluice::zero_copy
