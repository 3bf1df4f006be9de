// SPDX-License-Identifier: Apache-2.0
// VulkanImports: frames of others as buffers and images of a Vulkan device, without a copy where
// import_plan() finds a way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "core/vulkan/recording.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/import_plan.h"

namespace sluice::zero_copy {

// A plane in a buffer, as a shader binds it.
struct ImportedPlane {
    vulkan::BufferRange range;      // aligned for binding, whole words
    std::uint32_t base_bytes = 0;   // of the plane's first row, in the range
    std::uint32_t stride_bytes = 0; // from row to row
};

// A frame as the device sees it. What the device may still be using when this is destroyed is
// retired, not freed. Keeps the memory alive on the device's side: the peer may close its
// descriptors.
class ImportedFrame {
public:
    ~ImportedFrame();
    ImportedFrame(const ImportedFrame&) = delete;
    ImportedFrame& operator=(const ImportedFrame&) = delete;

    [[nodiscard]] const FrameFormat& format() const { return format_; }
    [[nodiscard]] ImportMethod method() const { return method_; }
    // Whether any of it lies in this memory. A frame that is copied lies in none but its own.
    [[nodiscard]] bool lies_in(const MemoryIdentity& memory) const;
    // Whether planes are images to sample, not buffers.
    [[nodiscard]] bool has_images() const { return !textures_.empty(); }
    // Of the format's planes. A missing one is plane 0, as shaders bind three.
    [[nodiscard]] ImportedPlane plane(std::size_t i) const;
    [[nodiscard]] vulkan::TextureBinding texture(std::size_t i) const;

    // Takes the memory over from its owner at the begin of a recording, and hands it back at the
    // end.
    void acquire(vulkan::Recording& recording) const;
    void release(vulkan::Recording& recording) const;

    // Only for frames that nothing could import: copies the pixels of `frame` to the device, before
    // a submission that reads, or back, after one that wrote has finished. Counted, as is what the
    // device copies from and to images. Else nothing.
    [[nodiscard]] Status upload(const ExternalFrame& frame, CopyLedger& ledger);
    [[nodiscard]] Status download(const ExternalFrame& frame, CopyLedger& ledger);

private:
    friend class VulkanImports;
    struct Objects;
    ImportedFrame(std::shared_ptr<vulkan::Device> device, const FrameFormat& format);
    [[nodiscard]] bool copies_on_device() const;
    void count_on_device(CopyLedger& ledger) const;
    void copy_images(vulkan::Recording& recording, bool back) const;

    std::shared_ptr<vulkan::Device> device_;
    FrameFormat format_;
    ImportMethod method_ = ImportMethod::Upload;
    std::array<MemoryIdentity, kMaxFrameMemories> memories_{};
    std::unique_ptr<Objects> objects_;
    std::vector<ImportedPlane> planes_;
    std::vector<vulkan::TextureBinding> textures_;
};

// The layout in which a shared image is left by who has read it, given the one that it came in.
[[nodiscard]] std::uint32_t layout_when_read(std::uint32_t vk_layout);
// And by who has written it (VK_IMAGE_LAYOUT_GENERAL).
inline constexpr std::uint32_t kLayoutWhenWritten = 1;

// Whether memory has a name under which an import of it can be kept.
[[nodiscard]] bool can_be_named(const FrameMemory& memory);

// The frames of one stream on one device. Imports are kept by the frames' identity, so that the
// buffers of a pool are imported once each. One thread at a time.
class VulkanImports {
public:
    static constexpr std::size_t kDefaultCapacity = 64;
    // Keeps at most `capacity` frames, dropping the one that was not asked for the longest.
    explicit VulkanImports(std::shared_ptr<vulkan::Device> device,
                           std::size_t capacity = kDefaultCapacity);
    ~VulkanImports();
    VulkanImports(VulkanImports&&) noexcept;
    VulkanImports& operator=(VulkanImports&&) noexcept;

    // The first method that neither import_plan() nor the driver refuses; a frame that is uploaded
    // shares its buffers with others of its format. Upload is logged once, with the reasons.
    [[nodiscard]] Result<std::shared_ptr<ImportedFrame>> get(const ExternalFrame& frame,
                                                             ImportRequest request = {});
    // The memory is gone, or another one has its identity now.
    void forget(const MemoryIdentity& memory);

    [[nodiscard]] const std::shared_ptr<vulkan::Device>& device() const;
    [[nodiscard]] std::size_t size() const;    // frames kept
    [[nodiscard]] std::size_t imports() const; // made so far

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace sluice::zero_copy
