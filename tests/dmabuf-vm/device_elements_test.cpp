// SPDX-License-Identifier: Apache-2.0
// Elements on the Vulkan device, with real dmabufs: what the CPU finds and writes, and no copy.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <format>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <gst/allocators/allocators.h>
#include <gst/analytics/analytics.h>
#include <gst/app/gstappsink.h>
#include <gtest/gtest.h>

#include "tests/dmabuf-vm/witness.h"
#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/vulkan_elements.h"
#include "tests/support/must.h"
#include "zero_copy/dmabuf.h"
#include "zero_copy/sync.h"

namespace sluice::testing {
namespace {

using Pixels = std::vector<std::uint8_t>;

constexpr const char* kDmabufCaps = "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12";
constexpr const char* kModel = "face-detection-short-range";

std::string on_device_as(const std::string& element) {
    return element + " require-zero-copy=true device=vulkan:" + vulkan_selector();
}

void add_boxes(GstBuffer* frame, std::span<const Found> boxes) {
    auto* meta = gst_buffer_add_analytics_relation_meta(frame);
    for (const Found& box : boxes) {
        GstAnalyticsODMtd mtd;
        EXPECT_TRUE(gst_analytics_relation_meta_add_od_mtd(meta, g_quark_from_static_string("face"),
                                                           box.x, box.y, box.width, box.height,
                                                           0.9F, &mtd));
    }
}

// In plain memory, for the CPU.
Ref<GstBuffer> plain_frame(const Pixels& picture, const std::string& caps) {
    Ref frame = make_frame(caps);
    EXPECT_EQ(gst_buffer_fill(frame.get(), 0, picture.data(), picture.size()), picture.size());
    return frame;
}

Pixels pixelated_by_cpu(const Pixels& picture, const std::string& caps,
                        std::span<const Found> boxes) {
    Harness cpu("sluiceredact", [](GstElement* element) {
        g_object_set(element, "device", "cpu", nullptr);
        gst_util_set_object_arg(G_OBJECT(element), "effect", "pixelate");
    });
    cpu.set_caps(caps);
    Ref frame = plain_frame(picture, caps);
    add_boxes(frame.get(), boxes);
    const Ref out = cpu.run(std::move(frame));
    EXPECT_TRUE(out);
    return out ? pixels(out.get(), caps) : Pixels{};
}

// All tensors of a frame, one after the other.
std::vector<float> tensors_of(GstBuffer* frame) {
    std::vector<float> out;
    GstTensorMeta* meta = gst_buffer_get_tensor_meta(frame);
    EXPECT_NE(meta, nullptr);
    for (std::size_t i = 0; meta != nullptr && i < meta->num_tensors; ++i) {
        GstBuffer* data = gst_tensor_meta_get(meta, i)->data;
        const std::size_t begin = out.size();
        out.resize(begin + (gst_buffer_get_size(data) / sizeof(float)));
        gst_buffer_extract(data, 0, out.data() + begin, gst_buffer_get_size(data));
    }
    return out;
}

class DeviceElements : public VulkanElements {
protected:
    void SetUp() override {
        if (!in_the_machine()) {
            GTEST_SKIP() << "needs the virtual machine: ./dev test --dmabuf";
        }
        VulkanElements::SetUp();
    }
};

// A dmabuf of our own that frames come in, one after the other.
class Dmabuf {
public:
    explicit Dmabuf(std::size_t bytes) : bytes_(bytes) {
        fd_ = must(zero_copy::make_dmabuf(bytes));
        mapped_ = std::make_unique<MappedFile>(fd_.get());
    }
    // Another memory and descriptor each time, of the same file.
    [[nodiscard]] Ref<GstBuffer> frame(const Pixels& picture) const {
        auto access = must(zero_copy::DmaBufAccess::begin(fd_.get(), zero_copy::CpuAccess::Write));
        std::memcpy(mapped_->data(), picture.data(), std::min(bytes_, picture.size()));
        must(access.end());
        UniqueFd descriptor = must(fd_.dup());
        const Ref allocator(gst_dmabuf_allocator_new());
        Ref out(gst_buffer_new());
        gst_buffer_append_memory(
            out.get(), gst_dmabuf_allocator_alloc(allocator.get(), descriptor.release(), bytes_));
        GST_BUFFER_PTS(out.get()) = 0;
        return out;
    }

private:
    std::size_t bytes_;
    UniqueFd fd_;
    std::unique_ptr<MappedFile> mapped_;
};

TEST_F(DeviceElements, find_the_cpus_face_in_a_dmabuf_and_redact_it_there) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    SLUICE_NEED(photo, footage("astronaut.png"));
    const std::string plain = video_caps("NV12", 512, 512);
    const Ref still = picture_frame(*photo, plain);
    const Pixels face = pixels(still.get(), plain);
    const Pixels empty = pixels(make_frame(plain).get(), plain);
    Harness cpu("sluicefacedetect", on("cpu"));
    cpu.set_caps(plain);
    const auto wanted = faces_of(cpu.run(Ref(gst_buffer_copy_deep(still.get()))).get());
    ASSERT_EQ(wanted.size(), 1U);

