// SPDX-License-Identifier: Apache-2.0
// Frames with memory identity: what they refuse, and when two are the same.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

// A dmabuf as a description only: nothing of it is opened.
FrameMemory described(MemoryKind kind, std::size_t bytes, std::uint64_t inode, int fd = 7) {
    FrameMemory memory;
    memory.kind = kind;
    memory.fd = fd;
    memory.size_bytes = bytes;
    memory.identity = {.device = 3, .inode = inode};
    return memory;
}

const FrameFormat kNv12{PixelFormat::Nv12, 64, 48, {}};
constexpr std::size_t kNv12Bytes = std::size_t{64} * 72;
const std::array<MemoryPlane, 2> kNv12Planes{{{0, 0, 64}, {0, std::size_t{64} * 48, 64}}};
constexpr std::uint64_t kIntelYTiled = 0x0100'0000'0000'0002ULL;

std::string refusal(const FrameFormat& format, std::uint64_t modifier,
                    std::span<const MemoryPlane> planes, std::span<const FrameMemory> memories) {
    const auto frame = ExternalFrame::create(format, modifier, planes, memories);
    if (frame) {
        return "accepted";
    }
    EXPECT_EQ(frame.error().code, ErrorCode::InvalidArgument);
    return frame.error().message;
}

} // namespace

TEST(ExternalFrame, accepts_a_tight_frame_and_refuses_a_byte_less) {
    const std::array memories{described(MemoryKind::DmaBuf, kNv12Bytes, 1)};
    const auto frame = ExternalFrame::create(kNv12, kLinearModifier, kNv12Planes, memories);
    ASSERT_TRUE(frame) << frame.error().message;
    EXPECT_TRUE(frame->linear());
    EXPECT_EQ(frame->drm_fourcc(), 0x3231564EU);
    EXPECT_EQ(frame->planes().size(), 2U);
    EXPECT_EQ(refusal(kNv12, kLinearModifier, kNv12Planes,
                      std::array{described(MemoryKind::DmaBuf, kNv12Bytes - 1, 1)}),
              "NV12 frame: plane 1 has 1535 bytes, 24 rows with a stride of 64 need 1536");
}

TEST(ExternalFrame, refuses_strides_offsets_and_sizes_that_would_read_out_of_bounds) {
    const std::array memories{described(MemoryKind::DmaBuf, kNv12Bytes, 1)};
    const auto with = [&](MemoryPlane luma, MemoryPlane chroma) {
        return refusal(kNv12, kLinearModifier, std::array{luma, chroma}, memories);
    };
    const MemoryPlane luma = kNv12Planes[0];
    const MemoryPlane chroma = kNv12Planes[1];
    EXPECT_EQ(with({0, 0, 63}, chroma),
              "NV12 frame: plane 0 has a stride of 63 bytes, a row of 64 pixels needs 64");
    EXPECT_EQ(with({0, 0, 128}, chroma),
              "NV12 frame: plane 0 has 4608 bytes, 48 rows with a stride of 128 need 6080");
    EXPECT_EQ(with(luma, {0, 4608, 64}), "NV12 frame: plane 1 begins at byte 4608 of a memory of "
                                         "4608 bytes");
    EXPECT_EQ(with(luma, {0, 3073, 64}),
              "NV12 frame: plane 1 has 1535 bytes, 24 rows with a stride of 64 need 1536");
    EXPECT_EQ(with(luma, {1, 0, 64}), "NV12 frame: plane 1 is of memory 1 of 1");
    // Products that do not fit.
    const std::size_t huge = SIZE_MAX / 4;
    EXPECT_NE(with({0, 0, huge}, chroma).find("overflows"), std::string::npos);
    EXPECT_NE(with({0, huge, 64}, chroma).find("begins at byte"), std::string::npos);
    // A size that is smaller than the caps say.
    FrameFormat larger = kNv12;
    larger.height = 50;
    EXPECT_NE(refusal(larger, kLinearModifier, kNv12Planes, memories).find("need"),
              std::string::npos);
    const std::array odd{MemoryPlane{0, 1, 64}, chroma};
    const FrameFormat ten{PixelFormat::P010, 16, 16, {}};
    EXPECT_NE(refusal(ten, kLinearModifier, odd, memories).find("even"), std::string::npos);
}

