// SPDX-License-Identifier: Apache-2.0
// DeviceMatte and DeviceClasses: what a segmentation network said, in a device's memory, for
// whoever works with it on the same device.
#pragma once

#include <cstddef>
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

// What both are: values of the pixels, row-major, over the whole frame. Work on the device's one
// queue that writes them and work that reads them follow each other; the host reads between the
// two.
class DeviceMask {
public:
    [[nodiscard]] const std::shared_ptr<vulkan::Device>& device() const { return device_; }
    [[nodiscard]] std::uint32_t width() const { return width_; }
    [[nodiscard]] std::uint32_t height() const { return height_; }
    // Of no other mask of this process, ever: what recordings that use it are known by.
    [[nodiscard]] std::uint64_t id() const { return id_; }
    [[nodiscard]] vulkan::BufferRange range() const { return buffer_.range(); }

protected:
    DeviceMask() = default;
    ~DeviceMask() = default;
    [[nodiscard]] Status allocate(std::shared_ptr<vulkan::Device> device, std::uint32_t width,
                                  std::uint32_t height, std::size_t value_bytes);
    [[nodiscard]] Result<std::span<const std::byte>> read_bytes() const;

private:
    std::shared_ptr<vulkan::Device> device_;
    std::uint32_t width_ = 0;
    std::uint32_t height_ = 0;
    std::uint64_t id_ = 0;
    DeviceBuffer buffer_;
    mutable std::mutex lock_; // guards what follows
    mutable DeviceBuffer copy_;
    mutable std::optional<vulkan::Recording> copying_; // before copy_ goes
};

// Floats: 1 is not background.
class DeviceMatte : public DeviceMask {
public:
    [[nodiscard]] static Result<std::unique_ptr<DeviceMatte>>
    create(std::shared_ptr<vulkan::Device> device, std::uint32_t width, std::uint32_t height);

    // The host's view, width x height values: waits for a copy where the host does not see the
    // memory. Valid until the device writes again. Thread-safe.
    [[nodiscard]] Result<std::span<const float>> read() const;

private:
    DeviceMatte() = default;
};

// Bytes: the number of the most probable class.
class DeviceClasses : public DeviceMask {
public:
    [[nodiscard]] static Result<std::unique_ptr<DeviceClasses>>
    create(std::shared_ptr<vulkan::Device> device, std::uint32_t width, std::uint32_t height);

    // As DeviceMatte::read().
    [[nodiscard]] Result<std::span<const std::uint8_t>> read() const;

private:
    DeviceClasses() = default;
};

// What a multi-class network gave: NHWC floats, `classes` (2 to 256) to each of `pixels` pixels.
struct DeviceLogits {
    vulkan::BufferRange range;
    std::uint32_t pixels = 0;
    std::uint32_t classes = 0;
};

// Appends the dispatch that makes the matte of it, 1 - P(class 0) by softmax; with `classes` (whole
// words of four), also the map of the most probable classes, of equal ones the first.
[[nodiscard]] Status record_matte(vulkan::Recording& recording, const DeviceLogits& logits,
                                  const vulkan::BufferRange& matte,
                                  const vulkan::BufferRange* classes = nullptr);

} // namespace sluice::zero_copy
