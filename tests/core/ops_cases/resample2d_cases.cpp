// SPDX-License-Identifier: Apache-2.0
// resample2d, up and down, to sizes and by scales, judged by the tent and box that define it.
#include <algorithm>
#include <cmath>
#include <format>

#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;

struct ResampleRow {
    Shape x;
    std::array<std::uint32_t, 2> axes;
    std::array<std::uint32_t, 2> sizes;      // of the result
    std::array<float, 2> scales{0.0F, 0.0F}; // 0, 0: the sizes say it
    DataType type = DataType::Float32;
};

// How much element `i` of an axis of `size` counts for result `o`: the tent around the result's
// centre, the edges repeated without end; or all or nothing.
double influence(std::size_t i, std::size_t o, std::size_t size, double scale, bool linear) {
    const double centre = (static_cast<double>(o) + 0.5) / scale - 0.5;
    double total = 0.0;
    const auto last = static_cast<long>(size) - 1;
    const auto around = static_cast<long>(std::floor(centre));
    for (long tap = around - 1; tap <= around + 2; ++tap) {
        if (std::clamp(tap, 0L, last) != static_cast<long>(i)) {
            continue;
        }
        const double distance = static_cast<double>(tap) - centre;
        if (linear) {
            total += std::max(0.0, 1.0 - std::fabs(distance));
        } else {
            // ceil(centre - 0.5) is the tap from half a step below to just under half above.
            total += distance >= -0.5 && distance < 0.5 ? 1.0 : 0.0;
        }
    }
    return total;
}

OpCase make_case(const ResampleRow& r, ops::Interpolation mode) {
    const bool linear = mode == ops::Interpolation::Linear;
    const bool scaled = r.scales[0] != 0.0F;
    OpCase test;
    test.name =
        std::format("resample2d/{}_{}_{}_axes{}{}_to_{}x{}{}", linear ? "linear" : "nearest",
                    graph::name(r.type), graph::to_string(r.x), r.axes[0], r.axes[1], r.sizes[0],
                    r.sizes[1], scaled ? "_scaled" : "");
    ops::Resample2d op;
    op.mode = mode;
    op.axes = r.axes;
    if (scaled) {
        op.scales = r.scales;
    } else {
        op.sizes = r.sizes;
    }
    test.attributes = op;
    Random random(test.name);
    test.operands = {random_operand(random, r.type, r.x, -2.0, 2.0)};
    const bool half = r.type == DataType::Float16;
    test.absolute = !linear ? 0.0 : (half ? 2e-3 : 2e-6);
    test.relative = !linear ? 0.0 : (half ? 1e-3 : 2e-6);
    test.on_cpu = !half && (r.axes[0] + 1 == r.axes[1] || r.axes[1] + 1 == r.axes[0]);
    Shape y = r.x;
    y[r.axes[0]] = r.sizes[0];
    y[r.axes[1]] = r.sizes[1];
    test.expected = [=](const OpCase& self) {
        const auto scale = [&](std::size_t which) {
            return scaled ? static_cast<double>(r.scales[which])
                          : static_cast<double>(r.sizes[which]) / r.x[r.axes[which]];
        };
        return std::vector{for_each_position(y, [&](const auto& at) {
            double sum = 0.0;
            auto from = at;
            for (std::size_t i = 0; i < r.x[r.axes[0]]; ++i) {
                const double first = influence(i, at[r.axes[0]], r.x[r.axes[0]], scale(0), linear);
                for (std::size_t j = 0; first != 0.0 && j < r.x[r.axes[1]]; ++j) {
                    const double second =
                        influence(j, at[r.axes[1]], r.x[r.axes[1]], scale(1), linear);
                    from[r.axes[0]] = i;
                    from[r.axes[1]] = j;
                    sum += first * second * self.operands[0].values[flat_of(from, r.x)];
                }
            }
            return sum;
        })};
    };
    return test;
}

} // namespace

std::vector<OpCase> resample2d_cases() {
    const std::vector<ResampleRow> rows{
        {.x = {1, 7, 5, 3}, .axes = {1, 2}, .sizes = {14, 10}}, // twice as large
        {.x = {1, 9, 37, 1}, .axes = {1, 2}, .sizes = {18, 74}},
        {.x = {1, 9, 37, 2}, .axes = {1, 2}, .sizes = {18, 74}},
        {.x = {1, 9, 37, 3}, .axes = {1, 2}, .sizes = {18, 74}},
        {.x = {1, 9, 37, 4}, .axes = {1, 2}, .sizes = {18, 74}},
        {.x = {1, 9, 11, 24}, .axes = {1, 2}, .sizes = {18, 22}},
        {.x = {1, 5, 6, 17}, .axes = {1, 2}, .sizes = {10, 12}},
        {.x = {1, 1, 1, 8}, .axes = {1, 2}, .sizes = {2, 2}},
        {.x = {1, 1, 2, 1}, .axes = {1, 2}, .sizes = {1, 4}},
        {.x = {2, 5, 6, 7}, .axes = {1, 2}, .sizes = {13, 11}}, // up by odd ratios
        {.x = {1, 13, 11, 5}, .axes = {1, 2}, .sizes = {5, 7}}, // down
        {.x = {1, 13, 11, 19}, .axes = {1, 2}, .sizes = {26, 3}},
        {.x = {2, 3, 7, 9}, .axes = {2, 3}, .sizes = {14, 18}}, // NCHW
        {.x = {2, 3, 7, 9}, .axes = {2, 3}, .sizes = {3, 20}},
        {.x = {2, 3, 7, 9}, .axes = {3, 2}, .sizes = {18, 5}},
        {.x = {2, 3, 4, 5}, .axes = {0, 1}, .sizes = {5, 7}},
        {.x = {2, 3, 4, 5}, .axes = {0, 3}, .sizes = {5, 7}},
        {.x = {1, 5, 7, 4}, .axes = {1, 2}, .sizes = {10, 14}, .scales = {2.0F, 2.0F}},
        {.x = {1, 5, 7, 4}, .axes = {1, 2}, .sizes = {7, 4}, .scales = {1.5F, 0.625F}},
        {.x = {1, 5, 6, 3}, .axes = {1, 2}, .sizes = {10, 12}, .type = DataType::Float16},
        {.x = {1, 67, 71, 3}, .axes = {1, 2}, .sizes = {134, 142}},
    };
    std::vector<OpCase> cases;
    for (const ResampleRow& row : rows) {
        cases.push_back(make_case(row, ops::Interpolation::Linear));
        cases.push_back(make_case(row, ops::Interpolation::Nearest));
    }
    return cases;
}

} // namespace sluice::testing
