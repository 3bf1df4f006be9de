// SPDX-License-Identifier: Apache-2.0
// import_plan: how a device can read or write a frame where it lies. Pure: it asks descriptions of
// the frame and the device only, so that it is tested for devices that nobody has here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/vulkan/profile.h"
#include "zero_copy/external_frame.h"

namespace sluice::zero_copy {

// In order of preference.
enum class ImportMethod : std::uint8_t {
    SharedImage,   // the frame is an image of the device already
    ModifierImage, // dmabufs as images with their DRM modifier
    LinearBuffer,  // dmabufs, all linear, as buffers
    HostPointer,   // VK_EXT_external_memory_host: plain memory as buffers
    Mapped,        // the CPU's: read and written through its mapping
    Upload,        // copied to the device, and back if written; counted
};
[[nodiscard]] std::string_view name(ImportMethod method); // "dmabuf image"

// Which device: a Vulkan device's profile and handle, or null for the CPU.
struct ImportDevice {
    const vulkan::DeviceProfile* profile = nullptr;
    std::uint64_t vk_device = 0;
};

struct ImportRequest {
    bool write = false; // the device also writes the frame
    bool read = true;   // the frame's pixels count, or all are written
    // Methods before this one are not considered: what to ask after a driver refused the plan.
    ImportMethod first = ImportMethod::SharedImage;
};

// Why a method was not taken: "tiled (Intel modifier 0x100000000000002)".
struct ImportRefusal {
    ImportMethod method;
    std::string reason;
};

struct ImportPlan {
    ImportMethod method = ImportMethod::Upload;

    // ModifierImage and SharedImage: the images, each of memory planes [first, first + planes). One
    // that holds several planes of the format is viewed plane by plane.
    struct Image {
        std::uint32_t vk_format = 0;
        std::uint32_t width = 0; // in texels
        std::uint32_t height = 0;
        std::uint8_t first_plane = 0;
        std::uint8_t plane_count = 1;
        bool whole_frame = false;
    };
    std::array<Image, 3> images{};
    std::size_t image_count = 0;
    // SharedImage that is written: the device copies it to buffers, in which results are written,
    // and back.
    bool copy_on_device = false;

    // HostPointer: for each of the frame's memories what to import, its memory and the rest of the
    // pages that it begins and ends in; and where the memory begins therein.
    struct HostRange {
        std::span<std::byte> pages;
        std::size_t offset_bytes = 0;
    };
    std::array<HostRange, kMaxFrameMemories> ranges{};

    // Bytes that Upload copies, one way.
    std::size_t upload_bytes = 0;
    // Mapped and Upload: why the host does not see the frame as it was given, and the remedy; empty
    // where it does. The caller maps the frame before it is read: gst-plugins do by themselves.
    std::string unmapped;
    // The better methods that were not taken, in order.
    std::vector<ImportRefusal> refusals;
};

// Unsupported lists every method with its reason.
[[nodiscard]] Result<ImportPlan> import_plan(const ExternalFrame& frame, const ImportDevice& device,
                                             const ImportRequest& request = {});

// "linear", "implicit", or vendor and number: "Intel modifier 0x100000000000002".
[[nodiscard]] std::string modifier_name(std::uint64_t modifier);
// "a: reason; b: reason", for logs.
[[nodiscard]] std::string describe(std::span<const ImportRefusal> refusals);

// The VkFormats that frames' planes and whole frames use, each once: what a device is asked for.
[[nodiscard]] std::vector<std::uint32_t> frame_vk_formats();

} // namespace sluice::zero_copy
