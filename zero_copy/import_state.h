// SPDX-License-Identifier: Apache-2.0
// What VulkanImports keeps. Private to vulkan_import and import_methods.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/import_plan.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

// Memory that is imported whole, by identity; kept as long as a frame uses it.
struct SharedMemory {
    FrameMemory memory;
    std::weak_ptr<vulkan::Buffer> buffer;
};

struct VulkanImports::State {
    struct Entry {
        ExternalFrame frame;
        bool write;
        std::shared_ptr<ImportedFrame> imported;
        std::uint64_t used;
    };

    std::shared_ptr<vulkan::Device> device;
    std::size_t capacity = 0;
    std::vector<Entry> entries;
    std::vector<SharedMemory> memories;
    std::vector<Entry> uploads; // one a format
    std::uint64_t clock = 0;
    std::size_t imports = 0;
    bool said_upload = false;

    [[nodiscard]] Result<std::shared_ptr<ImportedFrame>> import(const ExternalFrame& frame,
                                                                const ImportPlan& plan, bool read);
    [[nodiscard]] Result<std::shared_ptr<ImportedFrame>> import_buffers(const ExternalFrame& frame,
                                                                        const ImportPlan& plan);
    [[nodiscard]] Result<std::shared_ptr<ImportedFrame>> import_images(const ExternalFrame& frame,
                                                                       const ImportPlan& plan);
    [[nodiscard]] Result<std::shared_ptr<ImportedFrame>>
    import_by_copy(const ExternalFrame& frame, const ImportPlan& plan, bool read);
    [[nodiscard]] Result<std::shared_ptr<ImportedFrame>>
    staging(const ExternalFrame& frame, const ImportPlan& plan, bool write);
    [[nodiscard]] Result<std::shared_ptr<vulkan::Buffer>>
    memory(const ExternalFrame& frame, std::size_t i, const ImportPlan& plan);
    void keep(const ExternalFrame& frame, bool write, std::shared_ptr<ImportedFrame> imported);
};

} // namespace sluice::zero_copy
