// SPDX-License-Identifier: Apache-2.0
// Frames that udmabuf refuses for their size, on a machine whose dma-heap cannot be used.
#include <fstream>
#include <string>
#include <string_view>

#include <sys/mount.h>

#include <gst/gst.h>
#include <gtest/gtest.h>

#include "tests/dmabuf-vm/witness.h"
#include "tests/gst-plugins/support.h"
#include "zero_copy/dmabuf.h"

namespace sluice::testing {
namespace {

constexpr std::size_t kLimit = std::size_t{1} << 20U;

// Of this whole program, whose other dmabufs are smaller: processes ask for the limit once.
class SmallDmabufs : public ::testing::Environment {
    void SetUp() override {
        if (in_the_machine()) {
            std::ofstream("/sys/module/udmabuf/parameters/size_limit_mb") << "1\n";
            ASSERT_EQ(::mount("none", "/dev/dma_heap", "tmpfs", 0, nullptr), 0);
        }
    }
    void TearDown() override {
        if (in_the_machine()) {
            std::ofstream("/sys/module/udmabuf/parameters/size_limit_mb") << "64\n";
            ::umount("/dev/dma_heap");
        }
    }
};
[[maybe_unused]] const auto* const kSmallDmabufs =
    ::testing::AddGlobalTestEnvironment(new SmallDmabufs); // NOLINT: GoogleTest deletes it

class SizeLimit : public ::testing::Test {
protected:
    void SetUp() override {
        if (!in_the_machine()) {
            GTEST_SKIP() << "needs the virtual machine: ./dev test --dmabuf";
        }
    }
};

TEST_F(SizeLimit, is_what_the_kernel_keeps_to) {
    EXPECT_EQ(zero_copy::largest_dmabuf(), kLimit);
    EXPECT_TRUE(zero_copy::make_dmabuf(kLimit));
    const auto larger = zero_copy::make_dmabuf(kLimit + 1);
    ASSERT_FALSE(larger);
    EXPECT_NE(larger.error().message.find("udmabuf"), std::string::npos) << larger.error().message;
}

constexpr const char* kDmabufs = "video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=NV12";
constexpr const char* kBoth = "video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=NV12; "
                              "video/x-raw, format=NV12";

// How the enlarged frame leaves, and what was said about it.
struct Left {
    bool in_dmabuf;
    std::size_t warnings;
};

std::size_t g_warnings = 0;

void count_warnings(GstDebugCategory* /*category*/, GstDebugLevel level, const gchar* /*file*/,
                    const gchar* /*function*/, gint /*line*/, GObject* /*object*/,
                    GstDebugMessage* message, gpointer /*data*/) {
    const std::string_view text = gst_debug_message_get(message);
    g_warnings += level == GST_LEVEL_WARNING && text.contains("size_limit_mb") ? 1 : 0;
}

Left enlarge(int width, int height, const char* wanted) {
    g_warnings = 0;
    gst_debug_set_threshold_from_string("sluice*:WARNING", FALSE);
    gst_debug_add_log_function(count_warnings, nullptr, nullptr);
    const std::string caps = video_caps("NV12", width, height);
    Harness line("sluicesuperres",
                 [](GstElement* element) { g_object_set(element, "device", "cpu", nullptr); });
    gst_harness_set_sink_caps_str(line.get(), wanted);
    line.set_caps(caps);
    Left left{};
    for (int i = 0; i < 2; ++i) {
        const Ref out = line.run(make_frame(caps));
        EXPECT_TRUE(out);
        left.in_dmabuf = out && existing_dmabufs().contains(inodes(out.get()).front());
    }
    gst_debug_remove_log_function(count_warnings);
    left.warnings = g_warnings;
    return left;
}

TEST_F(SizeLimit, larger_frames_leave_in_plain_memory_and_are_told_once) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    const Left small = enlarge(160, 90, kDmabufs);
    EXPECT_TRUE(small.in_dmabuf);
    EXPECT_EQ(small.warnings, 0U);
    const Left large = enlarge(640, 400, kBoth); // 1,536,000 bytes
    EXPECT_FALSE(large.in_dmabuf);
    EXPECT_EQ(large.warnings, 1U);
}

} // namespace
} // namespace sluice::testing
