// SPDX-License-Identifier: Apache-2.0
// The kernel's side: devices that make dmabufs, their fences, cameras, GPUs.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <format>

#include <drm/drm.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "core/base/unique_fd.h"
#include "pipelines/cli/doctor.h"
#include "zero_copy/dmabuf.h"

namespace sluice::cli {

namespace {

constexpr const char* kKernel = "kernel";

std::vector<std::string> nodes(const char* folder, std::string_view prefix) {
    std::vector<std::string> out;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        if (entry.path().filename().string().starts_with(prefix)) {
            out.push_back(entry.path().string());
        }
    }
    std::ranges::sort(out);
    return out;
}

std::string group_remedy(const std::string& path, std::string_view group) {
    return std::format("give your user access to {} (ls -l shows its group, often '{}'): sudo "
                       "usermod -aG {} $USER, then log in again",
                       path, group, group);
}

// A device that dmabufs are asked of.
Finding examine_device(const std::string& path, std::string_view group, std::string_view module) {
    Finding finding{
        .section = kKernel, .name = path, .state = State::Missing, .found = {}, .remedy = {}};
    const UniqueFd device(open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (device) {
        finding.state = State::Good;
        finding.found = "can be opened";
    } else if (errno == EACCES || errno == EPERM) {
        finding.found = "is there, but your user may not open it";
        finding.remedy = group_remedy(path, group);
    } else {
        finding.found = std::strerror(errno);
        finding.remedy = std::format("a kernel with {}", module);
    }
    return finding;
}

Finding examine_making(const Result<UniqueFd>& made) {
    if (made) {
        return {.section = kKernel,
                .name = "making dmabufs",
                .state = State::Good,
                .found = "works",
                .remedy = {}};
    }
    return {.section = kKernel,
            .name = "making dmabufs",
            .state = State::Missing,
            .found = made.error().message,
            .remedy = "access to one of /dev/udmabuf and /dev/dma_heap/system; without, "
                      "sluicesuperres writes plain memory"};
}

Finding examine_sync_files(const Result<UniqueFd>& made) {
    Finding finding{.section = kKernel,
                    .name = "sync_file of a dmabuf",
                    .state = State::Info,
                    .found = "cannot be tried without a dmabuf",
                    .remedy = {}};
    if (!made) {
        return finding;
    }
    dma_buf_export_sync_file wanted{.flags = DMA_BUF_SYNC_READ, .fd = -1};
    if (ioctl(made->get(), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &wanted) == 0) {
        const UniqueFd fence(wanted.fd);
        finding.state = State::Good;
        finding.found = "can be exported";
    } else {
        finding.state = State::Missing;
        finding.found = std::strerror(errno);
        finding.remedy = "Linux 6.0 or newer; until then a device's work is waited for with poll()";
    }
    return finding;
}

std::string text_of(const __u8* bytes, std::size_t size) {
    const auto* text = reinterpret_cast<const char*>(bytes);
    return {text, strnlen(text, size)};
}

Finding examine_camera(const std::string& path) {
    Finding finding{
        .section = "camera", .name = path, .state = State::Missing, .found = {}, .remedy = {}};
    const UniqueFd device(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    v4l2_capability told{};
    if (!device) {
        finding.found = std::strerror(errno);
        finding.remedy = errno == EACCES ? group_remedy(path, "video") : "";
        return finding;
    }
    if (ioctl(device.get(), VIDIOC_QUERYCAP, &told) != 0) {
        finding.found = std::format("answers no VIDIOC_QUERYCAP: {}", std::strerror(errno));
        return finding;
    }
    const __u32 can =
        (told.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? told.device_caps : told.capabilities;
    const bool captures = (can & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE)) != 0;
    const bool streams = (can & V4L2_CAP_STREAMING) != 0;
    finding.state = captures && streams ? State::Good : State::Info;
    finding.found = std::format("{} (driver {}){}{}", text_of(told.card, sizeof told.card),
                                text_of(told.driver, sizeof told.driver),
                                captures ? ", captures" : ", does not capture",
                                (can & V4L2_CAP_VIDEO_CAPTURE_MPLANE) != 0 ? ", multi-planar" : "");
    return finding;
}

Finding examine_gpu(const std::string& path) {
    Finding finding{
        .section = "gpu", .name = path, .state = State::Missing, .found = {}, .remedy = {}};
    const UniqueFd device(open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!device) {
        finding.found = std::strerror(errno);
        finding.remedy = errno == EACCES ? group_remedy(path, "render") : "";
        return finding;
    }
    std::array<char, 64> driver{};
    drm_version version{};
    version.name = driver.data();
    version.name_len = driver.size() - 1;
    if (ioctl(device.get(), DRM_IOCTL_VERSION, &version) != 0) {
        finding.found = std::format("answers no DRM_IOCTL_VERSION: {}", std::strerror(errno));
        return finding;
    }
    finding.state = State::Good;
    finding.found =
        std::format("driver {} {}.{}", driver.data(), version.version_major, version.version_minor);
    return finding;
}

template <typename Examine>
void examine_all(std::vector<Finding>& out, const char* section, const std::vector<std::string>& of,
                 const char* none, Examine examine) {
    for (const std::string& path : of) {
        out.push_back(examine(path));
    }
    if (of.empty()) {
        out.push_back({.section = section,
                       .name = none,
                       .state = State::Info,
                       .found = "none",
                       .remedy = {}});
    }
}

} // namespace

std::vector<Finding> examine_kernel() {
    utsname system{};
    uname(&system);
    std::vector<Finding> out{
        {.section = kKernel,
         .name = "release",
         .state = State::Info,
         .found = std::format("{} {} {}", system.sysname, system.release, system.machine),
         .remedy = {}}};
    out.push_back(examine_device("/dev/udmabuf", "kvm", "CONFIG_UDMABUF"));
    const auto heaps = nodes("/dev/dma_heap", "");
    for (const std::string& heap : heaps) {
        out.push_back(examine_device(heap, "video", "CONFIG_DMABUF_HEAPS"));
    }
    if (heaps.empty()) {
        out.push_back(
            examine_device("/dev/dma_heap/system", "video", "CONFIG_DMABUF_HEAPS_SYSTEM"));
    }
    const auto made = zero_copy::make_dmabuf(1);
    out.push_back(examine_making(made));
    out.push_back(examine_sync_files(made));
    return out;
}

std::vector<Finding> examine_nodes() {
    std::vector<Finding> out;
    examine_all(out, "camera", nodes("/dev", "video"), "/dev/video*", examine_camera);
    examine_all(out, "gpu", nodes("/dev/dri", "renderD"), "/dev/dri/renderD*", examine_gpu);
    return out;
}

} // namespace sluice::cli
