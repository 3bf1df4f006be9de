// SPDX-License-Identifier: Apache-2.0
// libgstvulkan by its functions' names: whoever shares a device has loaded it, and nobody else
// needs it.
#include "gst-plugins/common/vulkan_share.h"

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <gst/vulkan/vulkan.h>

#include "core/vulkan/profile.h"
#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/ref.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::gst {

namespace {

#define SLUICE_GST_VULKAN_FUNCTIONS(X)                                                             \
    X(gst_context_get_vulkan_device)                                                               \
    X(gst_context_get_vulkan_instance)                                                             \
    X(gst_context_get_vulkan_queue)                                                                \
    X(gst_vulkan_device_enable_extension)                                                          \
    X(gst_vulkan_device_get_proc_address)                                                          \
    X(gst_vulkan_device_is_extension_enabled)                                                      \
    X(gst_vulkan_device_new_with_index)                                                            \
    X(gst_vulkan_device_open)                                                                      \
    X(gst_vulkan_device_select_queue)                                                              \
    X(gst_vulkan_handle_context_query)                                                             \
    X(gst_vulkan_image_buffer_pool_new)                                                            \
    X(gst_vulkan_instance_check_version)                                                           \
    X(gst_vulkan_instance_new)                                                                     \
    X(gst_vulkan_instance_open)                                                                    \
    X(gst_vulkan_queue_handle_context_query)                                                       \
    X(gst_vulkan_queue_submit_lock)                                                                \
    X(gst_vulkan_queue_submit_unlock)

struct Library {
#define SLUICE_MEMBER(function) decltype(&::function) function = nullptr;
    SLUICE_GST_VULKAN_FUNCTIONS(SLUICE_MEMBER)
#undef SLUICE_MEMBER

    [[nodiscard]] static std::optional<Library> find();
};

std::optional<Library> Library::find() {
    void* const file = dlopen("libgstvulkan-1.0.so.0", RTLD_LAZY | RTLD_NOLOAD);
    if (file == nullptr) {
        return std::nullopt;
    }
    Library out;
    bool all = true;
    const auto load = [&](auto& function, const char* name) {
        function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(file, name));
        all = all && function != nullptr;
    };
#define SLUICE_LOAD(function) load(out.function, #function);
    SLUICE_GST_VULKAN_FUNCTIONS(SLUICE_LOAD)
#undef SLUICE_LOAD
    // Stays loaded: the types that it registered never go.
    return all ? std::optional(out) : std::nullopt;
}

// Null until somebody has loaded it.
const Library* library() {
    static std::mutex lock; // guards found
    static std::optional<Library> found;
    const std::lock_guard hold(lock);
    if (!found) {
        found = Library::find();
    }
    return found ? &*found : nullptr;
}

struct Unref {
    void operator()(gpointer object) const { gst_object_unref(object); }
};
using SharedGst = std::shared_ptr<void>; // a GstObject

bool upstream_gives_images(GstBaseTransform* element) {
    const Ref caps(gst_pad_peer_query_caps(GST_BASE_TRANSFORM_SINK_PAD(element), nullptr));
    return caps && gst_caps_is_any(caps.get()) == FALSE && has_images(caps.get());
}

// What a context holds; `get` is the library's function for it.
template <typename Object>
SharedGst object_in(gboolean (*get)(GstContext*, Object**), GstContext* context) {
    Object* object = nullptr;
    if (context == nullptr || get(context, &object) == FALSE || object == nullptr) {
        return nullptr;
    }
    return {object, Unref{}};
}

// Neighbours are asked first, then the bins and the application.
template <typename Object>
SharedGst find_context(GstBaseTransform* element, const char* type,
                       gboolean (*get)(GstContext*, Object**)) {
    for (GstPad* pad :
         {GST_BASE_TRANSFORM_SRC_PAD(element), GST_BASE_TRANSFORM_SINK_PAD(element)}) {
        const Ref query(gst_query_new_context(type));
        GstContext* context = nullptr; // borrowed
        if (gst_pad_peer_query(pad, query.get()) != FALSE) {
            gst_query_parse_context(query.get(), &context);
        }
        if (SharedGst found = object_in(get, context)) {
            return found;
        }
    }
    const auto own = [&]() -> SharedGst {
        GstContext* context = gst_element_get_context(GST_ELEMENT(element), type);
        SharedGst found = object_in(get, context);
        if (context != nullptr) {
            gst_context_unref(context);
        }
        return found;
    };
    if (SharedGst found = own()) {
        return found;
    }
    gst_element_post_message(GST_ELEMENT(element),
                             gst_message_new_need_context(GST_OBJECT(element), type));
    return own();
}

