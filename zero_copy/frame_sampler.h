// SPDX-License-Identifier: Apache-2.0
// FrameSampler: strips of one output row, sampled from a frame's planes (axis-aligned regions).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "zero_copy/frame.h"
#include "zero_copy/frame_to_tensor.h"
#include "zero_copy/row_kernels.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/sampling.h"

namespace sluice::zero_copy {

// Output pixels sampled at a time: the strips of a row then stay in the first-level cache.
inline constexpr std::size_t kStripPixels = 256;

// Tables of one frame format, region and sampling. sample() is const, thread-safe and works on the
// stack only.
class FrameSampler {
public:
    // Only components with a true entry in `wanted` are read.
    FrameSampler(const FrameFormat& frame, const AxisSpan& columns, const AxisSpan& rows,
                 Sampling sampling, const std::array<bool, 3>& wanted);

    // Codes of output pixels [x, x + count) of output row y, count <= kStripPixels, both within
    // the coverage: out[c][i] for each wanted component c.
    void sample(const FrameView& frame, std::uint32_t y, std::size_t x, std::size_t count,
                const std::array<float*, 3>& out) const;

private:
    // How a group's columns are read.
    enum class Method : std::uint8_t {
        Dense,  // all columns under the strip are widened, then picked from
        Sparse, // four bytes around each picked column only
        Many,   // weighted sums over any number of rows and columns
    };
    struct GroupTables {
        SampleGroup group;
        std::array<bool, 4> wanted{}; // by lane
        Method method = Method::Dense;
        std::uint32_t source_columns = 0;
        std::uint32_t source_rows = 0;
        std::size_t row_bytes = 0;
        TwoTaps columns;
        TwoTaps rows;
        ManyTaps many_columns;
        ManyTaps many_rows;
    };

    static void dense(const GroupTables& tables, const FrameView& frame, std::uint32_t y,
                      std::size_t x, std::size_t count, const LaneStrips& out);
    static void sparse(const GroupTables& tables, const FrameView& frame, std::uint32_t y,
                       std::size_t x, std::size_t count, const LaneStrips& out);
    static void many(const GroupTables& tables, const FrameView& frame, std::uint32_t y,
                     std::size_t x, std::size_t count, const LaneStrips& out);

    std::vector<GroupTables> groups_;
};

} // namespace sluice::zero_copy
