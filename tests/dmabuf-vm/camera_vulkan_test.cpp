// SPDX-License-Identifier: Apache-2.0
// From a camera's own dmabufs through the elements on a Vulkan device, which imports them: nobody
// copies a frame, nor a mask. The same lines are watched by the validation layer in tests/gst;
// here, where everything takes twenty times as long, there is neither that layer nor an optimising
// compiler of shaders.
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include <gst/allocators/allocators.h>
#include <gtest/gtest.h>

#include "tests/dmabuf-vm/camera_line.h"
#include "tests/dmabuf-vm/witness.h"
#include "tests/gst/support.h"

namespace sluice::testing {
namespace {

constexpr int kFrames = 6;
constexpr Source kDmabufs{"dmabuf_caps", "/dev/video0",
                          "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12", 1};
constexpr Source kPlanes{"planes_in_dmabufs_of_their_own", "/dev/video1", "video/x-raw,format=NV12",
                         2};

// Before Mesa is loaded.
const bool kCompilesFast = ::setenv("GALLIVM_PERF", "nopt", 1) == 0;

class CameraOnDevice : public ::testing::Test {
protected:
    void SetUp() override {
        if (!in_the_machine()) {
            GTEST_SKIP() << "needs the virtual machine: ./dev test --dmabuf";
        }
        ASSERT_TRUE(kCompilesFast);
    }

    static std::string element(const std::string& factory, const std::string& rest = {}) {
        return factory + " device=vulkan:llvmpipe require-zero-copy=true " + rest;
    }

    // Every frame that leaves the line lies in the camera's memories, and once the first has come
    // the kernel knows of no dmabuf that is neither the camera's nor was there.
    static void expect_no_copy(const Source& source, CameraLine& line,
                               const std::vector<const char*>& names) {
        std::set<ino_t> seen;
        std::set<ino_t> others;
        for (int i = 0; i < kFrames; ++i) {
            const Ref sample = line.pull();
            ASSERT_TRUE(sample) << "frame " << i;
            const auto at_sink = inodes(gst_sample_get_buffer(sample.get()));
            ASSERT_EQ(at_sink.size(), source.memories);
            EXPECT_EQ(at_sink, line.given(static_cast<std::size_t>(i))) << "frame " << i;
            const auto exists = existing_dmabufs();
            for (const ino_t inode : at_sink) {
                ASSERT_TRUE(exists.contains(inode)) << "the kernel knows no dmabuf " << inode;
                EXPECT_EQ(exists.at(inode), kCameraMemory);
                seen.insert(inode);
            }
            for (const auto& [inode, exporter] : exists) {
                if (exporter != kCameraMemory) {
                    EXPECT_TRUE(i == 0 || others.contains(inode)) << exporter << " is new";
                    others.insert(inode);
                }
            }
        }
        EXPECT_GE(seen.size(), 2U * source.memories);
        for (const char* name : names) {
            EXPECT_EQ(line.stat(name, "copied-bytes"), 0U) << name;
            EXPECT_EQ(line.stat(name, "frames"), static_cast<std::uint64_t>(kFrames)) << name;
        }
    }
};

TEST_F(CameraOnDevice, faces_and_redaction_copy_nothing) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    for (const Source& source : {kDmabufs, kPlanes}) {
        SCOPED_TRACE(source.name);
        CameraLine line(source,
                        element("sluicefacedetect", "name=faces qos=false ! ") +
                            element("sluiceredact", "name=redact"),
                        320, 180, kFrames);
        expect_no_copy(source, line, {"faces", "redact"});
        EXPECT_EQ(line.stat("faces", "inferences"), static_cast<std::uint64_t>(kFrames));
    }
}

TEST_F(CameraOnDevice, segmentation_and_background_copy_neither_frame_nor_mask) {
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    CameraLine line(kDmabufs,
                    element("sluicesegment", "name=people qos=false ! ") +
                        element("sluicebackground", "name=background effect=color"),
                    320, 180, kFrames);
    expect_no_copy(kDmabufs, line, {"people", "background"});
    EXPECT_EQ(line.stat("people", "mask-bytes-download"), 0U);
    EXPECT_EQ(line.stat("background", "mask-bytes-upload"), 0U);
}

TEST_F(CameraOnDevice, super_resolution_reads_in_place_and_writes_dmabufs_of_its_own) {
    SLUICE_NEED(model, model_file("anime4k-x2-s-rl.json"));
    CameraLine line(kDmabufs,
                    element("sluicesuperres", "name=larger qos=false ! video/x-raw(memory:DMABuf)"),
                    320, 180, 2);
    for (int i = 0; i < 2; ++i) {
        const Ref sample = line.pull();
        ASSERT_TRUE(sample);
        const auto exists = existing_dmabufs();
        for (const ino_t inode : inodes(gst_sample_get_buffer(sample.get()))) {
            ASSERT_TRUE(exists.contains(inode));
            EXPECT_EQ(exists.at(inode), "udmabuf");
        }
    }
    EXPECT_EQ(line.stat("larger", "copied-bytes"), 0U);
}

} // namespace
} // namespace sluice::testing