bool computes(const GstVulkanDevice& device, const GstVulkanQueue& queue) {
    const GstVulkanPhysicalDevice& physical = *device.physical_device;
    return queue.family < physical.n_queue_families &&
           (physical.queue_family_props[queue.family].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0;
}

std::string text_of(GError* error) {
    std::string text = error != nullptr ? error->message : "no reason given";
    g_clear_error(&error);
    return text;
}

Result<SharedGst> make_instance(const Library& gst) {
    GstVulkanInstance* const made = gst.gst_vulkan_instance_new();
    SharedGst owner(made, Unref{});
    GError* error = nullptr;
    if (gst.gst_vulkan_instance_open(made, &error) == FALSE) {
        return fail(ErrorCode::Unsupported, "GStreamer's Vulkan instance: {}", text_of(error));
    }
    return owner;
}

// With what importing needs, where there is it.
Result<SharedGst> make_device(const Library& gst, GstVulkanInstance* instance, std::size_t index) {
    GstVulkanDevice* const made =
        gst.gst_vulkan_device_new_with_index(instance, static_cast<guint>(index));
    SharedGst owner(made, Unref{});
    for (const char* extension :
         {VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
          VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME}) {
        gst.gst_vulkan_device_enable_extension(made, extension);
    }
    GError* error = nullptr;
    if (gst.gst_vulkan_device_open(made, &error) == FALSE) {
        return fail(ErrorCode::Unsupported, "GStreamer's Vulkan device: {}", text_of(error));
    }
    return owner;
}

// Images without a semaphore are ordered by the queue that upstream shares, which is ours.
Status wait_for_image(const Library& gst, const GstVulkanImageMemory& image) {
    const GstVulkanBarrierMemoryInfo& barrier = image.barrier.parent;
    if (barrier.semaphore == VK_NULL_HANDLE) {
        return {};
    }
    const VkSemaphoreWaitInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
        .semaphoreCount = 1,
        .pSemaphores = &barrier.semaphore,
        .pValues = &barrier.semaphore_value,
    };
    const auto wait = reinterpret_cast<PFN_vkWaitSemaphores>(
        gst.gst_vulkan_device_get_proc_address(image.device, "vkWaitSemaphores"));
    const VkResult result = wait != nullptr ? wait(image.device->device, &info, UINT64_MAX)
                                            : VK_ERROR_FEATURE_NOT_PRESENT;
    if (result != VK_SUCCESS) {
        return std::unexpected(vulkan::vulkan_error(result, "vkWaitSemaphores"));
    }
    return {};
}

} // namespace

Result<std::unique_ptr<VulkanShare>> VulkanShare::find(GstBaseTransform* element,
                                                       std::string_view selector) {
    const Library* const gst = library();
    if (gst == nullptr || !upstream_gives_images(element)) {
        return nullptr;
    }
    SLUICE_TRY_ASSIGN(const auto profiles, vulkan::list_devices());
    SLUICE_TRY_ASSIGN(const std::size_t index, vulkan::select_device(profiles, selector));
    std::unique_ptr<VulkanShare> out(new VulkanShare);
    out->owner_ = find_context(element, GST_VULKAN_DEVICE_CONTEXT_TYPE_STR,
                               gst->gst_context_get_vulkan_device);
    if (out->owner_ != nullptr) {
        // Only who has the same GstVulkanQueue has the same lock.
        out->queue_ = find_context(element, GST_VULKAN_QUEUE_CONTEXT_TYPE_STR,
                                   gst->gst_context_get_vulkan_queue);
        auto* const instance = static_cast<GstVulkanDevice*>(out->owner_.get())->instance;
        out->instance_ = SharedGst(gst_object_ref(instance), Unref{});
    } else {
        out->instance_ = find_context(element, GST_VULKAN_INSTANCE_CONTEXT_TYPE_STR,
                                      gst->gst_context_get_vulkan_instance);
        if (out->instance_ == nullptr) {
            SLUICE_TRY_ASSIGN(out->instance_, make_instance(*gst));
        }
        SLUICE_TRY_ASSIGN(
            out->owner_,
            make_device(*gst, static_cast<GstVulkanInstance*>(out->instance_.get()), index));
        out->queue_ =
            SharedGst(gst->gst_vulkan_device_select_queue(
                          static_cast<GstVulkanDevice*>(out->owner_.get()), VK_QUEUE_COMPUTE_BIT),
                      Unref{});
    }
    auto* const device = static_cast<GstVulkanDevice*>(out->owner_.get());
    auto* const queue = static_cast<GstVulkanQueue*>(out->queue_.get());
    if (queue == nullptr || queue->device != device || !computes(*device, *queue)) {
        return fail(ErrorCode::Unsupported, "{}",
                    queue == nullptr          ? "the device is shared, but no queue of it"
                    : queue->device != device ? "the queue that is shared is another device's"
                                              : "the queue that is shared does not compute");
    }
    vulkan::SharedDevice shared{
        .physical = device->physical_device->device,
        .device = device->device,
        .queue = queue->queue,
        .queue_family = queue->family,
        // gst_vulkan_device_open() enables what it found, if the instance is new enough to ask.
        .core_features = gst->gst_vulkan_instance_check_version(device->instance, 1, 2, 0) != FALSE,
        .has_extension =
            [gst, device](const char* name) {
                return gst->gst_vulkan_device_is_extension_enabled(device, name) != FALSE;
            },
        .lock_queue = [gst, queue] { gst->gst_vulkan_queue_submit_lock(queue); },
        .unlock_queue = [gst, queue] { gst->gst_vulkan_queue_submit_unlock(queue); },
        .owner = std::make_shared<std::array<SharedGst, 2>>(std::array{out->owner_, out->queue_}),
    };
    SLUICE_TRY_ASSIGN(out->device_, vulkan::Device::adopt(std::move(shared)));
    const vulkan::DeviceProfile& chosen = profiles[index];
    if (!selector.empty() && (chosen.name != out->device_->profile().name ||
                              chosen.cache_uuid != out->device_->profile().cache_uuid)) {
        return nullptr;
    }
    return out;
}

