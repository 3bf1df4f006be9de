// SPDX-License-Identifier: Apache-2.0
// A GstMemory around a device's mask, its allocator, and the pool.
#include "gst-plugins/common/matte_memory.h"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include <gst/video/video.h>

#include "core/runtime/thread_pool.h"
#include "zero_copy/tensor_to_frame.h"

GST_DEBUG_CATEGORY_EXTERN(sluice_filter_debug);
#define GST_CAT_DEFAULT sluice_filter_debug

namespace {

using sluice::CopyReason;
using sluice::Result;
using sluice::Status;
using sluice::gst::MaskOnDevice;
using sluice::gst::MaskSource;
using sluice::zero_copy::DeviceClasses;
using sluice::zero_copy::DeviceMatte;
using sluice::zero_copy::GrayPicture;

struct MatteMemory {
    GstMemory memory; // first: what GStreamer sees
    MaskOnDevice mask;
    std::shared_ptr<sluice::CopyLedger> masks;
    std::mutex lock;                // guards what follows
    std::vector<std::uint8_t> host; // made at the first mapping
    bool fresh = false;             // `host` is what the device has
};

struct SluiceMatteAllocator {
    GstAllocator parent;
    MaskSource* source; // owned
};
struct SluiceMatteAllocatorClass {
    GstAllocatorClass parent_class;
};
G_DEFINE_TYPE(SluiceMatteAllocator, sluice_matte_allocator, GST_TYPE_ALLOCATOR)

MatteMemory* matte_memory(GstMemory* memory) {
    return reinterpret_cast<MatteMemory*>(memory);
}

// The 8 bits that write_matte() makes of it.
Status draw(const DeviceMatte& matte, const GrayPicture& out) {
    SLUICE_TRY_ASSIGN(const auto values, matte.read());
    const auto threads = sluice::runtime::ThreadPool::shared(1);
    sluice::zero_copy::write_matte(
        {.values = values,
         .width = matte.width(),
         .height = matte.height(),
         .region = sluice::zero_copy::stretch(matte.width(), matte.height())},
        matte.width(), matte.height(), out, *threads);
    return {};
}

Status draw(const DeviceClasses& classes, const GrayPicture& out) {
    SLUICE_TRY_ASSIGN(const auto values, classes.read());
    for (std::size_t y = 0; y < out.height; ++y) {
        std::ranges::copy(values.subspan(y * out.width, out.width),
                          out.data + (y * out.stride_bytes));
    }
    return {};
}

// In rows as GRAY8 has them.
Status draw(MatteMemory& memory) {
    memory.host.resize(memory.memory.maxsize);
    std::uint64_t bytes = 0;
    SLUICE_TRY(std::visit(
        [&](const auto& mask) {
            bytes = std::uint64_t{mask->width()} * mask->height();
            return draw(*mask, {.data = memory.host.data(),
                                .stride_bytes = memory.host.size() / mask->height(),
                                .width = mask->width(),
                                .height = mask->height()});
        },
        memory.mask));
    memory.masks->count(CopyReason::Download, bytes);
    memory.fresh = true;
    return {};
}

gpointer map(GstMemory* base, gsize /*size*/, GstMapFlags flags) {
    MatteMemory& memory = *matte_memory(base);
    if ((flags & GST_MAP_WRITE) != 0) {
        return nullptr; // what the device reads would not change
    }
    const std::lock_guard hold(memory.lock);
    if (!memory.fresh) {
        if (const Status drawn = draw(memory); !drawn) {
            GST_ERROR("a mask cannot be read: %s", drawn.error().message.c_str());
            return nullptr;
        }
    }
    return memory.host.data();
}

void unmap(GstMemory* /*memory*/) {}

GstMemory* alloc(GstAllocator* allocator, gsize size, GstAllocationParams* params) {
    const MaskSource& source = *reinterpret_cast<SluiceMatteAllocator*>(allocator)->source;
    auto mask = source.make();
    if (!mask) {
        GST_WARNING_OBJECT(allocator, "%s", mask.error().message.c_str());
        return nullptr;
    }
    auto made = std::make_unique<MatteMemory>();
    made->mask = std::move(*mask);
    made->masks = source.masks;
    gst_memory_init(&made->memory, GST_MEMORY_FLAG_NO_SHARE, allocator, nullptr, size,
                    params != nullptr ? params->align : 0, 0, size);
    return &made.release()->memory;
}

void free_memory(GstAllocator* /*allocator*/, GstMemory* memory) {
    const std::unique_ptr<MatteMemory> gone(matte_memory(memory));
}

void finalize(GObject* object) {
    delete reinterpret_cast<SluiceMatteAllocator*>(object)->source;
    G_OBJECT_CLASS(sluice_matte_allocator_parent_class)->finalize(object);
}

void sluice_matte_allocator_init(SluiceMatteAllocator* self) {
    GstAllocator* allocator = GST_ALLOCATOR(self);
    allocator->mem_type = "SluiceMatte";
    allocator->mem_map = map;
    allocator->mem_unmap = unmap;
    // Copies are plain memory.
    GST_OBJECT_FLAG_SET(allocator, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

void sluice_matte_allocator_class_init(SluiceMatteAllocatorClass* klass) {
    GST_ALLOCATOR_CLASS(klass)->alloc = alloc;
    GST_ALLOCATOR_CLASS(klass)->free = free_memory;
    G_OBJECT_CLASS(klass)->finalize = finalize;
}

MatteMemory* find(GstBuffer* mask) {
    if (gst_buffer_n_memory(mask) != 1) {
        return nullptr;
    }
    GstMemory* memory = gst_buffer_peek_memory(mask, 0);
    // By the type, which is this library's own, not by its name.
    return memory->allocator != nullptr &&
                   G_TYPE_CHECK_INSTANCE_TYPE(memory->allocator,
                                              sluice_matte_allocator_get_type()) != FALSE
               ? matte_memory(memory)
               : nullptr;
}

template <typename Mask>
Mask* mask_of(GstBuffer* buffer) {
    MatteMemory* const memory = find(buffer);
    const auto* const mask =
        memory != nullptr ? std::get_if<std::unique_ptr<Mask>>(&memory->mask) : nullptr;
    return mask != nullptr ? mask->get() : nullptr;
}

} // namespace

namespace sluice::gst {

Result<Ref<GstBufferPool>> make_mask_pool(MaskSource source) {
    GstVideoInfo info;
    if (gst_video_info_set_format(&info, GST_VIDEO_FORMAT_GRAY8, source.width, source.height) ==
        FALSE) {
        return fail(ErrorCode::InvalidArgument, "no masks of {}x{} pixels", source.width,
                    source.height);
    }
    const Ref allocator(GST_ALLOCATOR(
        gst_object_ref_sink(g_object_new(sluice_matte_allocator_get_type(), nullptr))));
    reinterpret_cast<SluiceMatteAllocator*>(allocator.get())->source =
        new MaskSource(std::move(source));
    const Ref caps(gst_video_info_to_caps(&info));
    Ref pool(gst_video_buffer_pool_new());
    GstStructure* config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, caps.get(),
                                      static_cast<guint>(GST_VIDEO_INFO_SIZE(&info)), 0, 0);
    gst_buffer_pool_config_set_allocator(config, allocator.get(), nullptr);
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    if (gst_buffer_pool_set_config(pool.get(), config) == FALSE ||
        gst_buffer_pool_set_active(pool.get(), TRUE) == FALSE) {
        return fail(ErrorCode::OutOfMemory, "a pool of masks cannot be set up");
    }
    return pool;
}

zero_copy::DeviceMatte* matte_of(GstBuffer* mask) {
    return mask_of<DeviceMatte>(mask);
}

zero_copy::DeviceClasses* classes_of(GstBuffer* mask) {
    return mask_of<DeviceClasses>(mask);
}

void renew_mask(GstBuffer* mask) {
    if (MatteMemory* const memory = find(mask)) {
        const std::lock_guard hold(memory->lock);
        memory->fresh = false;
    }
}

} // namespace sluice::gst
