// SPDX-License-Identifier: Apache-2.0
// Tile sizes by vendor.
#include "core/vulkan/tuning.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace sluice::vulkan {

bool fits(const ConvTiles& tiles, const DeviceProfile& profile) {
    return tiles.invocations() <= profile.max_workgroup_invocations &&
           tiles.shared_bytes() <= profile.shared_memory_bytes;
}

namespace {

struct Row {
    std::uint32_t vendor_id; // PCI, or Khronos for those without one
    ConvTiles wide;
    ConvTiles narrow;
    std::uint32_t line_invocations;
    std::uint32_t winograd_channels = 0;
};

constexpr ConvTiles kLargeWide{
    .rows = 64, .blocks = 16, .depth = 16, .own_rows = 4, .own_blocks = 2};
constexpr ConvTiles kLargeNarrow{
    .rows = 128, .blocks = 8, .depth = 16, .own_rows = 4, .own_blocks = 2};
constexpr ConvTiles kMedium{.rows = 32, .blocks = 8, .depth = 16, .own_rows = 4, .own_blocks = 1};
constexpr ConvTiles kSmall{.rows = 32, .blocks = 4, .depth = 8, .own_rows = 4, .own_blocks = 1};

constexpr std::array<Row, 7> kRows{{
    {.vendor_id = 0x10DE,
     .wide = kLargeWide,
     .narrow = kLargeNarrow,
     .line_invocations = 128,
     .winograd_channels = 16},
    {.vendor_id = 0x1002,
     .wide = kLargeWide,
     .narrow = kLargeNarrow,
     .line_invocations = 64,
     .winograd_channels = 16},
    {.vendor_id = 0x8086,
     .wide = kMedium,
     .narrow = kMedium,
     .line_invocations = 64,
     .winograd_channels = 16},
    {.vendor_id = 0x106B, .wide = kMedium, .narrow = kMedium, .line_invocations = 64},  // Apple
    {.vendor_id = 0x13B5, .wide = kMedium, .narrow = kSmall, .line_invocations = 64},   // Arm
    {.vendor_id = 0x5143, .wide = kMedium, .narrow = kMedium, .line_invocations = 128}, // Qualcomm
    {.vendor_id = 0x14E4, .wide = kSmall, .narrow = kSmall, .line_invocations = 32},    // Broadcom
}};

ConvTiles cut_down(const ConvTiles& wanted, const DeviceProfile& profile) {
    for (const ConvTiles& tiles : {wanted, kMedium}) {
        if (fits(tiles, profile)) {
            return tiles;
        }
    }
    return kSmall; // within what Vulkan guarantees: 128 invocations, 16 KiB
}

// A workgroup of several whole subgroups where it would be a part of one.
std::uint32_t line_of_subgroups(std::uint32_t line, const DeviceProfile& profile) {
    return std::max(line, std::min(std::bit_floor(profile.subgroup_size), 128U));
}

std::string_view environment(const char* variable) {
    const char* text = std::getenv(variable);
    return text != nullptr ? text : "";
}

constexpr std::array<NamedTiles, 4> kNamedTiles{{{.name = "large-wide", .tiles = kLargeWide},
                                                 {.name = "large-narrow", .tiles = kLargeNarrow},
                                                 {.name = "medium", .tiles = kMedium},
                                                 {.name = "small", .tiles = kSmall}}};

} // namespace

std::span<const NamedTiles> known_tiles() {
    return kNamedTiles;
}

TuningOptions tuning_options_from_environment() {
    const std::string_view autotune = environment("SLUICE_VULKAN_AUTOTUNE");
    return {.half_arithmetic = environment("SLUICE_VULKAN_FLOAT16") == "arithmetic",
            .autotune = autotune == "on"    ? Autotune::Always
                        : autotune == "off" ? Autotune::Never
                                            : Autotune::WhereHardware};
}

bool is_autotuned(const DeviceProfile& profile, const TuningOptions& options) {
    switch (options.autotune) {
    case Autotune::WhereHardware: return profile.type != DeviceType::Software;
    case Autotune::Always: return true;
    case Autotune::Never: return false;
    }
    std::unreachable();
}

Tuning tuning_for(const DeviceProfile& profile, const TuningOptions& options) {
    Tuning tuning;
    tuning.staged = !profile.unified_memory;
    tuning.subgroups = profile.subgroup_arithmetic && profile.subgroup_size > 1;
    tuning.half_arithmetic = options.half_arithmetic && profile.float16;
    if (profile.type == DeviceType::Software) {
        // Shared memory is memory, a barrier a loop over all invocations, and a vector register
        // holds eight invocations.
        tuning.tiled = false;
        tuning.line_invocations = 8;
        // What the shader counts on; more blocks than its named sums are not taken.
        tuning.shared_loads = profile.subgroup_ballot && profile.subgroup_size >= 8 &&
                              tuning.direct_invocations % profile.subgroup_size == 0;
        tuning.direct_blocks = tuning.shared_loads ? 4 : 2;
        return tuning;
    }
    const auto row = std::ranges::find(kRows, profile.vendor_id, &Row::vendor_id);
    const bool known = row != kRows.end();
    tuning.wide = cut_down(known ? row->wide : kMedium, profile);
    tuning.narrow = cut_down(known ? row->narrow : kMedium, profile);
    tuning.line_invocations = known ? row->line_invocations : 64;
    tuning.winograd_channels = known ? row->winograd_channels : 0;
    if (tuning.subgroups) {
        tuning.line_invocations = line_of_subgroups(tuning.line_invocations, profile);
    }
    tuning.matrix = matrix_tiles_for(profile);
    return tuning;
}

} // namespace sluice::vulkan
