// SPDX-License-Identifier: Apache-2.0
// Fences of real dmabufs as sync files: taken, given, waited for.
#include <gtest/gtest.h>
#include <poll.h>

#include "core/base/unique_fd.h"
#include "tests/dmabuf-vm/fenced_buffer.h"
#include "tests/dmabuf-vm/witness.h"
#include "tests/support/must.h"
#include "zero_copy/sync.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

bool ready(int fd, short events) {
    pollfd waited{.fd = fd, .events = events, .revents = 0};
    return poll(&waited, 1, 0) == 1;
}

class SyncFile : public ::testing::Test {
protected:
    void SetUp() override {
        if (!in_the_machine()) {
            GTEST_SKIP() << "needs the virtual machine: ./dev test --dmabuf";
        }
    }
};

TEST_F(SyncFile, of_a_writer_is_what_a_sync_file_tells) {
    FencedBuffer buffer;
    EXPECT_TRUE(ready(buffer.dmabuf().get(), POLLIN));
    buffer.attach_write_fence();
    const UniqueFd fence = must(export_sync_file(buffer.dmabuf().get(), CpuAccess::Read));
    EXPECT_FALSE(ready(buffer.dmabuf().get(), POLLIN));
    EXPECT_FALSE(ready(fence.get(), POLLIN));
    EXPECT_FALSE(wait_sync_file(fence.get(), 100));
    EXPECT_FALSE(wait_idle(buffer.dmabuf().get(), CpuAccess::Read, 100));
    buffer.signal();
    EXPECT_TRUE(ready(buffer.dmabuf().get(), POLLIN));
    EXPECT_TRUE(ready(fence.get(), POLLIN));
    EXPECT_TRUE(wait_sync_file(fence.get(), 1000));
    EXPECT_TRUE(wait_idle(buffer.dmabuf().get(), CpuAccess::ReadWrite, 1000));
}

TEST_F(SyncFile, given_to_another_dmabuf_makes_its_readers_wait) {
    FencedBuffer first;
    const FencedBuffer second;
    first.attach_write_fence();
    const UniqueFd fence = must(export_sync_file(first.dmabuf().get(), CpuAccess::Read));
    must(import_sync_file(second.dmabuf().get(), fence.get(), CpuAccess::Write));
    EXPECT_FALSE(ready(second.dmabuf().get(), POLLIN));
    first.signal();
    EXPECT_TRUE(ready(second.dmabuf().get(), POLLIN));
}

TEST_F(SyncFile, of_a_reader_keeps_writers_waiting_and_no_reader) {
    FencedBuffer first;
    const FencedBuffer second;
    first.attach_write_fence();
    const UniqueFd fence = must(export_sync_file(first.dmabuf().get(), CpuAccess::Read));
    must(import_sync_file(second.dmabuf().get(), fence.get(), CpuAccess::Read));
    EXPECT_TRUE(wait_idle(second.dmabuf().get(), CpuAccess::Read, 100));
    EXPECT_FALSE(wait_idle(second.dmabuf().get(), CpuAccess::Write, 100));
    first.signal();
    EXPECT_TRUE(wait_idle(second.dmabuf().get(), CpuAccess::Write, 1000));
}

} // namespace
} // namespace sluice::testing
