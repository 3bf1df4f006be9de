// SPDX-License-Identifier: Apache-2.0
// GstFdAllocator with an alloc of its own.
#include "gst-plugins/common/memfd_allocator.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gst/allocators/gstfdmemory.h>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"

GST_DEBUG_CATEGORY_EXTERN(sluice_filter_debug);
#define GST_CAT_DEFAULT sluice_filter_debug

namespace {

struct SluiceMemfdAllocator {
    GstFdAllocator parent;
};
struct SluiceMemfdAllocatorClass {
    GstFdAllocatorClass parent_class;
};
G_DEFINE_TYPE(SluiceMemfdAllocator, sluice_memfd_allocator, GST_TYPE_FD_ALLOCATOR)

sluice::Result<sluice::UniqueFd> make_memfd(std::size_t bytes) {
    using sluice::ErrorCode;
    sluice::UniqueFd file(memfd_create("sluice-frame", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) {
        return sluice::fail(ErrorCode::Io, "memfd_create: {}", std::strerror(errno));
    }
    // Nobody who is given the descriptor can make the mappings of others fault.
    if (ftruncate(file.get(), static_cast<off_t>(bytes)) != 0 ||
        fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return sluice::fail(ErrorCode::Io, "a memfd of {} bytes: {}", bytes, std::strerror(errno));
    }
    return file;
}

// The first mapping is for reading and writing, and stays: none after it needs other rights.
GstMemory* map_once(GstMemory* memory) {
    GstMapInfo map;
    if (memory != nullptr && gst_memory_map(memory, &map, GST_MAP_READWRITE) == FALSE) {
        gst_memory_unref(memory);
        return nullptr;
    }
    if (memory != nullptr) {
        gst_memory_unmap(memory, &map);
    }
    return memory;
}

// Begins at a page, which is more than any caller asks to be aligned to; and the rest of the last
// page is padding.
GstMemory* alloc(GstAllocator* allocator, gsize size, GstAllocationParams* params) {
    const auto page = static_cast<gsize>(sysconf(_SC_PAGESIZE));
    const auto wanted = sluice::checked_add<gsize>(size, params->prefix + params->padding);
    const auto up = wanted ? sluice::checked_add<gsize>(*wanted, page - 1) : std::nullopt;
    if (!up || *wanted == 0) {
        return nullptr;
    }
    auto file = make_memfd(*up / page * page);
    GstMemory* memory =
        file ? map_once(gst_fd_allocator_alloc(allocator, file->release(), *up / page * page,
                                               GST_FD_MEMORY_FLAG_KEEP_MAPPED))
             : nullptr;
    if (memory == nullptr) {
        GST_WARNING_OBJECT(allocator, "a frame lies in ordinary memory: %s",
                           file ? "a memfd cannot be mapped" : file.error().message.c_str());
        return gst_allocator_alloc(nullptr, size, params);
    }
    gst_memory_resize(memory, static_cast<gssize>(params->prefix), size);
    return memory;
}

void sluice_memfd_allocator_init(SluiceMemfdAllocator* self) {
    GST_OBJECT_FLAG_UNSET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC); // the parent has it
    // A file and a mapping for each copy would cost more than the copy.
    GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_NO_COPY);
}

void sluice_memfd_allocator_class_init(SluiceMemfdAllocatorClass* klass) {
    GST_ALLOCATOR_CLASS(klass)->alloc = alloc;
}

// A process may have several copies of this code; the first to come names the type for all.
GType allocator_type() {
    static const GType type = [] {
        const GType known = g_type_from_name("SluiceMemfdAllocator");
        return known != 0 ? known : sluice_memfd_allocator_get_type();
    }();
    return type;
}

} // namespace

namespace sluice::gst {

Ref<GstAllocator> make_memfd_allocator() {
    return Ref(GST_ALLOCATOR(gst_object_ref_sink(g_object_new(allocator_type(), nullptr))));
}

bool is_own_memfd(GstMemory* memory) {
    return G_TYPE_CHECK_INSTANCE_TYPE(memory->allocator, allocator_type()) != 0;
}

} // namespace sluice::gst