TEST(ExternalFrame, refuses_impossible_counts_and_kinds) {
    const std::array one{described(MemoryKind::DmaBuf, kNv12Bytes, 1)};
    EXPECT_EQ(refusal(kNv12, kLinearModifier, std::span(kNv12Planes).first(1), one),
              "NV12 frame: 1 planes given, 2 needed");
    EXPECT_NE(refusal(kNv12, kIntelYTiled, {}, one).find("0 planes"), std::string::npos);
    const std::vector<MemoryPlane> five(5, MemoryPlane{0, 0, 64});
    EXPECT_NE(refusal(kNv12, kIntelYTiled, five, one).find("5 planes"), std::string::npos);
    EXPECT_NE(refusal(kNv12, kLinearModifier, kNv12Planes, {}).find("0 memories"),
              std::string::npos);
    EXPECT_EQ(refusal(kNv12, kIntelYTiled, kNv12Planes,
                      std::array{described(MemoryKind::Memfd, kNv12Bytes, 1)}),
              "NV12 frame: memory 0 is memfd, which is linear, but the modifier is "
              "0x100000000000002");
    EXPECT_NE(refusal(kNv12, kLinearModifier, kNv12Planes,
                      std::array{described(MemoryKind::DmaBuf, kNv12Bytes, 1, -1)})
                  .find("without descriptor"),
              std::string::npos);
    EXPECT_NE(refusal(kNv12, kLinearModifier, kNv12Planes,
                      std::array{described(MemoryKind::DmaBuf, kNv12Bytes, 1),
                                 vulkan_image_memory(1, 2, 9, 1, 4)})
                  .find("of images or of none"),
              std::string::npos);
    FrameFormat empty = kNv12;
    empty.width = 0;
    EXPECT_NE(refusal(empty, kLinearModifier, kNv12Planes, one).find("size 0x48"),
              std::string::npos);
}

TEST(ExternalFrame, holds_compression_planes_and_planes_in_several_dmabufs) {
    // Two colour planes and a compression plane for each, in two dmabufs.
    const std::array memories{described(MemoryKind::DmaBuf, 8192, 1),
                              described(MemoryKind::DmaBuf, 4096, 2)};
    const std::array<MemoryPlane, 4> planes{
        {{0, 0, 128}, {1, 0, 128}, {0, 6144, 64}, {1, 3072, 64}}};
    const auto frame = ExternalFrame::create(kNv12, kIntelYTiled, planes, memories);
    ASSERT_TRUE(frame) << frame.error().message;
    EXPECT_EQ(frame->planes().size(), 4U);
    EXPECT_EQ(frame->memory_of(3).identity.inode, 2U);
    const auto view = frame->view();
    ASSERT_FALSE(view);
    EXPECT_EQ(view.error().code, ErrorCode::Unsupported);
    EXPECT_NE(view.error().message.find("0x100000000000002"), std::string::npos);
}

TEST(ExternalFrame, identity_is_modifier_memory_offsets_and_strides_but_not_the_fd_number) {
    const auto make = [](std::uint64_t modifier, std::span<const MemoryPlane> planes,
                         const FrameMemory& memory) {
        return ExternalFrame::create(kNv12, modifier, planes, std::span(&memory, 1)).value();
    };
    const std::size_t roomy = kNv12Bytes * 4;
    const ExternalFrame frame = make(0, kNv12Planes, described(MemoryKind::DmaBuf, roomy, 1, 7));
    const ExternalFrame same = make(0, kNv12Planes, described(MemoryKind::DmaBuf, roomy, 1, 9));
    EXPECT_EQ(frame, same);
    EXPECT_EQ(frame.hash(), same.hash());
    const std::array<MemoryPlane, 2> moved{{{0, 64, 64}, kNv12Planes[1]}};
    const std::array<MemoryPlane, 2> wider{{{0, 0, 64}, {0, std::size_t{64} * 48, 80}}};
    for (const ExternalFrame& other :
         {make(kIntelYTiled, kNv12Planes, described(MemoryKind::DmaBuf, roomy, 1)),
          make(0, kNv12Planes, described(MemoryKind::DmaBuf, roomy, 2)),
          make(0, kNv12Planes, described(MemoryKind::DmaBuf, roomy + 1, 1)),
          make(0, kNv12Planes, described(MemoryKind::Memfd, roomy, 1)),
          make(0, moved, described(MemoryKind::DmaBuf, roomy, 1)),
          make(0, wider, described(MemoryKind::DmaBuf, roomy, 1))}) {
        EXPECT_FALSE(frame == other);
    }
}

