// SPDX-License-Identifier: Apache-2.0
// Buffers: what the host writes the device reads and the other way round, imported memory included.
#include <cstdlib>
#include <memory>

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/core/vulkan/words.h"
#include "tests/support/vulkan_device.h"

namespace sluice::vulkan {
namespace {

using testing::must;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPageWords = kPage / 4;

class Memory : public testing::VulkanTest {
protected:
    // to = from + 1, without anything that maps or copies.
    void run_increment(const Buffer& from, const Buffer& to) {
        if (!increment_) {
            increment_ = std::make_unique<Recording>(must(Recording::create(device_)));
            must(linear(*increment_, whole(from), whole(to), 1, 1));
            must(increment_->finish());
            EXPECT_EQ(increment_->counts().copies, 0U);
        }
        must(increment_->run());
    }
    void TearDown() override {
        increment_.reset();
        VulkanTest::TearDown();
    }

private:
    std::unique_ptr<Recording> increment_;
};

// A file in memory, mapped as its producer and consumer would.
class SharedFile {
public:
    explicit SharedFile(std::size_t bytes)
        : bytes_(bytes), fd_(::memfd_create("frame", MFD_CLOEXEC)) {
        if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) == 0) {
            address_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
        }
    }
    SharedFile(const SharedFile&) = delete;
    SharedFile& operator=(const SharedFile&) = delete;
    ~SharedFile() { ::munmap(address_, bytes_); }

    [[nodiscard]] std::span<std::byte> bytes() const {
        return {static_cast<std::byte*>(address_), bytes_};
    }
    [[nodiscard]] UniqueFd fd() const { return must(fd_.dup()); }

private:
    std::size_t bytes_;
    UniqueFd fd_;
    void* address_ = nullptr;
};

TEST_F(Memory, is_visible_to_the_host_where_it_should_be) {
    for (const Placement placement : {Placement::Upload, Placement::Download}) {
        const Buffer buffer = must(Buffer::create(device_, 1000, placement));
        EXPECT_EQ(buffer.mapped().size(), 1000U);
        EXPECT_EQ(buffer.size_bytes(), 1000U);
    }
    const Buffer local = must(Buffer::create(device_, 1000, Placement::Device));
    EXPECT_EQ(local.mapped().empty(), !device_->profile().unified_memory);
}

TEST_F(Memory, refuses_impossible_sizes) {
    const auto none = Buffer::create(device_, 0, Placement::Device);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::InvalidArgument);
    const std::size_t bytes = std::size_t{1} << 46U;
    const auto huge = Buffer::create(device_, bytes, Placement::Device);
    ASSERT_FALSE(huge);
    EXPECT_EQ(huge.error().code, ErrorCode::OutOfMemory);
    EXPECT_NE(huge.error().message.find(std::to_string(bytes)), std::string::npos)
        << huge.error().message;
    EXPECT_NE(huge.error().message.find(device_->profile().name), std::string::npos);
}

TEST_F(Memory, of_the_host_is_shared_without_a_copy) {
    const std::size_t alignment = device_->profile().host_pointer_alignment;
    if (!device_->profile().import_host_pointer) {
        GTEST_SKIP() << "no VK_EXT_external_memory_host";
    }
    const std::size_t bytes = std::max(alignment, kPage);
    const std::unique_ptr<std::byte, decltype(&std::free)> in(
        static_cast<std::byte*>(std::aligned_alloc(bytes, bytes)), std::free);
    const std::unique_ptr<std::byte, decltype(&std::free)> out(
        static_cast<std::byte*>(std::aligned_alloc(bytes, bytes)), std::free);
    const std::span in_bytes(in.get(), bytes);
    const std::span out_bytes(out.get(), bytes);
    const Buffer from = must(Buffer::import_host(device_, in_bytes));
    const Buffer to = must(Buffer::import_host(device_, out_bytes));
    for (const std::uint32_t first : {100U, 70000U}) { // written after the import, every time
        write_words(in_bytes, counting(bytes / 4, first));
        run_increment(from, to);
        EXPECT_EQ(read_words(out_bytes), counting(bytes / 4, first + 1));
    }
}

