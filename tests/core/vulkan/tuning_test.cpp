// SPDX-License-Identifier: Apache-2.0
// Tiles fit every device, also devices that are not there.
#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

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
    EXPECT_FALSE(tuning_for(profile).shared_loads);
    // Loads are shared by subgroups of eight.
    profile.subgroup_ballot = true;
    for (const std::uint32_t size : {4U, 8U, 16U}) {
        profile.subgroup_size = size;
        EXPECT_EQ(tuning_for(profile).shared_loads, size >= 8);
    }
}

TEST(Tuning, computes_in_float16_where_asked_and_possible) {
    DeviceProfile profile = profile_of(0x10DE, 1024, 49152);
    EXPECT_FALSE(tuning_for(profile, {.half_arithmetic = true}).half_arithmetic);
    profile.float16 = true;
    EXPECT_FALSE(tuning_for(profile).half_arithmetic);
    EXPECT_TRUE(tuning_for(profile, {.half_arithmetic = true}).half_arithmetic);
}

TEST(Tuning, takes_its_options_from_the_environment) {
    const char* const kName = "SLUICE_VULKAN_FLOAT16";
    const char* const before = std::getenv(kName);
    const std::optional<std::string> kept =
        before != nullptr ? std::optional<std::string>(before) : std::nullopt;
    ::unsetenv(kName);
    EXPECT_FALSE(tuning_options_from_environment().half_arithmetic);
    for (const char* other : {"", "0", "1", "storage", "Arithmetic", "arithmetic "}) {
        ::setenv(kName, other, 1);
        EXPECT_FALSE(tuning_options_from_environment().half_arithmetic) << "'" << other << "'";
    }
    ::setenv(kName, "arithmetic", 1);
    EXPECT_TRUE(tuning_options_from_environment().half_arithmetic);
    if (kept) {
        ::setenv(kName, kept->c_str(), 1);
    } else {
        ::unsetenv(kName);
    }
}

TEST(Tuning, reduces_lines_by_whole_subgroups) {
    for (const std::uint32_t size : {4U, 8U, 16U, 32U, 64U, 128U}) {
        for (const std::uint32_t vendor : kVendors) {
            DeviceProfile profile = profile_of(vendor, 256, 32768);
            profile.subgroup_size = size;
            EXPECT_FALSE(tuning_for(profile).subgroups);
            profile.subgroup_arithmetic = true;
            const Tuning tuning = tuning_for(profile);
            EXPECT_TRUE(tuning.subgroups);
            EXPECT_EQ(tuning.line_invocations % size, 0U) << std::hex << vendor;
            EXPECT_LE(tuning.line_invocations, 128U);
        }
    }
}

// A device that multiplies float16 matrices of that shape.
DeviceProfile matrix_device(std::uint32_t m, std::uint32_t n, std::uint32_t k,
                            std::uint32_t subgroup = 32) {
    DeviceProfile profile = profile_of(0x10DE, 1024, 49152);
    profile.cooperative_matrix = true;
    profile.float16 = true;
    profile.storage_16bit = true;
    profile.subgroup_size = subgroup;
    profile.matrix_shapes = {{.m = m,
                              .n = n,
                              .k = k,
                              .a = MatrixType::Float16,
                              .b = MatrixType::Float16,
                              .c = MatrixType::Float32,
                              .result = MatrixType::Float32,
                              .of_subgroup = true}};
    return profile;
}

// What conv_matrix.comp divides without a remainder, and what the device holds.
void expect_whole(const MatrixTiles& tiles, const DeviceProfile& profile) {
    EXPECT_EQ(tiles.rows % tiles.m, 0U);
    EXPECT_EQ(tiles.columns % tiles.n, 0U);
    EXPECT_EQ(tiles.columns % 4, 0U);
    EXPECT_EQ(tiles.depth % tiles.k, 0U);
    EXPECT_EQ(tiles.depth % 4, 0U);
    EXPECT_GT(tiles.invocations, 0U);
    EXPECT_EQ(tiles.invocations % profile.subgroup_size, 0U);
    EXPECT_LE(tiles.invocations, profile.max_workgroup_invocations);
    EXPECT_LE(tiles.shared_bytes(), profile.shared_memory_bytes);
}

TEST(MatrixTiles, are_whole_for_the_shapes_of_devices) {
    for (const auto& [m, n, k, subgroup] :
         std::vector<std::array<std::uint32_t, 4>>{{16, 16, 16, 32},
                                                   {16, 8, 16, 32},
                                                   {16, 8, 8, 32},
                                                   {8, 8, 16, 8},
                                                   {8, 16, 16, 16},
                                                   {16, 16, 16, 64},
                                                   {32, 32, 16, 64},
                                                   {48, 48, 16, 32}}) {
        for (const std::uint32_t shared : {16384U, 32768U, 49152U}) {
            DeviceProfile profile = matrix_device(m, n, k, subgroup);
            profile.shared_memory_bytes = shared;
            const auto tiles = matrix_tiles_for(profile);
            if (!tiles) { // larger than what fits
                EXPECT_GE(m * n * 4, 8192U) << m << "x" << n << " in " << shared;
                continue;
            }
            EXPECT_EQ((std::array{tiles->m, tiles->n, tiles->k}), (std::array{m, n, k}));
            expect_whole(*tiles, profile);
        }
    }
}

TEST(MatrixTiles, are_of_the_largest_shape_that_the_kernel_can_use) {
    DeviceProfile profile = matrix_device(16, 8, 8);
    MatrixShape larger = profile.matrix_shapes[0];
    larger.n = 16;
    larger.k = 16;
    profile.matrix_shapes.push_back(larger);
    EXPECT_EQ(matrix_tiles_for(profile)->k, 16U);
    // Sums in float16, another scope, and integers are no shapes for the kernel.
    profile.matrix_shapes[1].result = MatrixType::Float16;
    EXPECT_EQ(matrix_tiles_for(profile)->k, 8U);
    profile.matrix_shapes[0].of_subgroup = false;
    EXPECT_FALSE(matrix_tiles_for(profile));
    profile = matrix_device(16, 16, 32);
    profile.matrix_shapes[0].a = MatrixType::Other;
    EXPECT_FALSE(matrix_tiles_for(profile));
}

TEST(MatrixTiles, need_the_extension_and_float16) {
    DeviceProfile profile = matrix_device(16, 16, 16);
    EXPECT_TRUE(matrix_tiles_for(profile));
    EXPECT_EQ(tuning_for(profile).matrix, matrix_tiles_for(profile));
    profile.float16 = false;
    EXPECT_FALSE(matrix_tiles_for(profile));
    profile = matrix_device(16, 16, 16);
    profile.cooperative_matrix = false;
    EXPECT_FALSE(matrix_tiles_for(profile));
    profile = matrix_device(16, 16, 16);
    profile.type = DeviceType::Software;
    EXPECT_FALSE(tuning_for(profile).matrix);
}

} // namespace
} // namespace sluice::vulkan
