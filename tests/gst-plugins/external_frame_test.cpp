// SPDX-License-Identifier: Apache-2.0
// Buffers as frames with memory identity: descriptors, offsets, serials, and their ends.
#include <array>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <gst/allocators/allocators.h>
#include <gtest/gtest.h>

#include "gst-plugins/common/allocation.h"
#include "gst-plugins/common/external_frame.h"
#include "gst-plugins/common/memfd_allocator.h"
#include "tests/gst-plugins/support.h"

namespace sluice::gst {
namespace {

using testing::File;
using testing::make_frame;
using zero_copy::CpuAccess;
using zero_copy::MemoryKind;

Video parse_dmabuf(const std::string& text) {
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

// A device that has no use for the descriptor keeps its import of the pages, until the memory goes.
TEST_F(ExternalFrames, of_our_own_pools_have_a_lasting_name_both_ways) {
    const Video video = parse_dmabuf(testing::video_caps("GRAY8", 64, 64));
    const Ref allocator = make_memfd_allocator();
    Ref buffer(gst_buffer_new());
    gst_buffer_append_memory(buffer.get(), gst_allocator_alloc(allocator.get(), 64 * 64, nullptr));
    std::array<zero_copy::MemoryIdentity, 2> names;
    for (int again = 0; again < 2; ++again) {
        const auto by_file = look(buffer.get(), video);
        const auto by_pages = look(buffer.get(), video, HostSees::All);
        ASSERT_TRUE(by_file && by_pages);
        const auto& file = by_file->frame().memories()[0];
        const auto& pages = by_pages->frame().memories()[0];
        EXPECT_EQ(file.kind, zero_copy::MemoryKind::Memfd);
        EXPECT_EQ(pages.kind, zero_copy::MemoryKind::Host);
        EXPECT_NE(pages.identity.inode, 0U);
        EXPECT_GE(pages.surrounding.size(), pages.mapping.size());
        if (again == 0) {
            names = {pages.identity, file.identity};
        }
        EXPECT_EQ(pages.identity, names[0]);
        EXPECT_EQ(file.identity, names[1]);
    }
    buffer.reset();
    std::vector<zero_copy::MemoryIdentity> gone;
    serials_.take_freed([&](const auto& memory) { gone.push_back(memory); });
    EXPECT_EQ(gone, (std::vector{names[0], names[1]}));
}

TEST(MemfdAllocator, gives_sealed_pages_and_ordinary_memory_without_descriptors) {
    const Ref allocator = make_memfd_allocator();
    GstAllocationParams params;
    gst_allocation_params_init(&params);
    params.align = 63;
    params.padding = 100;
    GstMemory* memory = gst_allocator_alloc(allocator.get(), 5000, &params);
    ASSERT_TRUE(is_own_memfd(memory));
    gsize offset = 0;
    gsize whole = 0;
    EXPECT_EQ(gst_memory_get_sizes(memory, &offset, &whole), 5000U);
    EXPECT_GE(whole, offset + 5100);
    const int file = gst_fd_memory_get_fd(memory);
    EXPECT_NE(ftruncate(file, 0), 0) << "a peer could make our mapping fault";
    EXPECT_NE(ftruncate(file, 1 << 20), 0);
    GstMapInfo read;
    GstMapInfo write;
    ASSERT_TRUE(gst_memory_map(memory, &read, GST_MAP_READ));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.data) % 4096, 0U);
    gst_memory_unmap(memory, &read);
    ASSERT_TRUE(gst_memory_map(memory, &write, GST_MAP_WRITE));
    EXPECT_EQ(write.data, read.data);
    gst_memory_unmap(memory, &write);
    gst_memory_unref(memory);

    rlimit old{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    rlimit none = old;
    none.rlim_cur = 0;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    memory = gst_allocator_alloc(allocator.get(), 5000, &params);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
    ASSERT_NE(memory, nullptr);
    EXPECT_FALSE(is_own_memfd(memory));
    EXPECT_EQ(memory->size, 5000U);
    gst_memory_unref(memory);
}

TEST(IsDiscarded, what_a_silent_fakesink_gets_behind_queues_and_walls) {
    const auto ends = [](const std::string& line) {
        const Ref pipeline(gst_parse_launch(("identity name=from ! " + line).c_str(), nullptr));
        gst_object_ref_sink(pipeline.get());
        const Ref from(gst_bin_get_by_name(GST_BIN(pipeline.get()), "from"));
        const Ref pad(gst_element_get_static_pad(from.get(), "src"));
        return is_discarded(pad.get());
    };
    EXPECT_TRUE(ends("fakesink"));
    EXPECT_TRUE(ends("queue ! capsfilter ! queue ! fakesink"));
    EXPECT_TRUE(ends("( queue ! fakesink )"));
    EXPECT_FALSE(ends("fakesink dump=true"));
    EXPECT_FALSE(ends("fakesink signal-handoffs=true"));
    EXPECT_FALSE(ends("filesink"));
    EXPECT_FALSE(ends("appsink"));
    EXPECT_FALSE(ends("tee ! fakesink"));
    EXPECT_FALSE(ends("queue"));
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
    const Video video = parse_dmabuf(text);
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
    const Video video = parse_dmabuf(text);
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
    const Video video = parse_dmabuf(text);
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
    const auto made = look(split.get(), parse_dmabuf(text));
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
            look(copy.get(), parse_dmabuf(text), HostSees::PlainMemory, CpuAccess::ReadWrite);
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
