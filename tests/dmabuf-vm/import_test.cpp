// SPDX-License-Identifier: Apache-2.0
// Real dmabufs on the Vulkan device: read where they lie, after their producers' fences.
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gst/allocators/allocators.h>
#include <gst/app/gstappsink.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "core/base/copy_ledger.h"
#include "core/runtime/thread_pool.h"
#include "tests/dmabuf-vm/fenced_buffer.h"
#include "tests/dmabuf-vm/witness.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "tests/zero_copy/tensor_reference.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/device_sampler.h"
#include "zero_copy/dmabuf.h"
#include "zero_copy/frame_runner.h"
#include "zero_copy/frame_to_tensor.h"
#include "zero_copy/sync.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

// As on shared memory (tests/zero_copy/device_sampler_test.cpp), in codes of 0..255.
constexpr double kToleranceCodes = 0.02;
constexpr TensorFormat kTensor{.width = 16, .height = 12};

// A frame's planes in a dmabuf of our own, which the device can reach by its descriptor only.
class DmabufFrame {
public:
    explicit DmabufFrame(const TestFrame& frame) : format_(frame.format()) {
        std::size_t end = 0;
        for (std::size_t i = 0; i < frame.planes.size(); ++i) {
            planes_.push_back({0, end, frame.strides[i]});
            end += (frame.planes[i].size() + 255) / 256 * 256;
        }
        fd_ = must(make_dmabuf(end));
        pixels_ = std::make_unique<MappedFile>(fd_.get());
        write(frame);
    }
    void write(const TestFrame& frame) const {
        auto access = must(DmaBufAccess::begin(fd_.get(), CpuAccess::Write));
        for (std::size_t i = 0; i < planes_.size(); ++i) {
            std::memcpy(pixels_->data() + planes_[i].offset_bytes, frame.planes[i].data(),
                        frame.planes[i].size());
        }
        must(access.end());
    }
    [[nodiscard]] ExternalFrame frame() const {
        const FrameMemory memory = must(dma_buf_memory(fd_.get()));
        return must(
            ExternalFrame::create(format_, kLinearModifier, planes_, std::span(&memory, 1)));
    }

private:
    FrameFormat format_;
    UniqueFd fd_;
    std::unique_ptr<MappedFile> pixels_;
    std::vector<MemoryPlane> planes_;
};

// One frame of 320x180 pixels, NV12, of a camera.
class CameraFrame {
public:
    explicit CameraFrame(const std::string& device) {
        const std::string line =
            "v4l2src io-mode=dmabuf num-buffers=3 device=" + device +
            " ! video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12,width=320,height=180 ! "
            "appsink name=sink emit-signals=true sync=false";
        pipeline_ = GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(line.c_str(), nullptr)));
        GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline_), "sink");
        g_signal_connect(sink, "propose-allocation", G_CALLBACK(+take_any_layout), nullptr);
        gst_element_set_state(pipeline_, GST_STATE_PLAYING);
        sample_ = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), 60 * GST_SECOND);
        gst_object_unref(sink);
        EXPECT_NE(sample_, nullptr) << device;
        GstBuffer* buffer = gst_sample_get_buffer(sample_);
        const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
        EXPECT_NE(meta, nullptr);
        for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
            const int fd = gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, i));
            memories_.push_back(must(dma_buf_memory(fd)));
            pixels_.push_back(std::make_unique<MappedFile>(fd));
        }
        for (guint i = 0; i < meta->n_planes; ++i) {
            guint memory = 0;
            guint count = 0;
            gsize skip = 0;
            EXPECT_TRUE(gst_buffer_find_memory(buffer, meta->offset[i], 1, &memory, &count, &skip));
            planes_.push_back({static_cast<std::uint8_t>(memory), skip,
                               static_cast<std::size_t>(meta->stride[i])});
        }
    }
    ~CameraFrame() {
        gst_sample_unref(sample_);
        gst_element_set_state(pipeline_, GST_STATE_NULL);
        gst_object_unref(pipeline_);
    }
    CameraFrame(const CameraFrame&) = delete;
    CameraFrame& operator=(const CameraFrame&) = delete;

    [[nodiscard]] ExternalFrame frame(const FrameFormat& format) const {
        return must(ExternalFrame::create(format, kLinearModifier, planes_, memories_));
    }
    [[nodiscard]] FrameView view(const FrameFormat& format) const {
        std::vector<Plane> planes;
        for (const MemoryPlane& plane : planes_) {
            const MappedFile& file = *pixels_[plane.memory];
            planes.push_back(
                {.data = reinterpret_cast<std::byte*>(file.data()) + plane.offset_bytes,
                 .stride_bytes = plane.stride_bytes,
                 .size_bytes = file.size() - plane.offset_bytes});
        }
        return must(FrameView::create(format, planes));
    }

