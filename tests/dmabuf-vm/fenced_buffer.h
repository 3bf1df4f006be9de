// SPDX-License-Identifier: Apache-2.0
// FencedBuffer: a dmabuf whose producer is not done until the test says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <drm/drm.h>
#include <drm/vgem_drm.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include <gtest/gtest.h>

#include "core/base/unique_fd.h"

namespace sluice::testing {

// A dmabuf of vgem with a fence that stands for a writer.
class FencedBuffer {
public:
    static constexpr std::uint32_t kWidth = 256;
    static constexpr std::uint32_t kHeight = 64;

    FencedBuffer() {
        for (int i = 0; i < 8 && !card_; ++i) {
            UniqueFd card(open(("/dev/dri/card" + std::to_string(i)).c_str(), O_RDWR | O_CLOEXEC));
            if (card && driver(card.get()) == "vgem") {
                card_ = std::move(card);
            }
        }
        EXPECT_TRUE(card_) << "there is no vgem device";
        drm_mode_create_dumb wanted{.height = kHeight,
                                    .width = kWidth,
                                    .bpp = 32,
                                    .flags = 0,
                                    .handle = 0,
                                    .pitch = 0,
                                    .size = 0};
        EXPECT_EQ(ioctl(card_.get(), DRM_IOCTL_MODE_CREATE_DUMB, &wanted), 0);
        EXPECT_EQ(wanted.pitch, kWidth * 4);
        handle_ = wanted.handle;
        size_ = wanted.size;
        drm_prime_handle exported{.handle = handle_, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1};
        EXPECT_EQ(ioctl(card_.get(), DRM_IOCTL_PRIME_HANDLE_TO_FD, &exported), 0);
        dmabuf_ = UniqueFd(exported.fd);
    }

    void attach_write_fence() {
        drm_vgem_fence_attach wanted{
            .handle = handle_, .flags = VGEM_FENCE_WRITE, .out_fence = 0, .pad = 0};
        ASSERT_EQ(ioctl(card_.get(), DRM_IOCTL_VGEM_FENCE_ATTACH, &wanted), 0);
        fence_ = wanted.out_fence;
    }
    void signal() {
        drm_vgem_fence_signal wanted{.fence = fence_, .flags = 0};
        EXPECT_EQ(ioctl(card_.get(), DRM_IOCTL_VGEM_FENCE_SIGNAL, &wanted), 0);
    }
    [[nodiscard]] const UniqueFd& dmabuf() const { return dmabuf_; }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    static std::string driver(int card) {
        char name[16] = {};
        drm_version version{};
        version.name = name;
        version.name_len = sizeof name - 1;
        return ioctl(card, DRM_IOCTL_VERSION, &version) == 0 ? name : "";
    }

    UniqueFd card_;
    UniqueFd dmabuf_;
    std::uint32_t handle_ = 0;
    std::uint32_t fence_ = 0;
    std::size_t size_ = 0;
};

} // namespace sluice::testing