    const std::unique_ptr<GstHarness, decltype(&gst_harness_teardown)> line(
        gst_harness_new_parse((on_device_as("sluicefacedetect name=faces") + " ! " +
                               on_device_as("sluiceredact name=redact effect=pixelate"))
                                  .c_str()),
        gst_harness_teardown);
    gst_harness_set_src_caps_str(
        line.get(), std::format("{},width=512,height=512,framerate=25/1", kDmabufCaps).c_str());
    const Dmabuf dmabuf(face.size());
    // Other pixels in the same memory: they are looked at, not remembered.
    for (const Pixels* picture : {&face, &empty, &face}) {
        Ref frame = dmabuf.frame(*picture);
        const auto before = inodes(frame.get());
        ASSERT_EQ(gst_harness_push(line.get(), frame.release()), GST_FLOW_OK);
        const Ref out(gst_harness_try_pull(line.get()));
        ASSERT_TRUE(out);
        EXPECT_EQ(inodes(out.get()), before);
        const auto found = faces_of(out.get());
        expect_same(found, picture == &face ? wanted : std::vector<Found>{});
        const Pixels got = pixels(out.get(), plain);
        EXPECT_LE(largest_difference(got, pixelated_by_cpu(*picture, plain, found)), 1);
        if (picture == &face) {
            EXPECT_GT(largest_difference(got, face), 10) << "nothing was redacted";
        }
    }
    for (const char* name : {"faces", "redact"}) {
        const Ref element(gst_bin_get_by_name(GST_BIN(line->element), name));
        EXPECT_EQ(stat_of(element.get(), "copied-bytes"), 0U) << name;
        EXPECT_EQ(stat_of(element.get(), "frames"), 3U) << name;
    }
}

constexpr int kWidth = 320;
constexpr int kHeight = 180;
constexpr std::size_t kFrames = 5;
// The kernel's name for memory that vivid allocates.
constexpr const char* kCameraMemory = "videobuf2_vmalloc";
// Apart from each other: where boxes overlap, the device lets the last one count.
constexpr Found kBoxes[]{{.x = 20, .y = 20, .width = 60, .height = 80, .score = 0.9F},
                         {.x = 180, .y = 60, .width = 90, .height = 70, .score = 0.9F}};

// Of a frame, when the camera gave it.
struct Given {
    std::vector<ino_t> memories;
    Pixels picture;
};

// "camera ! sluiceinfer ! sluiceredact ! appsink" on the device. The boxes are put on the frames as
// they leave the camera, since its picture shows no faces.
class DeviceCamera {
public:
    explicit DeviceCamera(const std::string& camera) : plain_(video_caps("NV12", kWidth, kHeight)) {
        const std::string line = std::format(
            "v4l2src name=camera device={} io-mode=dmabuf num-buffers={} ! {},width={},height={} ! "
            "{} ! {} ! appsink name=sink sync=false max-buffers=2",
            camera, kFrames, kDmabufCaps, kWidth, kHeight,
            on_device_as(std::format("sluiceinfer name=infer fit=letterbox model={}", kModel)),
            on_device_as("sluiceredact name=redact effect=pixelate"));
        GError* broken = nullptr;
        GstElement* made = gst_parse_launch(line.c_str(), &broken);
        EXPECT_EQ(broken, nullptr) << line << ": " << broken->message;
        pipeline_ = Ref(GST_ELEMENT(gst_object_ref_sink(made)));
        const Ref source = element("camera");
        const Ref pad(gst_element_get_static_pad(source.get(), "src"));
        gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, remember, this, nullptr);
        gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    }
    ~DeviceCamera() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
    DeviceCamera(const DeviceCamera&) = delete;
    DeviceCamera& operator=(const DeviceCamera&) = delete;

