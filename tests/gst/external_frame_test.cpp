// SPDX-License-Identifier: Apache-2.0
// Buffers as frames with memory identity: descriptors, offsets, serials, and their ends.
#include <array>
#include <thread>
#include <vector>

#include <gst/allocators/allocators.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/external_frame.h"
#include "tests/gst/support.h"

namespace sluice::gst {
namespace {

using testing::File;
using testing::make_frame;
using zero_copy::CpuAccess;
using zero_copy::MemoryKind;

Video parse(const std::string& text) {
    const Ref caps(gst_caps_from_string(text.c_str()));
    auto video = parse_caps(caps.get());
    EXPECT_TRUE(video.has_value()) << text;
    return *video;
}

std::vector<std::uint64_t> freed(MemorySerials& serials) {
    std::vector<std::uint64_t> out;
    serials.take_freed([&](const auto& memory) { out.push_back(memory.inode); });
    return out;
}

class ExternalFrames : public ::testing::Test {
protected:
    // What the buffer is for a device that reads it.
    Result<BufferFrame> look(GstBuffer* buffer, const Video& video,
                             HostSees sees = HostSees::PlainMemory,
                             CpuAccess access = CpuAccess::Read) {
        return BufferFrame::create(buffer, video, access, sees, serials_, copies_);
    }