private:
    static gboolean take_any_layout(GstElement* /*sink*/, GstQuery* query, gpointer /*nothing*/) {
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
        return TRUE;
    }

    GstElement* pipeline_ = nullptr;
    GstSample* sample_ = nullptr;
    std::vector<FrameMemory> memories_;
    std::vector<MemoryPlane> planes_;
    std::vector<std::unique_ptr<MappedFile>> pixels_;
};

class Import : public VulkanTest {
protected:
    void SetUp() override {
        if (!in_the_machine()) {
            GTEST_SKIP() << "needs the virtual machine: ./dev test --dmabuf";
        }
        VulkanTest::SetUp();
        ASSERT_TRUE(device_);
        runner_ = std::make_unique<FrameRunner>(device_);
        tensor_ = std::make_unique<DeviceBuffer>(
            must(DeviceBuffer::create(device_, kTensor.width * kTensor.height * 3 * sizeof(float),
                                      vulkan::Placement::Download)));
    }
    void TearDown() override {
        runner_.reset();
        tensor_.reset();
        VulkanTest::TearDown();
    }

    std::vector<float> sample(const DeviceSampler& sampler, const ExternalFrame& frame) {
        const auto ran =
            runner_->run(std::array{FrameRunner::Frame{.frame = &frame}}, 0, ledger_,
                         [&](vulkan::Recording& recording, ImportedFrames imported) {
                             return sampler.record(recording, *imported[0], tensor_->range());
                         });
        EXPECT_TRUE(ran) << ran.error().message;
        std::vector<float> out(std::size_t{kTensor.width} * kTensor.height * 3);
        std::memcpy(out.data(), tensor_->mapped().data(), out.size() * sizeof(float));
        return out;
    }
    static SourceRegion whole(const FrameFormat& format) {
        return {.width = static_cast<double>(format.width),
                .height = static_cast<double>(format.height)};
    }
    void expect_no_copy() const {
        EXPECT_EQ(ledger_.total_bytes(), 0U);
        EXPECT_TRUE(runner_->last_method() == ImportMethod::ModifierImage ||
                    runner_->last_method() == ImportMethod::LinearBuffer)
            << name(runner_->last_method());
    }
    static void expect_pixels_of(const TestFrame& frame, const std::vector<float>& out) {
        const TensorReference reference(frame, whole(frame.format()), kTensor);
        double worst = 0.0;
        for (std::uint32_t y = 0; y < kTensor.height; ++y) {
            for (std::uint32_t x = 0; x < kTensor.width; ++x) {
                const std::array<double, 3> wanted = reference.values(x, y);
                for (std::size_t c = 0; c < 3; ++c) {
                    const double got = out[((std::size_t{y} * kTensor.width) + x) * 3 + c];
                    worst = std::max(worst, std::abs(got - wanted[c]) * 255.0);
                }
            }
        }
        EXPECT_LE(worst, kToleranceCodes) << describe(frame.format());
    }

    std::unique_ptr<FrameRunner> runner_;
    std::unique_ptr<DeviceBuffer> tensor_;
    CopyLedger ledger_;
};

