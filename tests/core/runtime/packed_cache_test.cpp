// SPDX-License-Identifier: Apache-2.0
// Packed weights on disk: what is kept is found again, and nothing that is damaged is believed.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include "core/runtime/packed_cache.h"
#include "tests/support/must.h"

namespace sluice::runtime {
namespace {

namespace fs = std::filesystem;
using sluice::testing::must;

class PackedCache : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("sluice-packed-" + std::to_string(::getpid()));
        fs::remove_all(folder_);
        file_ = folder_ / "weights.bin";
    }
    void TearDown() override { fs::remove_all(folder_); }

    // One compilation with two memories of these contents: whether all of it came from the file.
    static bool compile(const fs::path& file, char first, char second, std::uint64_t layout = 7) {
        const PackedScope scope(file);
        fill(must(allocate_packed(1000, layout)), 1000, first);
        fill(must(allocate_packed(77, layout)), 77, second);
        must(scope.save());
        return scope.is_warm();
    }
    static void fill(const PackedMemory& memory, std::size_t size, char value) {
        if (!memory.is_filled) {
            std::memset(memory.bytes.get(), value, size);
        }
        for (std::size_t i = 0; i < size; ++i) {
            ASSERT_EQ(memory.bytes.get()[i], static_cast<std::byte>(value));
        }
    }
    [[nodiscard]] std::string bytes() const {
        std::ifstream in(file_, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void write(const std::string& text) const {
        std::ofstream(file_, std::ios::binary | std::ios::trunc) << text;
    }

    fs::path folder_, file_;
};

TEST_F(PackedCache, is_cold_once_and_warm_from_then_on) {
    EXPECT_FALSE(compile(file_, 'a', 'b'));
    EXPECT_TRUE(compile(file_, 'a', 'b'));
    EXPECT_TRUE(compile(file_, 'a', 'b'));
}

TEST_F(PackedCache, another_layout_packs_anew) {
    EXPECT_FALSE(compile(file_, 'a', 'b', 7));
    EXPECT_FALSE(compile(file_, 'c', 'd', 8));
    EXPECT_TRUE(compile(file_, 'c', 'd', 8));
}

TEST_F(PackedCache, a_file_cut_anywhere_is_none) {
    EXPECT_FALSE(compile(file_, 'a', 'b'));
    const std::string whole = bytes();
    for (std::size_t size = 0; size < whole.size(); size += size < 128 ? 1 : 37) {
        write(whole.substr(0, size));
        EXPECT_FALSE(compile(file_, 'x', 'y')) << size;
    }
}

TEST_F(PackedCache, a_changed_byte_is_noticed) {
    EXPECT_FALSE(compile(file_, 'a', 'b'));
    const std::string whole = bytes();
    for (std::size_t at = 0; at < whole.size(); at += 13) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 0x10);
        write(changed);
        EXPECT_FALSE(compile(file_, 'x', 'y')) << at;
    }
}

TEST_F(PackedCache, memories_outlive_scope_and_file) {
    EXPECT_FALSE(compile(file_, 'a', 'b'));
    PackedMemory memory;
    {
        const PackedScope scope(file_);
        memory = must(allocate_packed(1000, 7));
    }
    fs::remove(file_);
    ASSERT_TRUE(memory.is_filled);
    EXPECT_EQ(memory.bytes.get()[999], static_cast<std::byte>('a'));
}

TEST_F(PackedCache, writers_at_once_leave_one_whole_file) {
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i) {
        writers.emplace_back([this] {
            for (int round = 0; round < 50; ++round) {
                compile(file_, 'a', 'b');
                std::error_code error;
                fs::remove(file_, error);
            }
        });
    }
    for (std::thread& writer : writers) {
        writer.join();
    }
    compile(file_, 'a', 'b');
    EXPECT_TRUE(compile(file_, 'a', 'b'));
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_)) {
        ++files;
    }
    EXPECT_EQ(files, 1U) << "temporary files are left";
}

TEST_F(PackedCache, without_a_path_nothing_is_written) {
    EXPECT_FALSE(compile({}, 'a', 'b'));
    EXPECT_FALSE(fs::exists(folder_));
}

} // namespace
} // namespace sluice::runtime
