// SPDX-License-Identifier: Apache-2.0
// Packed weights on disk: what is served, what is not, and that damage and writers do no harm.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "core/runtime/build_id.h"
#include "core/runtime/kernel.h"
#include "core/runtime/packed_cache.h"
#include "tests/support/must.h"

namespace sluice::runtime {
namespace {

namespace fs = std::filesystem;
using testing::must;

class PackedCache : public ::testing::Test {
protected:
    PackedCache() {
        std::string name = (fs::temp_directory_path() / "sluice-packed-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        place_ = {.file = folder_ / "a.bin", .key = {1, 2}};
    }
    ~PackedCache() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    // Two memories as a compilation would ask for them, filled with `value` where the cache did
    // not; gives what they hold, and how many were served.
    struct Compiled {
        std::string contents;
        std::size_t served;
    };
    static Compiled compile(const PackedPlace& place, char value, std::uint64_t layout = 7) {
        const PackedScope scope(place);
        Compiled compiled{};
        for (const std::size_t size : {std::size_t{100}, std::size_t{1000}}) {
            const PackedMemory memory = must(allocate_packed(size, layout));
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.bytes.get()) % kTensorAlignment, 0U);
            if (!memory.is_filled) {
                std::fill_n(memory.bytes.get(), size, static_cast<std::byte>(value));
            }
            compiled.contents.append(reinterpret_cast<const char*>(memory.bytes.get()), size);
        }
        must(scope.save());
        compiled.served = scope.served();
        return compiled;
    }

    [[nodiscard]] std::string file() const {
        std::ifstream stream(place_.file, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    void write(const std::string& bytes) const {
        std::ofstream(place_.file, std::ios::binary) << bytes;
    }
    [[nodiscard]] std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }

    fs::path folder_;
    PackedPlace place_;
};

TEST_F(PackedCache, serves_what_an_earlier_compilation_packed) {
    const Compiled first = compile(place_, 'a');
    EXPECT_EQ(first.served, 0U);
    const Compiled second = compile(place_, 'b');
    EXPECT_EQ(second.served, 2U);
    EXPECT_EQ(second.contents, std::string(1100, 'a'));
    EXPECT_EQ(files(), 1U) << "no temporary file is left";
    struct stat status{};
    ASSERT_EQ(::stat(place_.file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(PackedCache, serves_nothing_of_another_key_or_layout) {
    compile(place_, 'a');
    const PackedPlace other{.file = place_.file, .key = {1, 3}};
    EXPECT_EQ(compile(other, 'b').contents, std::string(1100, 'b'));
    EXPECT_EQ(compile(place_, 'c').contents, std::string(1100, 'c')) << "the file is the other's";
    EXPECT_EQ(compile(place_, 'd', 8).contents, std::string(1100, 'd'));
    EXPECT_EQ(compile(place_, 'e', 8).contents, std::string(1100, 'd'));
}

TEST_F(PackedCache, makes_a_file_anew_that_is_cut_short_anywhere) {
    compile(place_, 'a');
    const std::string whole = file();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write(whole.substr(0, size));
        ASSERT_EQ(compile(place_, 'b').contents, std::string(1100, 'b')) << size;
        if (size % 100 == 0) {
            ASSERT_EQ(compile(place_, 'c').served, 2U) << size;
        }
    }
}

TEST_F(PackedCache, makes_a_file_anew_that_is_altered_anywhere) {
    compile(place_, 'a');
    const std::string whole = file();
    const std::string expected(1100, 'a');
    for (std::size_t i = 0; i < whole.size(); i += i < 200 ? 1 : 7) {
        std::string altered = whole;
        altered[i] = static_cast<char>(altered[i] ^ 0x10);
        write(altered);
        const Compiled compiled = compile(place_, 'a');
        ASSERT_EQ(compiled.contents, expected) << i;
        // Bytes between the blobs are nobody's.
        ASSERT_TRUE(compiled.served == 0 || altered.compare(0, 104, whole, 0, 104) == 0) << i;
    }
    write(whole + "more");
    EXPECT_EQ(compile(place_, 'b').served, 0U);
}

TEST_F(PackedCache, keeps_readers_and_writers_apart) {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([this, t] {
            // Two keys for one file: every other compilation writes it anew.
            const PackedPlace place{.file = place_.file, .key = {5, std::uint64_t(t % 2)}};
            for (int i = 0; i < 100; ++i) {
                const char value = static_cast<char>('a' + t % 2);
                EXPECT_EQ(compile(place, value).contents, std::string(1100, value));
            }
        });
    }
    threads.clear();
    EXPECT_EQ(files(), 1U);
}

TEST_F(PackedCache, keeps_what_is_mapped_when_its_file_goes) {
    compile(place_, 'a');
    std::shared_ptr<std::byte> kept;
    {
        const PackedScope scope(place_);
        kept = must(allocate_packed(100, 7)).bytes;
        EXPECT_EQ(scope.served(), 1U);
    }
    fs::remove(place_.file);
    EXPECT_TRUE(std::all_of(kept.get(), kept.get() + 100,
                            [](std::byte value) { return value == std::byte{'a'}; }));
}

TEST_F(PackedCache, drops_what_was_used_longest_ago) {
    const auto now = fs::file_time_type::clock::now();
    for (int i = 0; i < 4; ++i) {
        const fs::path path = folder_ / std::to_string(i);
        std::ofstream(path) << std::string(100, 'x');
        fs::last_write_time(path, now - std::chrono::hours(10 - i));
    }
    drop_oldest(folder_, 250);
    EXPECT_FALSE(fs::exists(folder_ / "0"));
    EXPECT_FALSE(fs::exists(folder_ / "1"));
    EXPECT_TRUE(fs::exists(folder_ / "2"));
    EXPECT_TRUE(fs::exists(folder_ / "3"));
    drop_oldest(folder_ / "there is none", 0);
}

TEST_F(PackedCache, counts_what_is_read_as_used) {
    compile(place_, 'a');
    const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(1000);
    fs::last_write_time(place_.file, long_ago);
    compile(place_, 'b');
    EXPECT_GT(fs::last_write_time(place_.file), long_ago + std::chrono::hours(999));
}

TEST_F(PackedCache, goes_on_where_nothing_can_be_written) {
    std::ofstream(folder_ / "file") << "x";
    const PackedPlace place{.file = folder_ / "file" / "a.bin", .key = {1, 2}};
    const PackedScope scope(place);
    const PackedMemory memory = must(allocate_packed(10, 1));
    EXPECT_FALSE(memory.is_filled);
    const Status saved = scope.save();
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().code, ErrorCode::Io);
    EXPECT_TRUE(saved.error().message.contains("a.bin")) << saved.error().message;
}

TEST(BuildId, is_the_one_of_this_program) {
    const std::string id = build_id();
    if (id.empty()) {
        GTEST_SKIP() << "linked without a build id";
    }
    EXPECT_GE(id.size(), 16U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(id, build_id());
}

} // namespace
} // namespace sluice::runtime
