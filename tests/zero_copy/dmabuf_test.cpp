// SPDX-License-Identifier: Apache-2.0
// Dmabufs of our own: the size of the file, its pages, and the reason where there are none.
#include <cstddef>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "zero_copy/dmabuf.h"

namespace sluice::zero_copy {
namespace {

TEST(Dmabuf, refuses_impossible_sizes) {
    EXPECT_EQ(make_dmabuf(0).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(make_dmabuf(~std::size_t{0}).error().code, ErrorCode::InvalidArgument);
}

TEST(Dmabuf, is_whole_pages_that_can_be_mapped_or_the_reason_is_told) {
    const auto made = make_dmabuf(5000);
    EXPECT_EQ(made.has_value(), can_make_dmabufs());
    if (!made) {
        EXPECT_EQ(made.error().code, ErrorCode::Unsupported);
        EXPECT_NE(made.error().message.find("/dev/udmabuf"), std::string::npos);
        EXPECT_NE(made.error().message.find("/dev/dma_heap/system"), std::string::npos);
        GTEST_SKIP() << "this kernel makes no dmabufs: neither /dev/udmabuf nor /dev/dma_heap";
    }
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t size = (5000 + page - 1) / page * page;
    EXPECT_EQ(lseek(made->get(), 0, SEEK_END), static_cast<off_t>(size));
    auto* first = static_cast<unsigned char*>(
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, made->get(), 0));
    ASSERT_NE(first, MAP_FAILED);
    auto* second =
        static_cast<unsigned char*>(mmap(nullptr, size, PROT_READ, MAP_SHARED, made->get(), 0));
    ASSERT_NE(second, MAP_FAILED);
    EXPECT_EQ(second[4999], 0);
    first[4999] = 77;
    EXPECT_EQ(second[4999], 77);
    munmap(first, size);
    munmap(second, size);
}

TEST(Dmabuf, may_be_as_large_as_udmabuf_s_parameter_says) {
    EXPECT_EQ(udmabuf_limit("64"), 67108864U);
    EXPECT_EQ(udmabuf_limit("256\n"), 268435456U);
    for (const char* none : {"", "many", "-1", "99999999999999999999"}) {
        EXPECT_EQ(udmabuf_limit(none), 67108864U) << none;
    }
    EXPECT_EQ(largest_dmabuf() > 0, can_make_dmabufs());
}

} // namespace
} // namespace sluice::zero_copy
