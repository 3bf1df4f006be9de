// SPDX-License-Identifier: Apache-2.0
// Elements on a Vulkan device: results as on the CPU, from frames where they lie.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <format>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gst/allocators/allocators.h>
#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/vulkan_elements.h"
#include "tests/gst-plugins/vulkan_frames.h"

namespace sluice::testing {
namespace {

// How often a file's memory was mapped by anybody in this process, through GStreamer.
std::atomic<int> maps = 0;
GstMemoryMapFunction real_map = nullptr;
gpointer counting_map(GstMemory* memory, gsize size, GstMapFlags flags) {
    ++maps;
    return real_map(memory, size, flags);
}
GstMemoryMapFullFunction real_map_full = nullptr; // of dmabufs
gpointer counting_map_full(GstMemory* memory, GstMapInfo* info, gsize size) {
    ++maps;
    return real_map_full(memory, info, size);
}
Ref<GstBuffer> in_watched_file(const Ref<GstBuffer>& frame, File kind, const std::string& caps) {
    Ref out = in_file(frame, kind, GST_VIDEO_FORMAT_NV12, info_of(caps));
    GstAllocator* allocator = gst_buffer_peek_memory(out.get(), 0)->allocator;
    if (allocator->mem_map != counting_map) {
        real_map = allocator->mem_map;
        allocator->mem_map = counting_map;
    }
    if (allocator->mem_map_full != nullptr && allocator->mem_map_full != counting_map_full) {
        real_map_full = allocator->mem_map_full;
        allocator->mem_map_full = counting_map_full;
    }
    return out;
}

void overwrite(GstBuffer* buffer, const Ref<GstBuffer>& content) {
    GstMapInfo map;
    ASSERT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    gst_buffer_extract(content.get(), 0, map.data, map.size);
    gst_buffer_unmap(buffer, &map);
}

const std::string kCaps = video_caps("NV12", 512, 512);

TEST_F(VulkanElements, find_the_cpu_s_faces_in_shared_memory_without_mapping_it) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const Ref still = picture_frame(*picture, kCaps);
    Harness cpu("sluicefacedetect", on("cpu"));
    cpu.set_caps(kCaps);
    const auto wanted = faces_of(cpu.run(Ref(gst_buffer_copy_deep(still.get()))).get());
    ASSERT_EQ(wanted.size(), 1U);
    maps = 0;
    ASSERT_TRUE(cpu.run(in_watched_file(still, File::Fd, kCaps)));
    ASSERT_GT(maps, 0) << "the witness sees nothing";
    for (const File kind : {File::Dmabuf, File::Fd, File::Shm}) {
        Harness harness("sluicefacedetect", on_device());
        harness.set_caps(kCaps);
        Ref frame = in_watched_file(still, kind, kCaps);
        const ino_t before = inode(frame.get());
        GstMemory* const memory = gst_buffer_peek_memory(frame.get(), 0);
        maps = 0;
        Ref out = harness.run(std::move(frame));
        ASSERT_TRUE(out);
        EXPECT_EQ(maps, 0);
        EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
        EXPECT_EQ(inode(out.get()), before);
        expect_same(faces_of(out.get()), wanted);
        // The producer writes the same memory again: it is looked at, not remembered.
        gst_buffer_foreach_meta(
            out.get(),
            [](GstBuffer*, GstMeta** meta, gpointer) -> gboolean {
                *meta = (*meta)->info->api == GST_VIDEO_META_API_TYPE ? *meta : nullptr;
                return TRUE;
            },
            nullptr);
        ASSERT_TRUE(faces_of(out.get()).empty());
        overwrite(out.get(), make_frame(kCaps));
        out = harness.run(std::move(out));
        ASSERT_TRUE(out);
        EXPECT_TRUE(faces_of(out.get()).empty());
        EXPECT_EQ(harness.stat("inferences"), 2U);
        EXPECT_EQ(harness.stat("copied-bytes"), 0U);
    }
}

TEST_F(VulkanElements, find_the_cpu_s_faces_in_plain_memory) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const Ref still = picture_frame(*picture, kCaps);
    Harness cpu("sluicefacedetect", on("cpu"));
    cpu.set_caps(kCaps);
    const auto wanted = faces_of(cpu.run(Ref(gst_buffer_copy_deep(still.get()))).get());
    ASSERT_EQ(wanted.size(), 1U);
    Harness harness("sluicefacedetect", [](GstElement* element) {
        on_device()(element);
        g_object_set(element, "require-zero-copy", FALSE, nullptr);
    });
    harness.set_caps(kCaps);
    // New memory each time, mostly at an address that has just been freed, by another thread.
    constexpr std::uint64_t kFrames = 6;
    for (std::uint64_t i = 0; i < kFrames; ++i) {
        const bool face = i % 2 == 0;
        Ref out = harness.run(face ? Ref(gst_buffer_copy_deep(still.get())) : make_frame(kCaps, i));
        ASSERT_TRUE(out);
        expect_same(faces_of(out.get()), face ? wanted : std::vector<Found>{});
        std::thread([&] { out.reset(); }).join();
    }
    EXPECT_EQ(harness.stat("inferences"), kFrames);
    EXPECT_EQ(harness.stat("copied-bytes"), takes_plain_memory() ? 0 : kFrames * 512 * 512 * 3 / 2);
    EXPECT_EQ(harness.stat("copied-bytes-upload"), harness.stat("copied-bytes"));
}

