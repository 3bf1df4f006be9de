// SPDX-License-Identifier: Apache-2.0
// Pipelines: made once, kept on disk, and a cache file that is not ours is never shown to a driver.
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "core/vulkan/pipeline_cache_file.h"
#include "tests/core/vulkan/words.h"
#include "tests/support/vulkan_device.h"

namespace sluice::vulkan {
namespace {

using testing::must;

class Pipelines : public testing::VulkanTest {};

TEST_F(Pipelines, are_made_once_for_each_set_of_constants) {
    PipelineStore& store = device_->pipelines();
    const std::size_t before = store.size();
    const std::array a{kGroup, 1001U};
    const std::array b{kGroup, 1002U};
    const VkPipeline first = must(store.get({.shader = Shader::LinearWords, .constants = a}));
    EXPECT_EQ(must(store.get({.shader = Shader::LinearWords, .constants = a})), first);
    EXPECT_NE(must(store.get({.shader = Shader::LinearWords, .constants = b})), first);
    EXPECT_EQ(store.size(), before + 2);
}

TEST_F(Pipelines, are_made_by_several_threads) {
    PipelineStore& store = device_->pipelines();
    std::array<std::array<VkPipeline, 8>, 4> made{};
    {
        std::vector<std::jthread> threads;
        for (auto& row : made) {
            threads.emplace_back([&] {
                for (std::uint32_t i = 0; i < row.size(); ++i) {
                    const std::array constants{kGroup, 2000U + i};
                    row[i] = store.get({.shader = Shader::LinearWords, .constants = constants})
                                 .value_or(VK_NULL_HANDLE);
                }
            });
        }
    }
    for (const auto& row : made) {
        EXPECT_EQ(row, made[0]);
        EXPECT_FALSE(std::ranges::contains(row, VkPipeline{VK_NULL_HANDLE}));
    }
}

TEST_F(Pipelines, are_kept_on_disk) {
    const auto path = pipeline_cache_path(device_->profile());
    ASSERT_FALSE(path.empty());
    std::filesystem::remove(path);
    const std::array constants{kGroup, 3000U};
    std::ignore =
        must(device_->pipelines().get({.shader = Shader::LinearWords, .constants = constants}));
    device_->pipelines().save();
    const auto kept = must(read_pipeline_cache(path, device_->profile()));
    EXPECT_GE(kept.size(), sizeof(VkPipelineCacheHeaderVersionOne));
    // A device that is opened now takes it.
    device_.reset();
    device_ = must(Device::open(testing::vulkan_selector()));
    std::ignore =
        must(device_->pipelines().get({.shader = Shader::LinearWords, .constants = constants}));
}

TEST_F(Pipelines, work_without_a_readable_cache) {
    const auto path = pipeline_cache_path(device_->profile());
    std::filesystem::create_directories(path.parent_path());
    device_.reset();
    std::ofstream(path, std::ios::trunc) << "no cache at all";
    device_ = must(Device::open(testing::vulkan_selector()));
    const Buffer a = buffer_of(device_, Words{1, 2, 3});
    const Buffer b = buffer_of(device_, Words{0, 0, 0}, Placement::Download);
    Recording recording = must(Recording::create(device_));
    must(linear(recording, whole(a), whole(b), 3001, 0));
    must(recording.finish());
    must(recording.run());
    EXPECT_EQ(read_words(b.mapped()), (Words{3001, 6002, 9003}));
}

// What a driver of `device` would have given.
std::vector<std::byte> driver_data(const DeviceProfile& device, std::size_t bytes = 100) {
    VkPipelineCacheHeaderVersionOne header{
        .headerSize = sizeof(header),
        .headerVersion = VK_PIPELINE_CACHE_HEADER_VERSION_ONE,
        .vendorID = device.vendor_id,
        .deviceID = device.device_id,
    };
    std::ranges::copy(device.cache_uuid, header.pipelineCacheUUID);
    std::vector<std::byte> data(sizeof(header) + bytes, std::byte{0x5A});
    std::memcpy(data.data(), &header, sizeof(header));
    return data;
}

class PipelineCacheFile : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "cacheXXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        path_ = folder_ / "below" / "device.bin";
        device_.name = "a device";
        device_.vendor_id = 0x8086;
        device_.device_id = 0x1234;
        device_.driver_version = 7;
        device_.cache_uuid[3] = 9;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_;
    std::filesystem::path path_;
    DeviceProfile device_;
};

TEST_F(PipelineCacheFile, comes_back_as_it_was) {
    const auto data = driver_data(device_);
    must(write_pipeline_cache(path_, device_, data));
    EXPECT_EQ(must(read_pipeline_cache(path_, device_)), data);
    must(write_pipeline_cache(path_, device_, driver_data(device_, 5)));
    EXPECT_EQ(must(read_pipeline_cache(path_, device_)).size(),
              sizeof(VkPipelineCacheHeaderVersionOne) + 5);
    // No temporary file stays.
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_.parent_path()), {}), 1);
}

TEST_F(PipelineCacheFile, is_refused_when_cut_short_anywhere) {
    must(write_pipeline_cache(path_, device_, driver_data(device_)));
    const auto whole_size = std::filesystem::file_size(path_);
    for (auto size = whole_size; size-- > 0;) {
        std::filesystem::resize_file(path_, size);
        const auto read = read_pipeline_cache(path_, device_);
        ASSERT_FALSE(read) << size;
        ASSERT_EQ(read.error().code, ErrorCode::Parse) << size;
    }
}

TEST_F(PipelineCacheFile, is_refused_when_any_byte_differs) {
    const auto data = driver_data(device_);
    must(write_pipeline_cache(path_, device_, data));
    std::ifstream file(path_, std::ios::binary);
    const std::string good((std::istreambuf_iterator<char>(file)), {});
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 0x10);
        std::ofstream(path_, std::ios::binary | std::ios::trunc) << bad;
        ASSERT_FALSE(read_pipeline_cache(path_, device_)) << i;
    }
}

TEST_F(PipelineCacheFile, is_refused_by_another_device_or_driver) {
    must(write_pipeline_cache(path_, device_, driver_data(device_)));
    DeviceProfile other = device_;
    other.driver_version = 8;
    EXPECT_FALSE(read_pipeline_cache(path_, other));
    other = device_;
    other.device_id = 0x1235;
    EXPECT_FALSE(read_pipeline_cache(path_, other));
    other = device_;
    other.cache_uuid[0] = 1;
    EXPECT_FALSE(read_pipeline_cache(path_, other));
    const auto missing = read_pipeline_cache(folder_ / "none", device_);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
}

TEST_F(PipelineCacheFile, is_whole_while_several_write) {
    must(write_pipeline_cache(path_, device_, driver_data(device_)));
    std::vector<std::jthread> writers;
    for (std::size_t i = 1; i <= 3; ++i) {
        writers.emplace_back([this, i] {
            for (int round = 0; round < 50; ++round) {
                std::ignore = write_pipeline_cache(path_, device_, driver_data(device_, i * 999));
            }
        });
    }
    for (int round = 0; round < 100; ++round) {
        const auto read = read_pipeline_cache(path_, device_);
        ASSERT_TRUE(read) << read.error().message;
    }
}

TEST_F(PipelineCacheFile, that_cannot_be_written_is_an_error) {
    std::ofstream(folder_ / "file") << "x";
    const Status written =
        write_pipeline_cache(folder_ / "file" / "device.bin", device_, driver_data(device_));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::Io);
}

} // namespace
} // namespace sluice::vulkan
