// SPDX-License-Identifier: Apache-2.0
// UniqueFd closes once, moves, and duplicates with close-on-exec.
#include <array>
#include <type_traits>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "core/base/unique_fd.h"

namespace sluice {
namespace {

static_assert(!std::is_copy_constructible_v<UniqueFd> && !std::is_copy_assignable_v<UniqueFd>);
static_assert(std::is_nothrow_move_constructible_v<UniqueFd>);

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

int open_null() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

TEST(UniqueFd, default_owns_nothing) {
    const UniqueFd none;
    EXPECT_FALSE(none);
    EXPECT_EQ(none.get(), -1);
}

TEST(UniqueFd, closes_at_the_end_of_its_scope) {
    const int fd = open_null();
    ASSERT_GE(fd, 0);
    {
        const UniqueFd owner(fd);
        EXPECT_TRUE(owner);
        EXPECT_TRUE(is_open(fd));
    }
    EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, release_gives_the_descriptor_up) {
    const int fd = open_null();
    UniqueFd owner(fd);
    EXPECT_EQ(owner.release(), fd);
    EXPECT_FALSE(owner);
    EXPECT_TRUE(is_open(fd));
    ::close(fd);
}

TEST(UniqueFd, move_construction_steals) {
    const int fd = open_null();
    UniqueFd first(fd);
    const UniqueFd second(std::move(first));
    EXPECT_EQ(second.get(), fd);
    EXPECT_TRUE(is_open(fd));
}

TEST(UniqueFd, move_assignment_leaves_one_owner_each) {
    const int a = open_null();
    const int b = open_null();
    {
        UniqueFd target(a);
        {
            UniqueFd source(b);
            target = std::move(source);
        }
        EXPECT_EQ(target.get(), b);
        EXPECT_TRUE(is_open(b));
        EXPECT_FALSE(is_open(a)) << "the old descriptor must close with the source";
    }
    EXPECT_FALSE(is_open(b));
}

TEST(UniqueFd, dup_is_a_second_descriptor_of_the_same_file) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    UniqueFd reader(ends[0]);
    const UniqueFd writer(ends[1]);
    const auto copy = reader.dup();
    ASSERT_TRUE(copy);
    EXPECT_NE(copy->get(), reader.get());
    EXPECT_NE(::fcntl(copy->get(), F_GETFD) & FD_CLOEXEC, 0);
    reader = UniqueFd();
    ASSERT_EQ(::write(writer.get(), "x", 1), 1);
    char got = 0;
    EXPECT_EQ(::read(copy->get(), &got, 1), 1);
    EXPECT_EQ(got, 'x');
}

TEST(UniqueFd, dup_of_nothing_fails_with_a_sentence) {
    const auto copy = UniqueFd().dup();
    ASSERT_FALSE(copy);
    EXPECT_EQ(copy.error().code, ErrorCode::Io);
    EXPECT_NE(copy.error().message.find("cannot duplicate file descriptor -1"), std::string::npos);
}

} // namespace
} // namespace sluice
