// SPDX-License-Identifier: Apache-2.0
// SharedFrame: a test frame's planes in a memfd, as a producer of another process would share them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "core/base/checked_math.h"
#include "core/base/unique_fd.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/external_frame.h"

namespace sluice::testing {

class SharedFrame {
public:
    enum class As {
        Memfd,       // a descriptor
        DmaBuf,      // the same, claimed to be a dmabuf: software devices map both
        Host,        // the mapping only, page by page
        UnknownHost, // the mapping only, and nothing around it
    };

    // Copies the test frame's bytes, padding included. The first plane begins at `lead` bytes.
    explicit SharedFrame(const TestFrame& frame, As as = As::Memfd, std::size_t lead = 0)
        : format_(frame.format()), as_(as), fd_(::memfd_create("frame", MFD_CLOEXEC)) {
        std::size_t end = lead;
        for (std::size_t i = 0; i < frame.planes.size(); ++i) {
            planes_.push_back({0, end, frame.strides[i]});
            end = align_up(end + frame.planes[i].size(), 2);
        }
        // Some memory before and after the frame's own, which nobody else may touch.
        bytes_ = align_up(end + 64, 4096);
        EXPECT_EQ(::ftruncate(fd_.get(), static_cast<off_t>(bytes_)), 0);
        void* const at = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
        EXPECT_NE(at, MAP_FAILED);
        mapping_ = {static_cast<std::byte*>(at), bytes_};
        std::memset(at, 0xA5, bytes_);
        write(frame);
    }
    ~SharedFrame() { ::munmap(mapping_.data(), mapping_.size()); }
    SharedFrame(const SharedFrame&) = delete;
    SharedFrame& operator=(const SharedFrame&) = delete;

    // The producer writes, with the CPU.
    void write(const TestFrame& frame) {
        for (std::size_t i = 0; i < planes_.size(); ++i) {
            std::memcpy(mapping_.data() + planes_[i].offset_bytes, frame.planes[i].data(),
                        frame.planes[i].size());
        }
    }
    // What the producer sees.
    void read(TestFrame& frame) const {
        for (std::size_t i = 0; i < planes_.size(); ++i) {
            std::memcpy(frame.planes[i].data(), mapping_.data() + planes_[i].offset_bytes,
                        frame.planes[i].size());
        }
    }
    // Whether nothing but the planes has been written.
    [[nodiscard]] bool surroundings_are_untouched(const TestFrame& frame) const {
        std::vector<bool> ours(bytes_);
        for (std::size_t i = 0; i < planes_.size(); ++i) {
            for (std::size_t k = 0; k < frame.planes[i].size(); ++k) {
                ours[planes_[i].offset_bytes + k] = true;
            }
        }
        for (std::size_t i = 0; i < bytes_; ++i) {
            if (!ours[i] && mapping_[i] != std::byte{0xA5}) {
                return false;
            }
        }
        return true;
    }

    [[nodiscard]] zero_copy::ExternalFrame frame() const {
        zero_copy::FrameMemory memory;
        switch (as_) {
        case As::Memfd: memory = zero_copy::memfd_memory(fd_.get(), mapping_).value(); break;
        case As::DmaBuf: memory = zero_copy::dma_buf_memory(fd_.get(), mapping_).value(); break;
        case As::Host:
        case As::UnknownHost:
            memory = zero_copy::host_memory(mapping_, reinterpret_cast<std::uintptr_t>(this));
            break;
        }
        if (as_ == As::UnknownHost) {
            memory.mapping = memory.mapping.subspan(2);
            memory.size_bytes -= 2;
            memory.surrounding = {};
        }
        std::vector<zero_copy::MemoryPlane> planes = planes_;
        if (as_ == As::UnknownHost) {
            for (zero_copy::MemoryPlane& plane : planes) {
                plane.offset_bytes -= 2;
            }
        }
        auto made = zero_copy::ExternalFrame::create(format_, zero_copy::kLinearModifier, planes,
                                                     std::span(&memory, 1));
        EXPECT_TRUE(made) << made.error().message;
        return std::move(made).value();
    }
    void close() { fd_ = UniqueFd(); }

private:
    zero_copy::FrameFormat format_;
    As as_;
    UniqueFd fd_;
    std::size_t bytes_ = 0;
    std::span<std::byte> mapping_;
    std::vector<zero_copy::MemoryPlane> planes_;
};

} // namespace sluice::testing