bool VulkanShare::answer(GstElement* element, GstQuery* query) const {
    const Library* const gst = library();
    return gst->gst_vulkan_handle_context_query(
               element, query, nullptr, static_cast<GstVulkanInstance*>(instance_.get()),
               static_cast<GstVulkanDevice*>(owner_.get())) != FALSE ||
           gst->gst_vulkan_queue_handle_context_query(
               element, query, static_cast<GstVulkanQueue*>(queue_.get())) != FALSE;
}

Ref<GstBufferPool> VulkanShare::make_pool() const {
    return Ref(
        library()->gst_vulkan_image_buffer_pool_new(static_cast<GstVulkanDevice*>(owner_.get())));
}

bool is_vulkan_image(GstMemory* memory) {
    return gst_memory_is_type(memory, GST_VULKAN_IMAGE_MEMORY_ALLOCATOR_NAME) != FALSE;
}

Result<zero_copy::FrameMemory> image_memory(GstMemory* memory, std::uint64_t serial,
                                            zero_copy::CpuAccess access, std::uint32_t width,
                                            std::uint32_t height) {
    const Library* const gst = library();
    if (gst == nullptr || !is_vulkan_image(memory)) {
        return fail(ErrorCode::Unsupported, "memory in a buffer of images is none");
    }
    const auto& image = *reinterpret_cast<GstVulkanImageMemory*>(memory);
    constexpr std::array kKnown{VK_FORMAT_R8_UNORM, VK_FORMAT_R8G8_UNORM, VK_FORMAT_R8G8B8A8_UNORM,
                                VK_FORMAT_B8G8R8A8_UNORM};
    if (!std::ranges::contains(kKnown, image.create_info.format)) {
        return fail(ErrorCode::Unsupported,
                    "an image has VkFormat {}; planes of 8 bits are taken (R8, R8G8, R8G8B8A8, "
                    "B8G8R8A8, UNORM each); put vulkandownload before",
                    static_cast<int>(image.create_info.format));
    }
    const VkExtent3D& extent = image.create_info.extent;
    if (extent.width < width || extent.height < height) {
        return fail(ErrorCode::Unsupported, "an image has {}x{} texels, its plane has {}x{}",
                    extent.width, extent.height, width, height);
    }
    if (image.barrier.image_layout == VK_IMAGE_LAYOUT_UNDEFINED &&
        access != zero_copy::CpuAccess::Write) {
        return fail(ErrorCode::Unsupported, "nobody has written an image yet");
    }
    SLUICE_TRY(wait_for_image(*gst, image));
    zero_copy::FrameMemory out =
        zero_copy::vulkan_image_memory(reinterpret_cast<std::uint64_t>(image.device->device),
                                       reinterpret_cast<std::uint64_t>(image.image),
                                       static_cast<std::uint32_t>(image.create_info.format),
                                       static_cast<std::uint32_t>(image.barrier.image_layout),
                                       static_cast<std::uint32_t>(image.usage));
    out.identity = {.device = 0, .inode = serial};
    return out;
}

void note_image_read(GstMemory* memory) {
    auto& image = *reinterpret_cast<GstVulkanImageMemory*>(memory);
    image.barrier.image_layout = static_cast<VkImageLayout>(
        zero_copy::layout_when_read(static_cast<std::uint32_t>(image.barrier.image_layout)));
    image.barrier.parent.pipeline_stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
    image.barrier.parent.access_flags = VK_ACCESS_SHADER_READ_BIT;
}

void note_image_written(GstMemory* memory) {
    auto& image = *reinterpret_cast<GstVulkanImageMemory*>(memory);
    image.barrier.image_layout = static_cast<VkImageLayout>(zero_copy::kLayoutWhenWritten);
    image.barrier.parent.pipeline_stages =
        VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
    image.barrier.parent.access_flags = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
}

} // namespace sluice::gst
