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

void ImportedFrame::acquire(vulkan::Recording& recording) const {
    if (method_ == ImportMethod::Upload) {
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