TEST_F(VulkanElements, give_the_cpu_s_matte) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("selfie-segmentation-landscape.tflite"));
    const Ref still = picture_frame(*picture, kCaps);
    Harness cpu("sluicesegment", on("cpu"));
    cpu.set_caps(kCaps);
    const auto wanted = matte_of(cpu.run(Ref(gst_buffer_copy_deep(still.get()))).get());
    ASSERT_FALSE(wanted.empty());
    Harness harness("sluicesegment", on_device());
    harness.set_caps(kCaps);
    Ref frame = in_watched_file(still, File::Fd, kCaps);
    maps = 0;
    const Ref out = harness.run(std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_EQ(maps, 0);
    const auto matte = matte_of(out.get());
    ASSERT_EQ(matte.size(), wanted.size());
    int largest = 0;
    for (std::size_t i = 0; i < matte.size(); ++i) {
        largest = std::max(largest, std::abs(matte[i] - wanted[i]));
    }
    EXPECT_LE(largest, 2);
    EXPECT_EQ(harness.stat("copied-bytes"), 0U);
}

TEST_F(VulkanElements, attach_the_cpu_s_tensors) {
    SLUICE_NEED_MEMFDS();
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const Ref still = picture_frame(*picture, kCaps);
    const auto with_model = [](std::function<void(GstElement*)> setup) {
        return [setup = std::move(setup)](GstElement* element) {
            setup(element);
            g_object_set(element, "model", "face-detection-short-range", nullptr);
            gst_util_set_object_arg(G_OBJECT(element), "fit", "letterbox");
        };
    };
    Harness cpu("sluiceinfer", with_model(on("cpu")));
    cpu.set_caps(kCaps);
    const auto wanted = tensors_of(cpu.run(Ref(gst_buffer_copy_deep(still.get()))).get());
    ASSERT_FALSE(wanted.empty());
    Harness harness("sluiceinfer", with_model(on_device()));
    harness.set_caps(kCaps);
    for (int i = 0; i < 3; ++i) {
        Ref frame = in_watched_file(still, File::Fd, kCaps);
        maps = 0;
        const Ref out = harness.run(std::move(frame));
        ASSERT_TRUE(out);
        EXPECT_EQ(maps, 0);
        const auto got = tensors_of(out.get());
        ASSERT_EQ(got.size(), wanted.size());
        for (std::size_t v = 0; v < got.size(); ++v) {
            ASSERT_NEAR(got[v], wanted[v], 2e-3F * std::max(1.0F, std::abs(wanted[v]))) << v;
        }
    }
    EXPECT_EQ(harness.stat("inferences"), 3U);
    EXPECT_EQ(harness.stat("copied-bytes"), 0U);
}

// The device cannot map the descriptor as it wants to; GStreamer's mapping serves.
TEST_F(VulkanElements, read_descriptors_that_only_allow_reading) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const Ref still = picture_frame(*picture, kCaps);
    const Ref file = in_file(still, File::Fd, GST_VIDEO_FORMAT_NV12, info_of(kCaps));
    const std::string path = std::format(
        "/proc/self/fd/{}", gst_fd_memory_get_fd(gst_buffer_peek_memory(file.get(), 0)));
    Harness harness("sluicefacedetect", [](GstElement* element) {
        on_device()(element);
        g_object_set(element, "require-zero-copy", FALSE, nullptr);
    });
    harness.set_caps(kCaps);
    const Ref allocator(gst_fd_allocator_new());
    for (int i = 0; i < 2; ++i) {
        Ref frame(gst_buffer_new());
        gst_buffer_append_memory(
            frame.get(),
            gst_fd_allocator_alloc(allocator.get(), ::open(path.c_str(), O_RDONLY | O_CLOEXEC),
                                   gst_buffer_get_size(file.get()), GST_FD_MEMORY_FLAG_NONE));
        const Ref out = harness.run(std::move(frame));
        ASSERT_TRUE(out);
        EXPECT_EQ(faces_of(out.get()).size(), 1U);
    }
    EXPECT_EQ(harness.stat("copied-bytes"), harness.stat("copied-bytes-upload"));
    EXPECT_TRUE(harness.errors().empty());
}

