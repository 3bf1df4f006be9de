// SPDX-License-Identifier: Apache-2.0
// Sample groups: how a format's components lie interleaved in its planes.
//
// A group is the set of components of one plane that share a step, so that one interleaved load
// reads them all: {Y} and {U, V} of NV12; {Y} (every second byte) and {U, V} (every fourth) of
// YUY2; {R, G, B, A} of RGBA. Everything that reads or writes pixels iterates over groups and needs
// no case per format.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"

namespace sluice::zero_copy {

struct SampleGroup {
    std::uint8_t plane = 0;
    std::uint8_t lanes = 1;   // samples from one pixel of the group to the next
    std::uint8_t bits = 8;    // 8: bytes; 10: the high bits of 16
    bool chroma = false;      // at the chroma's resolution
    std::uint8_t shift_x = 0; // log2 of its subsampling
    std::uint8_t shift_y = 0;
    // Which component each lane holds; -1: another group's samples, or padding.
    std::array<std::int8_t, 4> component_of_lane{-1, -1, -1, -1};

    [[nodiscard]] std::size_t sample_bytes() const { return bits > 8 ? 2 : 1; }
    [[nodiscard]] std::size_t step_bytes() const { return lanes * sample_bytes(); }
    [[nodiscard]] std::uint32_t columns(std::uint32_t width) const {
        return (width + (1U << shift_x) - 1U) >> shift_x;
    }
    [[nodiscard]] std::uint32_t rows(std::uint32_t height) const {
        return (height + (1U << shift_y) - 1U) >> shift_y;
    }
};

struct SampleGroups {
    std::array<SampleGroup, 3> group{};
    std::size_t count = 0;

    [[nodiscard]] const SampleGroup* begin() const { return group.data(); }
    [[nodiscard]] const SampleGroup* end() const { return group.data() + count; }
};
[[nodiscard]] SampleGroups sample_groups(PixelFormat format);

// How many chroma samples (in chroma sample units) the chroma grid lies to the left of, or above,
// the centred one: an outer-corner luma coordinate x lies at x / 2^shift + offset in the chroma's
// own outer-corner coordinates.
struct SiteOffset {
    double x = 0.0;
    double y = 0.0;
};
[[nodiscard]] SiteOffset site_offset(const SampleGroup& group, ChromaSite site);

} // namespace sluice::zero_copy