TEST_F(Memory, of_the_host_must_be_aligned) {
    if (!device_->profile().import_host_pointer) {
        GTEST_SKIP() << "no VK_EXT_external_memory_host";
    }
    const std::size_t alignment = device_->profile().host_pointer_alignment;
    const std::unique_ptr<std::byte, decltype(&std::free)> memory(
        static_cast<std::byte*>(std::aligned_alloc(alignment, 2 * alignment)), std::free);
    const auto shifted = Buffer::import_host(device_, {memory.get() + 64, alignment});
    ASSERT_FALSE(shifted);
    EXPECT_EQ(shifted.error().code, ErrorCode::Unsupported);
    EXPECT_NE(shifted.error().message.find("not aligned to"), std::string::npos);
    EXPECT_FALSE(Buffer::import_host(device_, {memory.get(), alignment - 1}));
}

TEST_F(Memory, of_a_dmabuf_is_shared_without_a_copy) {
    if (!device_->profile().import_dma_buf || device_->profile().type != DeviceType::Software) {
        GTEST_SKIP() << "only software devices take a memfd for a dmabuf";
    }
    const SharedFile in(2 * kPage);
    const SharedFile out(2 * kPage);
    const Buffer from = must(Buffer::import_dma_buf(device_, in.fd(), 2 * kPage));
    const Buffer to = must(Buffer::import_dma_buf(device_, out.fd(), 2 * kPage));
    EXPECT_TRUE(from.mapped().empty());
    for (const std::uint32_t first : {1U, 90000U}) {
        write_words(in.bytes(), counting(2 * kPageWords, first));
        run_increment(from, to);
        EXPECT_EQ(read_words(out.bytes()), counting(2 * kPageWords, first + 1));
    }
}

TEST_F(Memory, of_a_dmabuf_is_taken_over_and_handed_back_every_time) {
    if (!device_->profile().import_dma_buf || device_->profile().type != DeviceType::Software) {
        GTEST_SKIP() << "only software devices take a memfd for a dmabuf";
    }
    const SharedFile file(kPage);
    const Buffer shared = must(Buffer::import_dma_buf(device_, file.fd(), kPage));
    const Buffer own = must(Buffer::create(device_, kPage, Placement::Device));
    Recording recording = must(Recording::create(device_));
    recording.acquire(whole(shared));
    must(linear(recording, whole(shared), whole(own), 2, 0));
    must(linear(recording, whole(own), whole(shared), 1, 1));
    recording.release(whole(shared));
    must(recording.finish());
    write_words(file.bytes(), Words(kPageWords, 1));
    must(recording.run());
    must(recording.run());
    EXPECT_EQ(read_words(file.bytes()), Words(kPageWords, 7));
}

TEST_F(Memory, of_a_dmabuf_must_be_as_large_as_said) {
    if (!device_->profile().import_dma_buf) {
        GTEST_SKIP() << "no VK_EXT_external_memory_dma_buf";
    }
    const SharedFile file(kPage);
    const auto longer = Buffer::import_dma_buf(device_, file.fd(), kPage + 1);
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(longer.error().message.find("has 4096 bytes, 4097 are to be imported"),
              std::string::npos)
        << longer.error().message;
    EXPECT_FALSE(Buffer::import_dma_buf(device_, UniqueFd(), kPage));
    int ends[2] = {-1, -1}; // NOLINT(modernize-avoid-c-arrays): pipe() wants it
    ASSERT_EQ(::pipe(ends), 0);
    const UniqueFd writing(ends[1]);
    EXPECT_FALSE(Buffer::import_dma_buf(device_, UniqueFd(ends[0]), kPage));
}

TEST_F(Memory, that_was_exported_is_what_the_importer_sees) {
    auto exported = Buffer::create_exported(device_, kPage);
    if (!exported) {
        ASSERT_EQ(exported.error().code, ErrorCode::Unsupported) << exported.error().message;
        GTEST_SKIP() << exported.error().message;
    }
    const Buffer again = must(Buffer::import_dma_buf(device_, must(exported->fd.dup()), kPage));
    const Buffer in = buffer_of(device_, counting(kPageWords));
    const Buffer out = buffer_of(device_, Words(kPageWords, 0), Placement::Download);
    Recording recording = must(Recording::create(device_));
    must(linear(recording, whole(in), whole(exported->buffer), 3, 0));
    must(recording.finish());
    must(recording.run());
    run_increment(again, out);
    Words expected = counting(kPageWords);
    for (std::uint32_t& word : expected) {
        word = word * 3 + 1;
    }
    EXPECT_EQ(read_words(out.mapped()), expected);
}

} // namespace
} // namespace sluice::vulkan
