// SPDX-License-Identifier: Apache-2.0
// DeviceProfile: what a Vulkan device is and can do, as plain data. Choices of shaders, layouts and
// import methods depend on this only, so that they can be tested for devices that are not there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace sluice::vulkan {

enum class DeviceType : std::uint8_t { Discrete, Integrated, Virtual, Software, Other };
[[nodiscard]] std::string_view name(DeviceType type); // "integrated GPU"

// A DRM format modifier that the device can read from or write to as an image of `format`.
struct ModifierSupport {
    std::uint32_t vk_format = 0; // VkFormat
    std::uint64_t modifier = 0;  // drm_fourcc.h; 0 is linear
    std::uint32_t memory_planes = 1;
    bool sampled = false;
    bool storage = false;
};

// The types of a cooperative matrix' elements, as far as a kernel uses them.
enum class MatrixType : std::uint8_t { Float16, Float32, Other };

// A shape of cooperative matrices that the device multiplies: result = a b + c, a of m * k
// elements, b of k * n.
struct MatrixShape {
    std::uint32_t m = 0, n = 0, k = 0;
    MatrixType a = MatrixType::Other;
    MatrixType b = MatrixType::Other;
    MatrixType c = MatrixType::Other;
    MatrixType result = MatrixType::Other;
    bool of_subgroup = false; // shared by a subgroup's invocations
};

struct DeviceProfile {
    unsigned index = 0; // position in list_devices(): "vulkan:<index>"
    std::string name;   // "llvmpipe (LLVM 19.1.7, 256 bits)"
    std::string driver; // "llvmpipe, Mesa 25.0.7"
    DeviceType type = DeviceType::Other;
    std::uint32_t vendor_id = 0;
    std::uint32_t device_id = 0;
    std::uint32_t api_version = 0;
    std::uint32_t driver_version = 0;
    std::array<std::uint8_t, 16> cache_uuid = {}; // pipelineCacheUUID

    // Limits
    std::uint32_t max_workgroup_invocations = 128;
    std::uint32_t shared_memory_bytes = 16384;
    std::uint32_t max_push_constant_bytes = 128;
    std::size_t storage_offset_alignment = 256;
    std::size_t max_storage_range = 1U << 27U;
    std::uint32_t max_workgroups_x = 65535; // the smallest of the three dimensions' limits
    std::uint64_t max_allocation_bytes = 1U << 30U;
    std::uint32_t subgroup_size = 1;
    bool subgroup_arithmetic = false;
    bool subgroup_ballot = false; // with what broadcasts within them

    // Types
    bool storage_16bit = false; // float16 in storage buffers
    bool storage_8bit = false;
    bool float16 = false; // float16 arithmetic
    bool int8 = false;
    bool int16 = false;
    bool int64 = false;
    bool integer_dot_product = false;
    bool cooperative_matrix = false; // VK_KHR_cooperative_matrix
    std::vector<MatrixShape> matrix_shapes;
    // Storage images that a shader writes need not name their format: the only way to write BGRA.
    bool storage_image_any_format = false;

    // Memory and import
    bool unified_memory = false; // device-local memory that the host sees coherently
    std::uint64_t local_bytes = 0;
    bool import_host_pointer = false; // VK_EXT_external_memory_host
    std::size_t host_pointer_alignment = 0;
    bool import_fd = false;                 // VK_KHR_external_memory_fd
    bool import_dma_buf = false;            // VK_EXT_external_memory_dma_buf
    bool drm_modifiers = false;             // VK_EXT_image_drm_format_modifier
    bool foreign_queue = false;             // VK_EXT_queue_family_foreign
    bool sync_fd = false;                   // VK_KHR_external_semaphore_fd with SYNC_FD
    bool memory_budget = false;             // VK_EXT_memory_budget
    std::vector<ModifierSupport> modifiers; // of the formats that frames' planes use

    // Why this device cannot run Sluice at all; empty where it can.
    std::string unusable;
};

// Every device of the Vulkan loader, in its order. Unsupported (no loader, no driver) tells what to
// install. Asked once per process.
[[nodiscard]] Result<std::span<const DeviceProfile>> list_devices();

} // namespace sluice::vulkan
