// SPDX-License-Identifier: Apache-2.0
// Synchronisation where there is no dmabuf: brackets and fences that are not needed, or not there.
#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/sync.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

UniqueFd shared_memory() {
    UniqueFd fd(::memfd_create("frame", MFD_CLOEXEC));
    EXPECT_EQ(::ftruncate(fd.get(), 4096), 0);
    return fd;
}

// A frame whose memory claims to be a dmabuf, but is none.
ExternalFrame false_dma_buf(const UniqueFd& fd) {
    FrameMemory memory = memfd_memory(fd.get()).value();
    memory.kind = MemoryKind::DmaBuf;
    const std::array<MemoryPlane, 1> planes{{{0, 0, 64}}};
    return ExternalFrame::create({PixelFormat::Gray8, 64, 64, {}}, kLinearModifier, planes,
                                 std::span(&memory, 1))
        .value();
}

std::atomic<int> warnings{0};
void count_warnings(log::Level level, std::string_view category, std::string_view /*message*/) {
    if (level == log::Level::Warning && category == "import") {
        ++warnings;
    }
}

} // namespace

TEST(DmaBufAccess, memory_that_is_no_dmabuf_needs_no_brackets) {
    const UniqueFd fd = shared_memory();
    auto access = DmaBufAccess::begin(fd.get(), CpuAccess::ReadWrite);
    ASSERT_TRUE(access) << access.error().message;
    EXPECT_FALSE(access->brackets());
    DmaBufAccess moved = std::move(*access);
    EXPECT_TRUE(moved.end());
    EXPECT_TRUE(moved.end());
    auto frame = FrameAccess::begin(false_dma_buf(fd), CpuAccess::Read);
    ASSERT_TRUE(frame);
    EXPECT_TRUE(frame->end());
}

TEST(DmaBufAccess, a_closed_descriptor_is_an_error_that_names_it) {
    const auto access = DmaBufAccess::begin(-1, CpuAccess::Read);
    ASSERT_FALSE(access);
    EXPECT_EQ(access.error().code, ErrorCode::Io);
    EXPECT_NE(access.error().message.find("dmabuf -1: DMA_BUF_IOCTL_SYNC"), std::string::npos);
}

TEST(SyncFile, memory_that_is_no_dmabuf_gives_and_takes_none) {
    const UniqueFd fd = shared_memory();
    EXPECT_EQ(export_sync_file(fd.get(), CpuAccess::Read).error().code, ErrorCode::Unsupported);
    EXPECT_EQ(import_sync_file(fd.get(), fd.get(), CpuAccess::Write).error().code,
              ErrorCode::Unsupported);
    EXPECT_EQ(export_sync_file(-1, CpuAccess::Read).error().code, ErrorCode::Io);
}

TEST(SyncFile, acquiring_falls_back_to_poll_and_says_so_once) {
    const UniqueFd fd = shared_memory();
    const ExternalFrame frame = false_dma_buf(fd);
    warnings = 0;
    log::set_sink(count_warnings);
    for (int i = 0; i < 3; ++i) {
        const auto fence = acquire_fence(frame, CpuAccess::Read, true);
        ASSERT_TRUE(fence) << fence.error().message;
        EXPECT_FALSE(*fence);
    }
    log::set_sink(nullptr);
    EXPECT_EQ(warnings, 1);
}

TEST(SyncFile, releasing_falls_back_to_waiting_for_the_fence) {
    const UniqueFd fd = shared_memory();
    const ExternalFrame frame = false_dma_buf(fd);
    EXPECT_TRUE(release_fence(frame, UniqueFd(), CpuAccess::Write));
    // A pipe with a byte in it is readable, as a signalled sync_file is.
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    UniqueFd in(ends[0]);
    const UniqueFd out(ends[1]);
    ASSERT_EQ(::write(out.get(), "x", 1), 1);
    EXPECT_TRUE(release_fence(frame, std::move(in), CpuAccess::Write));
}

TEST(SyncFile, waiting_ends_with_an_error_after_its_timeout) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const UniqueFd in(ends[0]);
    const UniqueFd out(ends[1]);
    const auto waited = wait_sync_file(in.get(), 1);
    ASSERT_FALSE(waited);
    EXPECT_NE(waited.error().message.find("still busy after 1 ms"), std::string::npos);
    EXPECT_FALSE(wait_sync_file(1 << 20, 1));
}

} // namespace sluice::testing