    MemorySerials serials_;
    CopyLedger copies_;
};

TEST(MemorySerials, name_an_allocation_and_all_of_its_parts) {
    MemorySerials serials;
    GstMemory* whole = gst_allocator_alloc(nullptr, 4096, nullptr);
    GstMemory* part = gst_memory_share(whole, 1024, 512);
    GstMemory* other = gst_allocator_alloc(nullptr, 4096, nullptr);
    const std::uint64_t serial = serials.of(whole);
    EXPECT_NE(serial, 0U);
    EXPECT_EQ(serials.of(whole), serial);
    EXPECT_EQ(serials.of(part), serial);
    EXPECT_NE(serials.of(other), serial);
    MemorySerials second;
    EXPECT_EQ(second.of(whole), serial) << "the name is the memory's, not the element's";
    gst_memory_unref(whole);
    EXPECT_TRUE(freed(serials).empty()) << "a part is still there";
    gst_memory_unref(part);
    EXPECT_EQ(freed(serials), std::vector{serial});
    EXPECT_TRUE(freed(serials).empty()) << "told once";
    EXPECT_EQ(freed(second), std::vector{serial});
    gst_memory_unref(other);
}

TEST(MemorySerials, are_never_given_twice) {
    MemorySerials serials;
    std::vector<std::uint64_t> seen;
    for (int i = 0; i < 100; ++i) { // mostly at one address
        GstMemory* memory = gst_allocator_alloc(nullptr, 512, nullptr);
        seen.push_back(serials.of(memory));
        gst_memory_unref(memory);
    }
    EXPECT_EQ(freed(serials), seen);
    for (std::size_t i = 1; i < seen.size(); ++i) {
        EXPECT_GT(seen[i], seen[i - 1]);
    }
}

TEST(MemorySerials, survive_their_element_and_each_other_on_any_thread) {
    std::vector<GstMemory*> memories;
    {
        MemorySerials serials;
        for (int i = 0; i < 200; ++i) {
            memories.push_back(gst_allocator_alloc(nullptr, 64, nullptr));
            EXPECT_NE(serials.of(memories.back()), 0U);
        }
        std::thread other([&] {
            for (std::size_t i = 0; i < 100; ++i) {
                gst_memory_unref(memories[i]);
            }
        });
        std::size_t told = 0;
        while (told < 50) {
            told += freed(serials).size();
        }
        other.join();
        EXPECT_EQ(told + freed(serials).size(), 100U);
    }
    for (std::size_t i = 100; i < memories.size(); ++i) {
        gst_memory_unref(memories[i]);
    }
}

TEST_F(ExternalFrames, go_by_descriptor_offset_and_stride_and_are_not_mapped) {
    const std::string text = testing::video_caps("NV12", 64, 48);
    const Video video = parse(text);
    for (const File kind : {File::Dmabuf, File::Fd, File::Shm}) {
        const Ref buffer = in_file(make_frame(text), kind, GST_VIDEO_FORMAT_NV12, video.info);
        const auto made = look(buffer.get(), video);
        ASSERT_TRUE(made.has_value()) << made.error().message;
        const zero_copy::ExternalFrame& frame = made->frame();
        ASSERT_EQ(frame.memories().size(), 1U);
        const zero_copy::FrameMemory& memory = frame.memories()[0];
        EXPECT_EQ(memory.kind, kind == File::Dmabuf ? MemoryKind::DmaBuf : MemoryKind::Memfd);
        EXPECT_EQ(memory.identity.inode, testing::inode(buffer.get()));
        EXPECT_TRUE(memory.mapping.empty());
        EXPECT_FALSE(memory.writable);
        EXPECT_EQ(frame.planes()[0], (zero_copy::MemoryPlane{0, 0, 64}));
        EXPECT_EQ(frame.planes()[1], (zero_copy::MemoryPlane{0, 64 * 48, 64}));
    }
    EXPECT_EQ(copies_.total_bytes(), 0U);
}

// As v4l2src gives single-planar formats: one descriptor, a memory per plane.
TEST_F(ExternalFrames, add_the_offset_of_a_memory_in_its_file) {
    const std::string text = testing::video_caps("NV12", 64, 48);
    const Video video = parse(text);
    const Ref whole = in_file(make_frame(text), File::Dmabuf, GST_VIDEO_FORMAT_UNKNOWN, video.info);
    GstMemory* memory = gst_buffer_peek_memory(whole.get(), 0);
    const Ref split(gst_buffer_new());
    gst_buffer_append_memory(split.get(), gst_memory_share(memory, 0, 64 * 48));
    gst_buffer_append_memory(split.get(), gst_memory_share(memory, 64 * 48, 64 * 24));
    for (const HostSees sees : {HostSees::PlainMemory, HostSees::All}) {
        const auto made = look(split.get(), video, sees);
        ASSERT_TRUE(made.has_value()) << made.error().message;
        ASSERT_EQ(made->frame().memories().size(), 2U);
        EXPECT_EQ(made->frame().memories()[0].identity, made->frame().memories()[1].identity);
        EXPECT_EQ(made->frame().planes()[0], (zero_copy::MemoryPlane{0, 0, 64}));
        EXPECT_EQ(made->frame().planes()[1], (zero_copy::MemoryPlane{1, 64 * 48, 64}));
        if (sees == HostSees::All) {
            const auto view = made->frame().view();
            ASSERT_TRUE(view.has_value()) << view.error().message;
            const auto all = testing::pixels(whole.get(), text);
            EXPECT_EQ(view->row(1, 3)[5], static_cast<std::byte>(all[64 * 48 + 3 * 64 + 5]));
        }
    }
}

TEST_F(ExternalFrames, of_plain_memory_lie_where_gstreamer_maps_them) {
    const std::string text = testing::video_caps("I420", 64, 48);
    const Video video = parse(text);
    const Ref buffer = make_frame(text, 3, 10);
    GstMapInfo map;
    ASSERT_TRUE(gst_buffer_map(buffer.get(), &map, GST_MAP_READ));
    const auto made = look(buffer.get(), video);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    const zero_copy::FrameMemory& memory = made->frame().memories()[0];
    EXPECT_EQ(memory.kind, MemoryKind::Host);
    EXPECT_EQ(static_cast<const void*>(memory.mapping.data()), map.data);
    EXPECT_EQ(memory.identity.inode, serials_.of(map.memory));
    EXPECT_EQ(made->frame().planes()[0].stride_bytes, 74U);
    EXPECT_EQ(made->frame().planes()[1].offset_bytes, 74U * 48U);
    gst_buffer_unmap(buffer.get(), &map);
}

TEST_F(ExternalFrames, have_no_description_where_a_plane_is_spread_over_memories) {
    const std::string text = testing::video_caps("GRAY8", 64, 64);
    const Ref split(gst_buffer_new());
    for (int i = 0; i < 2; ++i) {
        gst_buffer_append_memory(split.get(), gst_allocator_alloc(nullptr, 64 * 32, nullptr));
    }
    const auto made = look(split.get(), parse(text));
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, ErrorCode::Unsupported);
    EXPECT_EQ(copies_.total_bytes(), 0U);
}

TEST_F(ExternalFrames, count_the_copy_that_writing_shared_memory_costs) {
    const std::string text = testing::video_caps("NV12", 64, 48);
    const Ref frame = make_frame(text);
    const auto before = testing::pixels(frame.get(), text);
    const Ref copy(gst_buffer_copy(frame.get())); // shares the memory
    {
        const auto made =
            look(copy.get(), parse(text), HostSees::PlainMemory, CpuAccess::ReadWrite);
        ASSERT_TRUE(made.has_value()) << made.error().message;
        const auto view = made->frame().mutable_view();
        ASSERT_TRUE(view.has_value()) << view.error().message;
        *view->row(0, 0) ^= std::byte{0xFF};
    }
    EXPECT_EQ(copies_.bytes(CopyReason::NotWritable), 64U * 48U * 3U / 2U);
    EXPECT_EQ(testing::pixels(frame.get(), text), before) << "the other buffer was written";
    EXPECT_NE(testing::pixels(copy.get(), text), before);
}

} // namespace
} // namespace sluice::gst