    [[nodiscard]] Ref<GstElement> element(const char* name) const {
        return Ref(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
    }
    [[nodiscard]] Ref<GstSample> pull() const {
        const Ref sink = element("sink");
        Ref sample(gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), 60 * GST_SECOND));
        const Ref bus(gst_element_get_bus(pipeline_.get()));
        if (const Ref message = Ref(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR))) {
            GError* error = nullptr;
            gst_message_parse_error(message.get(), &error, nullptr);
            ADD_FAILURE() << error->message;
            g_error_free(error);
        }
        return sample;
    }
    // Frame number `index`, which has been pulled.
    [[nodiscard]] Given given(std::size_t index) {
        const std::lock_guard hold(lock_);
        return given_.at(index);
    }

private:
    static GstPadProbeReturn remember(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
        auto* line = static_cast<DeviceCamera*>(self);
        GstBuffer* frame = GST_PAD_PROBE_INFO_BUFFER(info);
        const std::lock_guard hold(line->lock_);
        line->given_.push_back({inodes(frame), pixels(frame, line->plain_)});
        add_boxes(frame, kBoxes);
        return GST_PAD_PROBE_OK;
    }

    std::string plain_;
    Ref<GstElement> pipeline_;
    std::mutex lock_;
    std::vector<Given> given_; // guarded by lock_
};

// What exists besides the camera's frames.
std::set<ino_t> other_dmabufs() {
    std::set<ino_t> out;
    for (const auto& [inode, exporter] : existing_dmabufs()) {
        if (exporter != kCameraMemory) {
            out.insert(inode);
        }
    }
    return out;
}

// The camera's own memories leave the line, and nobody has made a dmabuf since the first frame.
void expect_what_the_cpu_makes_of(const std::string& camera) {
    SCOPED_TRACE(camera);
    const std::string plain = video_caps("NV12", kWidth, kHeight);
    Harness cpu("sluiceinfer", [](GstElement* element) {
        g_object_set(element, "device", "cpu", "model", kModel, nullptr);
        gst_util_set_object_arg(G_OBJECT(element), "fit", "letterbox");
    });
    cpu.set_caps(plain);
    DeviceCamera line(camera);
    std::set<ino_t> others;
    for (std::size_t i = 0; i < kFrames; ++i) {
        const Ref sample = line.pull();
        ASSERT_TRUE(sample) << "frame " << i;
        GstBuffer* frame = gst_sample_get_buffer(sample.get());
        const Given given = line.given(i);
        ASSERT_EQ(inodes(frame), given.memories) << "frame " << i;
        const auto exists = existing_dmabufs();
        for (const ino_t memory : given.memories) {
            ASSERT_TRUE(exists.contains(memory)) << "frame " << i << " is no dmabuf";
            EXPECT_EQ(exists.at(memory), kCameraMemory);
        }
        if (i == 0) {
            others = other_dmabufs();
        }
        EXPECT_EQ(other_dmabufs(), others) << "frame " << i;

        const Pixels got = pixels(frame, plain);
        EXPECT_LE(largest_difference(got, pixelated_by_cpu(given.picture, plain, kBoxes)), 1);
        EXPECT_GT(largest_difference(got, given.picture), 10) << "nothing was redacted";
        const auto tensors = tensors_of(frame);
        const Ref reference = cpu.run(plain_frame(given.picture, plain));
        ASSERT_TRUE(reference);
        const auto wanted = tensors_of(reference.get());
        ASSERT_EQ(tensors.size(), wanted.size());
        ASSERT_FALSE(wanted.empty());
        for (std::size_t k = 0; k < wanted.size(); ++k) {
            ASSERT_NEAR(tensors[k], wanted[k], 2e-3F * std::max(1.0F, std::abs(wanted[k]))) << k;
        }
    }
    for (const char* name : {"infer", "redact"}) {
        const Ref element = line.element(name);
        EXPECT_EQ(stat_of(element.get(), "copied-bytes"), 0U) << name;
        EXPECT_EQ(stat_of(element.get(), "frames"), kFrames) << name;
    }
}

TEST_F(DeviceElements, read_and_write_a_cameras_frames_where_they_lie) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    expect_what_the_cpu_makes_of("/dev/video0"); // all planes in one dmabuf
}

TEST_F(DeviceElements, read_and_write_planes_in_dmabufs_of_their_own) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    expect_what_the_cpu_makes_of("/dev/video1");
}

} // namespace
} // namespace sluice::testing
