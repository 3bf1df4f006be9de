// SPDX-License-Identifier: Apache-2.0
// ImportedFrame: bindings, hand-over, and the copies of what could not be imported.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/memory.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/imported_objects.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/sync.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::zero_copy {

using vulkan::Buffer;

ImportedFrame::ImportedFrame(std::shared_ptr<vulkan::Device> device, const FrameFormat& format)
    : device_(std::move(device)), format_(format), objects_(std::make_unique<Objects>()) {}

ImportedFrame::~ImportedFrame() {
    device_->retire(std::move(objects_), device_->last_submitted());
}

bool ImportedFrame::lies_in(const MemoryIdentity& memory) const {
    return std::ranges::find(memories_, memory) != memories_.end();
}

ImportedPlane ImportedFrame::plane(std::size_t i) const {
    return planes_.empty() ? ImportedPlane{} : planes_[i < planes_.size() ? i : 0];
}

vulkan::TextureBinding ImportedFrame::texture(std::size_t i) const {
    return textures_[i < textures_.size() ? i : 0];
}

bool ImportedFrame::copies_on_device() const {
    return !objects_->copied.empty();
}

void ImportedFrame::count_on_device(CopyLedger& ledger) const {
    for (std::size_t i = 0; i < planes_.size(); ++i) {
        ledger.count(CopyReason::OnDevice, plane_bytes(format_, i));
    }
}

// The images are in VK_IMAGE_LAYOUT_GENERAL from their first copy on.
void ImportedFrame::copy_images(vulkan::Recording& recording, bool back) const {
    const VolkDeviceTable& table = device_->table();
    VkImage last = VK_NULL_HANDLE;
    for (const Objects::CopiedPlane& plane : objects_->copied) {
        if (!back && plane.image != last) { // planes of one image follow each other
            recording.take(plane.image, plane.given_layout, VK_IMAGE_LAYOUT_GENERAL);
        }
        last = plane.image;
    }
    if (!back && !objects_->reads) {
        return;
    }
    // The recording knows nothing of the copies: what its shaders read, or have written.
    const VkMemoryBarrier barrier{
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = back ? VkAccessFlags{VK_ACCESS_SHADER_WRITE_BIT}
                              : VkAccessFlags{VK_ACCESS_TRANSFER_WRITE_BIT},
        .dstAccessMask = back ? VkAccessFlags{VK_ACCESS_TRANSFER_READ_BIT}
                              : VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT,
    };
    const auto wait = [&](VkPipelineStageFlags from, VkPipelineStageFlags to) {
        table.vkCmdPipelineBarrier(recording.commands(), from, to, 0, 1, &barrier, 0, nullptr, 0,
                                   nullptr);
    };
    if (back) {
        wait(VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT);
    }
    for (std::size_t i = 0; i < objects_->copied.size(); ++i) {
        const Objects::CopiedPlane& plane = objects_->copied[i];
        const VkBufferImageCopy region{
            .imageSubresource = {.aspectMask = plane.aspect, .layerCount = 1},
            .imageExtent = {.width = plane_columns(format_, i),
                            .height = plane_rows(info(format_.pixel_format), i, format_.height),
                            .depth = 1},
        };
        const VkBuffer buffer = objects_->buffers[i]->get();
        if (back) {
            table.vkCmdCopyBufferToImage(recording.commands(), buffer, plane.image,
                                         VK_IMAGE_LAYOUT_GENERAL, 1, &region);
        } else {
            table.vkCmdCopyImageToBuffer(recording.commands(), plane.image, VK_IMAGE_LAYOUT_GENERAL,
                                         buffer, 1, &region);
        }
    }
    if (!back) {
        wait(VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT);
    }
}

void ImportedFrame::acquire(vulkan::Recording& recording) const {
    if (method_ == ImportMethod::Upload) {
        return;
    }
    if (copies_on_device()) {
        copy_images(recording, false);
        return;
    }
    if (method_ == ImportMethod::SharedImage) {
        for (const FrameImage& image : objects_->images) {
            recording.take(image.image(), image.given_layout(), image.layout());
        }
        return;
    }
    for (const std::shared_ptr<Buffer>& buffer : objects_->buffers) {
        recording.acquire(whole(*buffer));
    }
    for (const FrameImage& image : objects_->images) {
        recording.acquire(image.image(), VK_IMAGE_LAYOUT_GENERAL);
    }
}

void ImportedFrame::release(vulkan::Recording& recording) const {
    if (copies_on_device()) {
        copy_images(recording, true);
    }
    if (method_ == ImportMethod::Upload || method_ == ImportMethod::SharedImage) {
        return;
    }
    for (const std::shared_ptr<Buffer>& buffer : objects_->buffers) {
        recording.release(whole(*buffer));
    }
    for (const FrameImage& image : objects_->images) {
        recording.release(image.image(), VK_IMAGE_LAYOUT_GENERAL);
    }
}

Status ImportedFrame::upload(const ExternalFrame& frame, CopyLedger& ledger) {
    if (copies_on_device()) {
        count_on_device(ledger);
    }
    if (method_ != ImportMethod::Upload) {
        return {};
    }
    SLUICE_TRY_ASSIGN(FrameAccess access, FrameAccess::begin(frame, CpuAccess::Read));
    SLUICE_TRY_ASSIGN(const FrameView view, frame.view());
    const FormatInfo& layout = info(format_.pixel_format);
    for (std::size_t i = 0; i < planes_.size(); ++i) {
        std::byte* const to = objects_->buffers[i]->mapped().data();
        const std::size_t row = row_bytes(layout, i, format_.width);
        for (std::size_t y = 0; y < plane_rows(layout, i, format_.height); ++y) {
            std::memcpy(to + (y * row), view.row(i, y), row);
        }
        ledger.count(CopyReason::Upload, plane_bytes(format_, i));
    }
    return access.end();
}

Status ImportedFrame::download(const ExternalFrame& frame, CopyLedger& ledger) {
    if (copies_on_device()) {
        count_on_device(ledger);
    }
    if (method_ != ImportMethod::Upload) {
        return {};
    }
    SLUICE_TRY_ASSIGN(FrameAccess access, FrameAccess::begin(frame, CpuAccess::Write));
    SLUICE_TRY_ASSIGN(const MutableFrameView view, frame.mutable_view());
    const FormatInfo& layout = info(format_.pixel_format);
    for (std::size_t i = 0; i < planes_.size(); ++i) {
        const std::byte* const from = objects_->buffers[i]->mapped().data();
        const std::size_t row = row_bytes(layout, i, format_.width);
        for (std::size_t y = 0; y < plane_rows(layout, i, format_.height); ++y) {
            std::memcpy(view.row(i, y), from + (y * row), row);
        }
        ledger.count(CopyReason::Download, plane_bytes(format_, i));
    }
    return access.end();
}

} // namespace sluice::zero_copy
