// SPDX-License-Identifier: Apache-2.0
// What the frame ends' shaders share on the host's side: specialisation constants, push constants,
// tables and bindings. The counterparts are shaders/lib/*.glsl.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "core/vulkan/recording.h"
#include "zero_copy/frame.h"
#include "zero_copy/sampling.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

// Constants 0 .. 5 of frame_planes.glsl.
[[nodiscard]] std::array<std::uint32_t, 6> frame_constants(PixelFormat format);
// Bit 0: chroma lies on a luma column; bit 1: on a luma row.
[[nodiscard]] std::uint32_t co_sited(const FrameFormat& format);

struct FramePlanes {
    std::array<std::uint32_t, 3> base{};
    std::array<std::uint32_t, 3> stride{};
};
[[nodiscard]] FramePlanes planes_of(const ImportedFrame& frame);

struct TargetPlane {
    std::uint32_t base = 0;
    std::uint32_t stride = 0;
    std::uint32_t row_bytes = 0;
    std::uint32_t first_row = 0;
    std::uint32_t end_row = 0;
};
[[nodiscard]] TargetPlane target_of(const ImportedFrame& frame, std::size_t plane);
// Workgroups of 64 words by 4 rows that cover the plane's rows.
[[nodiscard]] std::array<std::uint32_t, 3> target_groups(const TargetPlane& target);
// Components that lie in a plane, of those in `wanted`, a bit each.
[[nodiscard]] std::uint32_t components_in(PixelFormat format, std::size_t plane,
                                          std::uint32_t wanted);

// Words of a table, positions of which shaders are told.
class TableWords {
public:
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(words_.size()); }
    void add(std::uint32_t word) { words_.push_back(word); }
    void add_float(float value);
    // 32.32 fixed point, low word first.
    void add_fixed(double value);
    // Three words an output (first sample, where its weights are, how many), then the weights.
    // Returns where it begins.
    [[nodiscard]] std::uint32_t add_axis(const ManyTaps& taps);
    [[nodiscard]] std::uint32_t add_floats(std::span<const float> values);
    [[nodiscard]] std::span<const std::uint32_t> words() const { return words_; }
    void set(std::size_t at, std::uint32_t word) { words_[at] = word; }

private:
    std::vector<std::uint32_t> words_;
};

// A buffer of the device that is retired, not freed, while it may be in use.
class DeviceBuffer {
public:
    DeviceBuffer() = default;
    [[nodiscard]] static Result<DeviceBuffer> create(const std::shared_ptr<vulkan::Device>& device,
                                                     std::size_t bytes,
                                                     vulkan::Placement placement);
    // Filled with words that never change.
    [[nodiscard]] static Result<DeviceBuffer> of(const std::shared_ptr<vulkan::Device>& device,
                                                 std::span<const std::uint32_t> words);
    DeviceBuffer(DeviceBuffer&&) noexcept = default;
    DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;
    ~DeviceBuffer();

    [[nodiscard]] vulkan::BufferRange range() const { return whole(owner_->buffer); }
    // Empty where the host does not see it.
    [[nodiscard]] std::span<std::byte> mapped() const { return owner_->buffer.mapped(); }
    explicit operator bool() const { return owner_ != nullptr; }

private:
    struct Owner : vulkan::Retired {
        vulkan::Buffer buffer;
    };
    std::shared_ptr<vulkan::Device> device_;
    std::unique_ptr<Owner> owner_;
};

// The eight buffer bindings; unset ones become `filler`, as shaders may declare them.
class FrameBindings {
public:
    explicit FrameBindings(const vulkan::BufferRange& filler);
    void set(std::size_t i, const vulkan::BufferRange& range,
             vulkan::Access access = vulkan::Access::Read);
    // Bindings 0 .. 2, or the textures.
    void set_planes(const ImportedFrame& frame);

    [[nodiscard]] std::span<const vulkan::Binding> buffers() const { return buffers_; }
    [[nodiscard]] std::span<const vulkan::TextureBinding> textures() const {
        return std::span(textures_).first(texture_count_);
    }

private:
    std::array<vulkan::Binding, vulkan::kMaxBindings> buffers_;
    std::array<vulkan::TextureBinding, 3> textures_;
    std::size_t texture_count_ = 0;
};

} // namespace sluice::zero_copy