// A dmabuf that ends within a word cannot be bound, and has no pages to pin: it is copied.
TEST_F(VulkanElements, count_what_they_upload_and_fail_where_that_is_forbidden) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("GRAY8", 61, 61);
    GstVideoInfo info = info_of(caps);
    info.stride[0] = 61;
    const auto odd_frame = [&] {
        const Ref plain(gst_buffer_new_allocate(nullptr, 61 * 61, nullptr));
        gst_buffer_memset(plain.get(), 0, 90, 61 * 61);
        return in_file(plain, File::Dmabuf, GST_VIDEO_FORMAT_GRAY8, info);
    };
    Harness harness("sluicefacedetect", [](GstElement* element) {
        on_device()(element);
        g_object_set(element, "require-zero-copy", FALSE, nullptr);
    });
    harness.set_caps(caps);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        ASSERT_TRUE(harness.run(odd_frame()));
        EXPECT_EQ(harness.stat("copied-bytes-upload"), i * 61 * 61);
    }
    EXPECT_EQ(harness.stat("copied-bytes"), 3U * 61U * 61U);

    Harness strict("sluicefacedetect", on_device());
    strict.set_caps(caps);
    EXPECT_EQ(gst_harness_push(strict.get(), odd_frame().release()), GST_FLOW_ERROR);
    const auto errors = strict.errors();
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_NE(errors[0].find("upload"), std::string::npos) << errors[0];
}

TEST_F(VulkanElements, leave_frames_that_outlive_them_alone) {
    SLUICE_NEED(picture, footage("astronaut.png"));
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const Ref still = picture_frame(*picture, kCaps);
    const auto before = pixels(still.get(), kCaps);
    Ref<GstBuffer> plain;
    Ref<GstBuffer> shared;
    {
        Harness harness("sluicefacedetect", [](GstElement* element) {
            on_device()(element);
            g_object_set(element, "require-zero-copy", FALSE, nullptr);
        });
        harness.set_caps(kCaps);
        plain = harness.run(Ref(gst_buffer_copy_deep(still.get())));
        shared = harness.run(in_file(still, File::Fd, GST_VIDEO_FORMAT_NV12, info_of(kCaps)));
        ASSERT_TRUE(plain);
        ASSERT_TRUE(shared);
        // Down and up again, with the frames still held.
        gst_element_set_state(harness.element(), GST_STATE_NULL);
        EXPECT_EQ(pixels(plain.get(), kCaps), before);
        EXPECT_EQ(faces_of(plain.get()).size(), 1U);
        gst_element_set_state(harness.element(), GST_STATE_PLAYING);
    }
    EXPECT_EQ(pixels(plain.get(), kCaps), before);
    EXPECT_EQ(pixels(shared.get(), kCaps), before);
    EXPECT_EQ(faces_of(shared.get()).size(), 1U);
    plain.reset();
    shared.reset();
}

TEST_F(VulkanElements, map_frames_whose_planes_have_no_memory_of_their_own) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("GRAY8", 64, 64);
    Harness harness("sluicefacedetect", [](GstElement* element) {
        on_device()(element);
        g_object_set(element, "require-zero-copy", FALSE, nullptr);
    });
    harness.set_caps(caps);
    Ref split(gst_buffer_new());
    for (int i = 0; i < 2; ++i) {
        gst_buffer_append_memory(split.get(), gst_allocator_alloc(nullptr, 64 * 32, nullptr));
    }
    gst_buffer_memset(split.get(), 0, 90, 64 * 64);
    ASSERT_TRUE(harness.run(std::move(split)));
    EXPECT_EQ(harness.stat("copied-bytes-unmappable-frame"), 64U * 64U);
    EXPECT_EQ(harness.stat("copied-bytes"), 64U * 64U);
}

} // namespace
} // namespace sluice::testing
