// SPDX-License-Identifier: Apache-2.0
// A producer that is not done yet: elements wait for its fence. The vgem driver lets us hold one.
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include <drm/drm.h>
#include <drm/vgem_drm.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>

#include <gst/allocators/allocators.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "core/base/unique_fd.h"
#include "tests/dmabuf-vm/witness.h"
#include "tests/gst/support.h"

namespace sluice::testing {
namespace {

constexpr int kWidth = 256;
constexpr int kHeight = 64;

// A dmabuf of vgem with a fence that stands for a writer.
class FencedBuffer {
public:
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
        EXPECT_EQ(wanted.pitch, kWidth * 4U);
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

bool ready(int fd, short events) {
    pollfd waited{.fd = fd, .events = events, .revents = 0};
    return poll(&waited, 1, 0) == 1;
}

Ref<GstBuffer> as_frame(const FencedBuffer& buffer) {
    const Ref allocator(gst_dmabuf_allocator_new());
    Ref frame(gst_buffer_new());
    auto fd = buffer.dmabuf().dup();
    gst_buffer_append_memory(
        frame.get(), gst_dmabuf_allocator_alloc(allocator.get(), fd->release(), buffer.size()));
    GST_BUFFER_PTS(frame.get()) = 0;
    return frame;
}

class Fence : public ::testing::Test {
protected:
    void SetUp() override {
        if (!in_the_machine()) {
            GTEST_SKIP() << "needs the virtual machine: ./dev test --dmabuf";
        }
    }
};

TEST_F(Fence, of_a_writer_is_what_a_sync_file_tells) {
    FencedBuffer buffer;
    EXPECT_TRUE(ready(buffer.dmabuf().get(), POLLIN));
    buffer.attach_write_fence();
    dma_buf_export_sync_file exported{.flags = DMA_BUF_SYNC_READ, .fd = -1};
    ASSERT_EQ(ioctl(buffer.dmabuf().get(), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &exported), 0);
    const UniqueFd fence(exported.fd);
    EXPECT_FALSE(ready(buffer.dmabuf().get(), POLLIN));
    EXPECT_FALSE(ready(fence.get(), POLLIN));
    buffer.signal();
    EXPECT_TRUE(ready(buffer.dmabuf().get(), POLLIN));
    EXPECT_TRUE(ready(fence.get(), POLLIN));
}

TEST_F(Fence, given_to_another_dmabuf_makes_its_readers_wait) {
    FencedBuffer first;
    FencedBuffer second;
    first.attach_write_fence();
    dma_buf_export_sync_file exported{.flags = DMA_BUF_SYNC_READ, .fd = -1};
    ASSERT_EQ(ioctl(first.dmabuf().get(), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &exported), 0);
    const UniqueFd fence(exported.fd);
    dma_buf_import_sync_file given{.flags = DMA_BUF_SYNC_WRITE, .fd = fence.get()};
    ASSERT_EQ(ioctl(second.dmabuf().get(), DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &given), 0);
    EXPECT_FALSE(ready(second.dmabuf().get(), POLLIN));
    first.signal();
    EXPECT_TRUE(ready(second.dmabuf().get(), POLLIN));
}

// The frame is pushed while its producer is still "writing"; the element must not look at it before
// the fence. The late write below stands for what the producer does in that time.
TEST_F(Fence, that_is_not_signalled_keeps_elements_from_reading) {
    FencedBuffer buffer;
    const MappedFile pixels(buffer.dmabuf().get());
    std::memset(pixels.data(), 50, kWidth * kHeight * 4);

    Harness harness("sluiceredact", [](GstElement* element) {
        g_object_set(element, "fail-closed", TRUE, "require-zero-copy", TRUE, nullptr);
    });
    harness.set_caps("video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=AB24, width=256, "
                     "height=64, framerate=25/1");
    buffer.attach_write_fence();
    std::atomic<bool> done = false;
    std::thread element([&] {
        EXPECT_TRUE(harness.run(as_frame(buffer)));
        done = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    EXPECT_FALSE(done) << "the element did not wait";
    EXPECT_EQ(pixels.data()[0], 50) << "the element wrote before the fence was signalled";
    std::memset(pixels.data(), 200, kWidth * kHeight * 4);
    const auto signalled = std::chrono::steady_clock::now();
    buffer.signal();
    element.join();
    EXPECT_LT(std::chrono::steady_clock::now() - signalled, std::chrono::seconds(5));
    EXPECT_EQ(pixels.data()[0], 0);
    EXPECT_EQ(pixels.data()[1], 0);
}

} // namespace
} // namespace sluice::testing