TEST(ExternalFrame, memfds_are_named_by_their_inode_and_seen_through_their_mapping) {
    const UniqueFd fd(::memfd_create("frame", MFD_CLOEXEC));
    ASSERT_TRUE(fd);
    ASSERT_EQ(::ftruncate(fd.get(), 8192), 0);
    void* const address = ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    ASSERT_NE(address, MAP_FAILED);
    const std::span mapping(static_cast<std::byte*>(address), 8192);
    const UniqueFd second = fd.dup().value();
    const auto memory = memfd_memory(fd.get(), mapping);
    ASSERT_TRUE(memory) << memory.error().message;
    EXPECT_EQ(memory->size_bytes, 8192U);
    EXPECT_EQ(*memory, memfd_memory(second.get()).value());
    const UniqueFd other(::memfd_create("frame", MFD_CLOEXEC));
    ASSERT_EQ(::ftruncate(other.get(), 8192), 0);
    EXPECT_FALSE(*memory == memfd_memory(other.get()).value());

    const auto frame =
        ExternalFrame::create(kNv12, kLinearModifier, kNv12Planes, std::span(&*memory, 1));
    ASSERT_TRUE(frame);
    const auto view = frame->mutable_view();
    ASSERT_TRUE(view) << view.error().message;
    EXPECT_EQ(view->row(1, 2), mapping.data() + (64 * 48) + (64 * 2));

    const FrameMemory unmapped = memfd_memory(fd.get()).value();
    const auto unseen =
        ExternalFrame::create(kNv12, kLinearModifier, kNv12Planes, std::span(&unmapped, 1));
    ASSERT_TRUE(unseen);
    EXPECT_EQ(unseen->view().error().message,
              "NV12 frame: plane 0 lies in a memfd that is not mapped");
    const FrameMemory read_only = memfd_memory(fd.get(), mapping, false).value();
    const auto fixed =
        ExternalFrame::create(kNv12, kLinearModifier, kNv12Planes, std::span(&read_only, 1));
    EXPECT_TRUE(fixed->view());
    EXPECT_FALSE(fixed->mutable_view());
    ::munmap(address, 8192);
}

TEST(ExternalFrame, closed_and_empty_descriptors_are_refused_by_name) {
    const UniqueFd empty(::memfd_create("frame", MFD_CLOEXEC));
    EXPECT_EQ(memfd_memory(empty.get()).error().code, ErrorCode::Io);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const UniqueFd in(ends[0]);
    const UniqueFd out(ends[1]);
    EXPECT_NE(dma_buf_memory(in.get()).error().message.find("is not that of a dmabuf"),
              std::string::npos);
    EXPECT_EQ(dma_buf_memory(-1).error().code, ErrorCode::Io);
}

TEST(ExternalFrame, plain_frames_keep_their_planes_and_serials) {
    TestFrame frame({PixelFormat::I420, 13, 7, {}}, 6);
    const MutableFrameView view = frame.view();
    const std::array<std::uint64_t, 3> serials{11, 12, 13};
    const auto external = ExternalFrame::of(view, serials);
    ASSERT_TRUE(external) << external.error().message;
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(external->memory_of(i).identity.inode, serials[i]);
        EXPECT_EQ(external->mutable_view()->row(i, 1), view.row(i, 1));
        // Whole pages around what was given.
        const std::span<std::byte> pages = external->memory_of(i).surrounding;
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pages.data()) % 4096, 0U);
        EXPECT_EQ(pages.size() % 4096, 0U);
        EXPECT_LE(pages.data(), view.row(i, 0));
    }
}

} // namespace sluice::testing
