// SPDX-License-Identifier: Apache-2.0
// Tiles fit every device, also devices that are not there.
#include <gtest/gtest.h>

#include "core/vulkan/tuning.h"

namespace sluice::vulkan {
namespace {

constexpr std::uint32_t kVendors[] = {0x10DE, 0x1002, 0x8086, 0x106B, 0x13B5, 0x5143, 0x14E4, 0x1};

DeviceProfile profile_of(std::uint32_t vendor, std::uint32_t invocations, std::uint32_t shared) {
    DeviceProfile profile;
    profile.type = DeviceType::Discrete;
    profile.vendor_id = vendor;
    profile.max_workgroup_invocations = invocations;
    profile.shared_memory_bytes = shared;
    return profile;
}

// What conv_tiled.comp divides without a remainder.
void expect_whole(const ConvTiles& tiles) {
    EXPECT_EQ(tiles.rows % tiles.own_rows, 0U);
    EXPECT_EQ(tiles.blocks % tiles.own_blocks, 0U);
    EXPECT_EQ(tiles.depth % 4, 0U);
}

TEST(Tuning, fits_what_vulkan_guarantees) {
    for (const std::uint32_t vendor : kVendors) {
        const Tuning tuning = tuning_for(profile_of(vendor, 128, 16384));
        EXPECT_TRUE(tuning.tiled);
        for (const ConvTiles& tiles : {tuning.wide, tuning.narrow}) {
            EXPECT_LE(tiles.invocations(), 128U) << std::hex << vendor;
            EXPECT_LE(tiles.shared_bytes(), 16384U) << std::hex << vendor;
            expect_whole(tiles);
        }
        EXPECT_LE(tuning.line_invocations, 128U);
        EXPECT_EQ(tuning.line_invocations & (tuning.line_invocations - 1), 0U);
        EXPECT_LE(tuning.direct_invocations, 128U);
    }
}

TEST(Tuning, fits_whatever_a_device_says) {
    for (const std::uint32_t vendor : kVendors) {
        for (const std::uint32_t invocations : {128U, 256U, 1024U}) {
            for (const std::uint32_t shared : {16384U, 32768U, 65536U}) {
                const Tuning tuning = tuning_for(profile_of(vendor, invocations, shared));
                for (const ConvTiles& tiles : {tuning.wide, tuning.narrow}) {
                    EXPECT_LE(tiles.invocations(), invocations);
                    EXPECT_LE(tiles.shared_bytes(), shared);
                    expect_whole(tiles);
                }
            }
        }
    }
}

TEST(Tuning, gives_large_devices_larger_tiles_than_small_ones) {
    const Tuning large = tuning_for(profile_of(0x10DE, 1024, 49152));
    const Tuning small = tuning_for(profile_of(0x14E4, 256, 16384));
    EXPECT_GT(large.wide.rows * large.wide.blocks, small.wide.rows * small.wide.blocks);
}

TEST(Tuning, uses_no_shared_memory_on_software_devices) {
    DeviceProfile profile = profile_of(0x10005, 1024, 32768);
    profile.type = DeviceType::Software;
    EXPECT_FALSE(tuning_for(profile).tiled);
}

} // namespace
} // namespace sluice::vulkan
