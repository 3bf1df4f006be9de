// SPDX-License-Identifier: Apache-2.0
// What BackgroundBlend works with: the groups of samples of a frame format, and strips of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "zero_copy/cell_blur.h"
#include "zero_copy/frame.h"
#include "zero_copy/mask_sampler.h"
#include "zero_copy/row_kernels.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::zero_copy {

struct BackgroundBlend::Scratch {
    static constexpr std::size_t kStrip = MaskSampler::kStrip;
    using Strip = std::array<float, kStrip>;

    // A group of samples with what its effect needs.
    struct GroupState {
        SampleGroup group;
        std::array<bool, 4> written{}; // lanes
        // Into another frame, bytes that no lane writes are carried over: alpha and padding, with
        // Key the colours. Once a plane, by the first group in it.
        bool carries = false;
        bool alone = false; // no other group writes into its plane
        MaskSampler mask;
        // Blur: cells, and where each column lies between them.
        std::size_t cell_x = 1;
        std::size_t cell_y = 1;
        GaussianKernel across = {};
        GaussianKernel down = {};
        std::optional<CellBlur> blur = std::nullopt;
        std::vector<std::int32_t> first = {};
        std::vector<float> weight = {};
    };

    FrameFormat format;
    BackgroundEffect effect = BackgroundEffect::Blur;
    double sigma = 0.0; // in pixels
    std::array<float, 4> color{};
    std::optional<FrameView> picture;
    std::vector<GroupState> groups;

    // Rows [begin, end) of `count` samples from the x-th on, a row of cells in a strip, and the
    // sums down its columns.
    struct Window {
        std::size_t begin, end, x, count;
    };
    struct CellSums {
        Strip weight;
        std::array<Strip, 4> values; // [lane]
    };

    // A strip of a row while it is blended: the frame's share of each sample, the frame's samples
    // and those behind them, by lane.
    struct Blending {
        Strip share;
        std::array<Strip, 4> fore;
        std::array<Strip, 4> back;
    };

    void add_group(const SampleGroup& group);
    void add_cells(GroupState& state, std::size_t values) const;
    void sum_evenly(const GroupState& state, const FrameView& frame, const Window& window,
                    float share, CellSums& sums) const;
    void sum_weighted(const GroupState& state, const FrameView& frame, const Mask& mask,
                      const Window& window, CellSums& sums) const;
    void gather_cells(GroupState& state, const FrameView& frame, const Mask& mask,
                      std::size_t cell_row) const;
    void blend_row(const GroupState& state, const FrameView& frame, const Mask& mask,
                   const MutableFrameView& out, std::size_t y) const;
    [[nodiscard]] std::optional<std::uint8_t> find_share(const GroupState& state, const Mask& mask,
                                                         std::size_t y, std::size_t x,
                                                         std::size_t count, Strip& share) const;
    void key_strip(const GroupState& state, std::size_t count, Blending& strip) const;
    void mix_strip(const GroupState& state, bool covered, std::size_t count, Blending& strip) const;
    void background(const GroupState& state, std::size_t y, std::size_t x, std::size_t count,
                    const LaneStrips& out) const;
    [[nodiscard]] std::size_t rows(const GroupState& state) const {
        return state.group.rows(format.height);
    }
    [[nodiscard]] std::size_t columns(const GroupState& state) const {
        return state.group.columns(format.width);
    }
};

} // namespace sluice::zero_copy
