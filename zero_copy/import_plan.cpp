// SPDX-License-Identifier: Apache-2.0
// The ordered table of import methods; each says yes, or why not.
#include "zero_copy/import_plan.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <format>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/vulkan/profile.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/pixel_format.h"

namespace sluice::zero_copy {

namespace {

using vulkan::DeviceProfile;
using vulkan::ModifierSupport;

struct Question {
    const ExternalFrame& frame;
    const ImportDevice& device;
    const ImportRequest& request;

    [[nodiscard]] const DeviceProfile& profile() const { return *device.profile; }
    [[nodiscard]] const FormatInfo& layout() const { return info(frame.format().pixel_format); }
    [[nodiscard]] bool all_are(MemoryKind kind) const {
        return std::ranges::all_of(frame.memories(),
                                   [&](const FrameMemory& m) { return m.kind == kind; });
    }
};

// Nothing if the method can do it and `plan` says how; else the reason.
using Answer = std::optional<std::string>;

// Bytes of a texel of the plane's own image format: a whole period of its samples.
std::size_t texel_bytes(const FormatInfo& layout, std::size_t plane) {
    std::size_t bytes = 1;
    for (const Component& component : layout.components) {
        if (component.present && component.plane == plane) {
            bytes = std::max<std::size_t>(bytes, component.step_bytes);
        }
    }
    return bytes;
}

ImportPlan::Image plane_image(const Question& ask, std::size_t plane) {
    const FrameFormat& format = ask.frame.format();
    return {.vk_format = ask.layout().vk_plane_formats[plane],
            .width = static_cast<std::uint32_t>(row_bytes(ask.layout(), plane, format.width) /
                                                texel_bytes(ask.layout(), plane)),
            .height = plane_rows(ask.layout(), plane, format.height),
            .first_plane = static_cast<std::uint8_t>(plane),
            .plane_count = 1,
            .whole_frame = false};
}

Answer shared_image(const Question& ask, ImportPlan& plan) {
    if (!ask.all_are(MemoryKind::VulkanImage)) {
        return std::format("it is {}", name(ask.frame.memories()[0].kind));
    }
    // What it must have been made for: sampling, or copies both ways (VkImageUsageFlagBits).
    constexpr std::uint32_t kTransfers = 0x1 | 0x2;
    constexpr std::uint32_t kSampled = 0x4;
    const std::uint32_t needed = ask.request.write ? kTransfers : kSampled;
    for (const FrameMemory& memory : ask.frame.memories()) {
        if (memory.vk_device != ask.device.vk_device) {
            return "it is an image of another device";
        }
        if ((memory.vk_usage & needed) != needed) {
            return std::format("it is an image that is not made for {} (usage 0x{:x} lacks 0x{:x})",
                               ask.request.write ? "copies from it and to it" : "sampling",
                               memory.vk_usage, needed & ~memory.vk_usage);
        }
        if (ask.request.write && !memory.writable) {
            return "its memory is read-only";
        }
    }
    plan.copy_on_device = ask.request.write;
    const bool whole = ask.frame.memories().size() == 1 && ask.layout().planes > 1;
    const std::size_t images = whole ? 1 : ask.layout().planes;
    if (!whole && ask.frame.memories().size() != images) {
        return std::format("it has {} images; {} needs 1 or {}", ask.frame.memories().size(),
                           ask.layout().gst_name, images);
    }
    for (std::size_t i = 0; i < images; ++i) {
        plan.images[i] = plane_image(ask, i);
        plan.images[i].vk_format = ask.frame.memories()[i].vk_format;
        plan.images[i].whole_frame = whole;
        plan.images[i].plane_count = whole ? ask.layout().planes : std::uint8_t{1};
    }
    plan.image_count = images;
    return {};
}

const ModifierSupport* find_support(const Question& ask, std::uint32_t vk_format) {
    for (const ModifierSupport& row : ask.profile().modifiers) {
        if (row.vk_format == vk_format && row.modifier == ask.frame.modifier()) {
            return &row;
        }
    }
    return nullptr;
}

// The modifiers that would have worked, for the reason's remedy.
std::string known_modifiers(const Question& ask, std::uint32_t vk_format) {
    std::string list;
    for (const ModifierSupport& row : ask.profile().modifiers) {
        if (row.vk_format == vk_format && row.sampled) {
            list += std::format("{}{}", list.empty() ? "" : ", ", modifier_name(row.modifier));
        }
    }
    return list.empty() ? "none" : list;
}

// Why an image of `memory_planes` planes of the frame cannot have this format.
Answer refuse_image(const Question& ask, std::uint32_t vk_format, std::size_t memory_planes) {
    const ModifierSupport* const row = find_support(ask, vk_format);
    if (row == nullptr) {
        return std::format("the device has no {} for VkFormat {} (it has: {})",
                           modifier_name(ask.frame.modifier()), vk_format,
                           known_modifiers(ask, vk_format));
    }
    if (row->memory_planes != memory_planes) {
        return std::format("the device wants {} memory planes of {}, the frame has {}",
                           row->memory_planes, modifier_name(ask.frame.modifier()), memory_planes);
    }
    if (!row->sampled || (ask.request.write && !row->storage)) {
        return std::format("the device cannot {} images with {}", row->sampled ? "write" : "sample",
                           modifier_name(ask.frame.modifier()));
    }
    return {};
}

Answer dma_buf_extensions(const Question& ask) {
    if (!ask.profile().import_fd) {
        return "the device lacks VK_KHR_external_memory_fd";
    }
    if (!ask.profile().import_dma_buf) {
        return "the device lacks VK_EXT_external_memory_dma_buf";
    }
    return {};
}

Answer modifier_image(const Question& ask, ImportPlan& plan) {
    if (!ask.all_are(MemoryKind::DmaBuf)) {
        return std::format("it is {}", name(ask.frame.memories()[0].kind));
    }
    if (Answer missing = dma_buf_extensions(ask)) {
        return missing;
    }
    if (!ask.profile().drm_modifiers) {
        return "the device lacks VK_EXT_image_drm_format_modifier";
    }
    if (ask.frame.modifier() == kImplicitModifier) {
        return "its modifier is implicit, so that only its producer's driver knows the layout";
    }
    const FormatInfo& layout = ask.layout();
    const std::size_t memory_planes = ask.frame.planes().size();
    // One image a plane asks least of the device: no format that Vulkan converts itself.
    Answer per_plane;
    if (layout.planes > 1 && memory_planes == layout.planes) {
        for (std::size_t i = 0; i < layout.planes && !per_plane; ++i) {
            per_plane = refuse_image(ask, layout.vk_plane_formats[i], 1);
            plan.images[i] = plane_image(ask, i);
        }
        if (!per_plane) {
            plan.image_count = layout.planes;
            return {};
        }
    }
    const bool packed_422 = layout.planes == 1 && layout.chroma_shift_x == 1;
    if (packed_422 && !ask.frame.linear()) {
        // Read as pairs of pixels, its texels would have another size than the tiles were made for.
        return std::format("{} has no image of its own in a tiled layout", layout.gst_name);
    }
    const std::uint32_t whole_format =
        layout.planes == 1 ? layout.vk_plane_formats[0] : layout.vk_format;
    if (Answer whole = refuse_image(ask, whole_format, memory_planes)) {
        return per_plane ? std::format("per plane, {}; as a whole, {}", *per_plane, *whole) : whole;
    }
    const auto same = [&](const MemoryPlane& plane) {
        return ask.frame.memories()[plane.memory] == ask.frame.memory_of(0);
    };
    if (!std::ranges::all_of(ask.frame.planes(), same)) {
        return "its memory planes lie in several dmabufs and make up one image";
    }
    plan.images[0] = plane_image(ask, 0);
    plan.images[0].vk_format = whole_format;
    plan.images[0].plane_count = static_cast<std::uint8_t>(memory_planes);
    plan.images[0].whole_frame = layout.planes > 1;
    plan.image_count = 1;
    return {};
}

// Why the frame cannot be read as linear bytes; what all methods by buffers need.
Answer not_linear(const Question& ask) {
    if (ask.all_are(MemoryKind::VulkanImage)) {
        return "it is an image";
    }
    if (!ask.frame.linear()) {
        return std::format("its layout is not linear ({})", modifier_name(ask.frame.modifier()));
    }
    return {};
}

Answer not_bindable(const Question& ask) {
    const std::size_t limit = ask.profile().max_storage_range;
    for (std::size_t i = 0; i < ask.frame.planes().size(); ++i) {
        const MemoryPlane& plane = ask.frame.planes()[i];
        const std::size_t rows = plane_rows(ask.layout(), i, ask.frame.format().height);
        // The range begins at the alignment below the plane and ends with a whole word.
        const std::size_t bytes =
            (plane.stride_bytes * rows) + ask.profile().storage_offset_alignment + 4;
        if (bytes > limit) {
            return std::format("plane {} of {} bytes is larger than the device binds ({})", i,
                               bytes, limit);
        }
    }
    if (ask.request.write && !ask.frame.writable()) {
        return "its memory is read-only";
    }
    return {};
}

Answer linear_buffer(const Question& ask, ImportPlan& /*plan*/) {
    if (Answer tiled = not_linear(ask)) {
        return tiled;
    }
    // A software device maps the descriptor, which shared memory allows as well.
    const bool maps = ask.profile().type == vulkan::DeviceType::Software;
    for (const FrameMemory& memory : ask.frame.memories()) {
        if (memory.kind != MemoryKind::DmaBuf && !(maps && memory.kind == MemoryKind::Memfd)) {
            return std::format("it is {}", name(memory.kind));
        }
    }
    if (Answer missing = dma_buf_extensions(ask)) {
        return missing;
    }
    return not_bindable(ask);
}

Answer host_pointer(const Question& ask, ImportPlan& plan) {
    if (Answer tiled = not_linear(ask)) {
        return tiled;
    }
    const std::size_t alignment = ask.profile().host_pointer_alignment;
    if (!ask.profile().import_host_pointer || alignment == 0) {
        return "the device lacks VK_EXT_external_memory_host";
    }
    for (std::size_t i = 0; i < ask.frame.memories().size(); ++i) {
        const FrameMemory& memory = ask.frame.memories()[i];
        if (memory.kind == MemoryKind::DmaBuf) {
            return "it is a dmabuf, whose mapping has no pages that could be pinned";
        }
        if (memory.mapping.size() < memory.size_bytes) {
            return std::format("memory {} is not mapped", i);
        }
        const auto begin = reinterpret_cast<std::uintptr_t>(memory.mapping.data());
        const std::size_t before = begin % alignment;
        const std::size_t used = before + memory.mapping.size();
        const std::size_t bytes = (used + alignment - 1) / alignment * alignment;
        const auto around = reinterpret_cast<std::uintptr_t>(memory.surrounding.data());
        const bool starts_inside = around <= begin - before;
        const bool ends_inside = begin - before + bytes <= around + memory.surrounding.size();
        const bool exact = before == 0 && bytes == memory.mapping.size();
        if (!exact && !(starts_inside && ends_inside)) {
            return std::format("memory {} of {} bytes at {:#x} is misaligned by {} bytes and not "
                               "surrounded by whole pages of {} bytes",
                               i, memory.mapping.size(), begin, before, alignment);
        }
        plan.ranges[i] = {.pages = {memory.mapping.data() - before, bytes}, .offset_bytes = before};
    }
    return not_bindable(ask);
}

// Empty where every plane begins in memory that the host sees.
std::string unmapped_reason(const Question& ask) {
    for (const MemoryPlane& plane : ask.frame.planes()) {
        const FrameMemory& memory = ask.frame.memories()[plane.memory];
        if (memory.mapping.size() <= plane.offset_bytes) {
            return std::format("memory {}, a {} of {} bytes, is not mapped: map it (mmap() of its "
                               "descriptor) and give the frame the mapping, or use a device that "
                               "imports it",
                               plane.memory, name(memory.kind), memory.size_bytes);
        }
    }
    return {};
}

Answer mapped(const Question& ask, ImportPlan& plan) {
    if (Answer tiled = not_linear(ask)) {
        return tiled;
    }
    if (ask.request.write && !ask.frame.writable()) {
        return "its memory is read-only";
    }
    plan.unmapped = unmapped_reason(ask);
    return {};
}

Answer upload(const Question& ask, ImportPlan& plan) {
    if (Answer tiled = mapped(ask, plan)) {
        return std::format("the host cannot copy it: {}", *tiled);
    }
    for (std::size_t i = 0; i < ask.layout().planes; ++i) {
        plan.upload_bytes += row_bytes(ask.layout(), i, ask.frame.format().width) *
                             plane_rows(ask.layout(), i, ask.frame.format().height);
    }
    return {};
}

struct Method {
    ImportMethod method;
    bool vulkan; // else the CPU's
    Answer (*consider)(const Question& ask, ImportPlan& plan);
};
// The first that can wins.
constexpr auto kMethods = std::to_array<Method>({
    {.method = ImportMethod::SharedImage, .vulkan = true, .consider = shared_image},
    {.method = ImportMethod::ModifierImage, .vulkan = true, .consider = modifier_image},
    {.method = ImportMethod::LinearBuffer, .vulkan = true, .consider = linear_buffer},
    {.method = ImportMethod::HostPointer, .vulkan = true, .consider = host_pointer},
    {.method = ImportMethod::Mapped, .vulkan = false, .consider = mapped},
    {.method = ImportMethod::Upload, .vulkan = true, .consider = upload},
});

} // namespace

Result<ImportPlan> import_plan(const ExternalFrame& frame, const ImportDevice& device,
                               const ImportRequest& request) {
    const Question ask{.frame = frame, .device = device, .request = request};
    std::vector<ImportRefusal> refusals;
    for (const Method& row : kMethods) {
        if (row.vulkan != (device.profile != nullptr) || row.method < request.first) {
            continue;
        }
        ImportPlan plan;
        if (Answer reason = row.consider(ask, plan)) {
            refusals.push_back({.method = row.method, .reason = std::move(*reason)});
            continue;
        }
        plan.method = row.method;
        plan.refusals = std::move(refusals);
        return plan;
    }
    return fail(ErrorCode::Unsupported, "{} frame of {}x{}: {} can't read it where it lies: {}",
                ask.layout().gst_name, frame.format().width, frame.format().height,
                device.profile == nullptr ? std::string_view("the CPU") : device.profile->name,
                describe(refusals));
}

} // namespace sluice::zero_copy
