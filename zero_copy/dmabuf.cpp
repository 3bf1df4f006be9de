// SPDX-License-Identifier: Apache-2.0
// udmabuf and dma-heap.
#include "zero_copy/dmabuf.h"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/checked_math.h"

namespace sluice::zero_copy {

namespace {

constexpr const char* kUdmabuf = "/dev/udmabuf";
constexpr const char* kSystemHeap = "/dev/dma_heap/system";

std::unexpected<Error> refused(const char* what, const char* call) {
    return fail(ErrorCode::Unsupported, "{}: {}: {}", what, call, std::strerror(errno));
}

Result<UniqueFd> open_device(const char* path) {
    UniqueFd device(open(path, O_RDWR | O_CLOEXEC));
    if (!device) {
        return refused(path, "open");
    }
    return device;
}

Result<UniqueFd> from_udmabuf(std::size_t bytes) {
    SLUICE_TRY_ASSIGN(const UniqueFd device, open_device(kUdmabuf));
    const UniqueFd pages(memfd_create("sluice-dmabuf", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!pages || ftruncate(pages.get(), static_cast<off_t>(bytes)) != 0) {
        return refused(kUdmabuf, "memfd_create");
    }
    // The kernel takes no file that could become shorter.
    if (fcntl(pages.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0) {
        return refused(kUdmabuf, "F_SEAL_SHRINK");
    }
    udmabuf_create wanted{.memfd = static_cast<__u32>(pages.get()),
                          .flags = UDMABUF_FLAGS_CLOEXEC,
                          .offset = 0,
                          .size = bytes};
    UniqueFd made(ioctl(device.get(), UDMABUF_CREATE, &wanted));
    if (!made) {
        return refused(kUdmabuf, "UDMABUF_CREATE");
    }
    return made;
}

Result<UniqueFd> from_heap(std::size_t bytes) {
    SLUICE_TRY_ASSIGN(const UniqueFd device, open_device(kSystemHeap));
    dma_heap_allocation_data wanted{
        .len = bytes, .fd = 0, .fd_flags = O_RDWR | O_CLOEXEC, .heap_flags = 0};
    if (ioctl(device.get(), DMA_HEAP_IOCTL_ALLOC, &wanted) != 0) {
        return refused(kSystemHeap, "DMA_HEAP_IOCTL_ALLOC");
    }
    return UniqueFd(static_cast<int>(wanted.fd));
}

std::optional<std::size_t> whole_pages(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const auto up = checked_add<std::size_t>(bytes, page - 1);
    return up && bytes > 0 ? std::optional(*up / page * page) : std::nullopt;
}

} // namespace

Result<UniqueFd> make_dmabuf(std::size_t bytes) {
    const auto size = whole_pages(bytes);
    if (!size) {
        return fail(ErrorCode::InvalidArgument, "no dmabuf of {} bytes", bytes);
    }
    auto first = from_udmabuf(*size);
    if (first) {
        return first;
    }
    auto second = from_heap(*size);
    if (second) {
        return second;
    }
    return fail(ErrorCode::Unsupported, "no dmabuf can be made ({}; {})", first.error().message,
                second.error().message);
}

std::size_t udmabuf_limit(std::string_view parameter) {
    constexpr std::size_t kMegabyte = std::size_t{1} << 20U;
    constexpr std::size_t kDefault = 64;
    std::size_t megabytes = 0;
    const auto [end, error] =
        std::from_chars(parameter.data(), parameter.data() + parameter.size(), megabytes);
    const auto bytes = error == std::errc() && end != parameter.data()
                           ? checked_mul(megabytes, kMegabyte)
                           : std::nullopt;
    return bytes.value_or(kDefault * kMegabyte);
}

std::size_t largest_dmabuf() {
    static const std::size_t largest = [] {
        constexpr std::size_t kTrial = 1;
        if (from_heap(*whole_pages(kTrial))) {
            return SIZE_MAX;
        }
        if (!from_udmabuf(*whole_pages(kTrial))) {
            return std::size_t{0};
        }
        std::string text;
        std::ifstream("/sys/module/udmabuf/parameters/size_limit_mb") >> text;
        return udmabuf_limit(text);
    }();
    return largest;
}

bool can_make_dmabufs() {
    static const bool can = make_dmabuf(1).has_value();
    return can;
}

} // namespace sluice::zero_copy