// One format of each kind: a device makes a pipeline for each, which takes seconds in the machine.
TEST_F(Import, dmabufs_are_read_where_they_lie) {
    std::mt19937 random(1908);
    for (const PixelFormat format :
         {PixelFormat::Nv12, PixelFormat::I420, PixelFormat::Yuy2, PixelFormat::Rgba}) {
        TestFrame frame({format, 64, 48, {}}, 64);
        frame.fill_random(random);
        const DmabufFrame dmabuf(frame);
        const auto sampler =
            must(DeviceSampler::create(device_, frame.format(), whole(frame.format()), kTensor));
        runner_->forget_recordings();
        expect_pixels_of(frame, sample(sampler, dmabuf.frame()));
        expect_no_copy();
        runner_->forget_recordings();
    }
}

TEST_F(Import, what_the_producer_writes_later_is_seen_without_another_import) {
    std::mt19937 random(1909);
    TestFrame frame({PixelFormat::Nv12, 64, 48, {}}, 0);
    const auto sampler =
        must(DeviceSampler::create(device_, frame.format(), whole(frame.format()), kTensor));
    const DmabufFrame dmabuf(frame);
    for (int i = 0; i < 3; ++i) {
        frame.fill_random(random);
        dmabuf.write(frame);
        expect_pixels_of(frame, sample(sampler, dmabuf.frame()));
    }
    EXPECT_EQ(runner_->imports().imports(), 1U);
    expect_no_copy();
    runner_->forget_recordings();
}

TEST_F(Import, a_fence_that_is_not_signalled_is_waited_for) {
    FencedBuffer buffer;
    const MappedFile pixels(buffer.dmabuf().get());
    std::memset(pixels.data(), 0, buffer.size());
    const FrameFormat format{PixelFormat::Rgba, FencedBuffer::kWidth, FencedBuffer::kHeight, {}};
    const FrameMemory memory = must(dma_buf_memory(buffer.dmabuf().get()));
    const MemoryPlane plane{0, 0, FencedBuffer::kWidth * 4};
    const ExternalFrame frame = must(ExternalFrame::create(
        format, kLinearModifier, std::span(&plane, 1), std::span(&memory, 1)));
    const auto sampler = must(DeviceSampler::create(device_, format, whole(format), kTensor));
    (void)sample(sampler, frame); // makes the pipeline and the import
    buffer.attach_write_fence();
    std::atomic<bool> done = false;
    std::vector<float> out;
    std::thread device([&] {
        out = sample(sampler, frame);
        done = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    EXPECT_FALSE(done) << "the device did not wait";
    std::memset(pixels.data(), 255, buffer.size());
    buffer.signal();
    device.join();
    for (const float value : out) {
        ASSERT_FLOAT_EQ(value, 1.0F);
    }
    expect_no_copy();
    runner_->forget_recordings();
}

// Both cameras: all planes in one dmabuf, and each in its own.
TEST_F(Import, a_cameras_frame_is_what_the_cpu_sees_in_it) {
    const FrameFormat format{PixelFormat::Nv12, 320, 180, {}};
    const auto sampler = must(DeviceSampler::create(device_, format, whole(format), kTensor));
    const auto on_cpu = must(FrameToTensor::create(format, whole(format), kTensor));
    for (const char* camera : {"/dev/video0", "/dev/video1"}) {
        const CameraFrame taken(camera);
        const std::vector<float> out = sample(sampler, taken.frame(format));
        std::vector<float> wanted(out.size());
        on_cpu.run(taken.view(format), wanted, *runtime::ThreadPool::shared(1));
        for (std::size_t i = 0; i < out.size(); ++i) {
            ASSERT_NEAR(out[i], wanted[i], 1.0 / 255) << camera << " " << i;
        }
        expect_no_copy();
        runner_->forget_recordings();
    }
}

} // namespace
} // namespace sluice::testing

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    gst_init(&argc, &argv);
    return RUN_ALL_TESTS();
}
