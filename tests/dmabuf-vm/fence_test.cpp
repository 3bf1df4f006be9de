// SPDX-License-Identifier: Apache-2.0
// A producer that is not done yet: elements wait for its fence.
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include <gst/allocators/allocators.h>
#include <gtest/gtest.h>

#include "core/base/unique_fd.h"
#include "tests/dmabuf-vm/fenced_buffer.h"
#include "tests/dmabuf-vm/witness.h"
#include "tests/gst-plugins/support.h"

namespace sluice::testing {
namespace {

constexpr int kWidth = FencedBuffer::kWidth;
constexpr int kHeight = FencedBuffer::kHeight;

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
