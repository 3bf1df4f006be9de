// SPDX-License-Identifier: Apache-2.0
// pool2d: every kind, padding on either side, dilations, and whole pictures.
#include <algorithm>
#include <cmath>
#include <format>
#include <limits>

#include "tests/core/ops_cases/case.h"

namespace sluice::testing {
namespace {

using graph::DataType;
using graph::Shape;

struct PoolRow {
    std::uint32_t height, width, channels;
    std::array<std::uint32_t, 2> window{0, 0};
    std::array<std::uint32_t, 2> strides{1, 1};
    std::array<std::uint32_t, 4> padding{0, 0, 0, 0};
    std::array<std::uint32_t, 2> dilations{1, 1};
    std::uint32_t batch = 1;
    bool ceil = false;
};

std::uint32_t out_size(const PoolRow& r, std::size_t axis, std::uint32_t size,
                       std::uint32_t window) {
    const double free = static_cast<double>(size + r.padding[2 * axis] + r.padding[2 * axis + 1]) -
                        static_cast<double>((window - 1) * r.dilations[axis] + 1);
    const double steps = free / r.strides[axis];
    return static_cast<std::uint32_t>(r.ceil ? std::ceil(steps) : std::floor(steps)) + 1;
}

// The elements that a window covers, in any order.
std::vector<double> covered(const PoolRow& r, const OpCase& test, bool nchw,
                            const std::vector<std::size_t>& at) {
    const CaseOperand& x = test.operands[0];
    const std::size_t oy = nchw ? at[2] : at[1];
    const std::size_t ox = nchw ? at[3] : at[2];
    const std::size_t c = nchw ? at[1] : at[3];
    const std::uint32_t window_height = r.window[0] == 0 ? r.height : r.window[0];
    const std::uint32_t window_width = r.window[1] == 0 ? r.width : r.window[1];
    std::vector<double> out;
    for (std::size_t y = 0; y < r.height; ++y) {
        for (std::size_t z = 0; z < r.width; ++z) {
            // Is (y, z) a tap? Its distance from the window's corner, in the padded picture.
            const long dy =
                static_cast<long>(y + r.padding[0]) - static_cast<long>(oy * r.strides[0]);
            const long dx =
                static_cast<long>(z + r.padding[2]) - static_cast<long>(ox * r.strides[1]);
            if (dy < 0 || dx < 0 || dy % r.dilations[0] != 0 || dx % r.dilations[1] != 0 ||
                dy / r.dilations[0] >= window_height || dx / r.dilations[1] >= window_width) {
                continue;
            }
            out.push_back(x.values[nchw ? flat_of({at[0], c, y, z}, x.shape)
                                        : flat_of({at[0], y, z, c}, x.shape)]);
        }
    }
    return out;
}

OpCase make_case(const PoolRow& r, ops::PoolKind kind, ops::InputLayout layout, DataType type) {
    const bool nchw = layout == ops::InputLayout::Nchw;
    OpCase test;
    test.name = std::format("{}/{}x{}x{}x{}_w{}x{}_s{}x{}_p{}{}{}{}_d{}x{}{}{}_{}", ops::name(kind),
                            r.batch, r.height, r.width, r.channels, r.window[0], r.window[1],
                            r.strides[0], r.strides[1], r.padding[0], r.padding[1], r.padding[2],
                            r.padding[3], r.dilations[0], r.dilations[1], r.ceil ? "_ceil" : "",
                            nchw ? "_nchw" : "", graph::name(type));
    ops::Pool2d op;
    op.kind = kind;
    op.window = r.window;
    op.padding = r.padding;
    op.strides = r.strides;
    op.dilations = r.dilations;
    op.layout = layout;
    op.rounding = r.ceil ? ops::OutputRounding::Ceil : ops::OutputRounding::Floor;
    test.attributes = op;
    Random random(test.name);
    const auto shape_of = [&](std::uint32_t h, std::uint32_t w) {
        return nchw ? Shape{r.batch, r.channels, h, w} : Shape{r.batch, h, w, r.channels};
    };
    test.operands = {random_operand(random, type, shape_of(r.height, r.width), -4.0, 4.0)};
    const bool half = type == DataType::Float16;
    test.absolute = kind == ops::PoolKind::Max ? 0.0 : (half ? 4e-3 : 4e-6);
    test.relative = kind == ops::PoolKind::Max ? 0.0 : (half ? 1e-3 : 1e-6);
    const bool is_byte = type == DataType::Int8 || type == DataType::Uint8;
    test.on_cpu = !nchw && ((type == DataType::Float32 && kind != ops::PoolKind::L2) ||
                            (is_byte && kind == ops::PoolKind::Max));
    const Shape y = shape_of(out_size(r, 0, r.height, r.window[0] == 0 ? r.height : r.window[0]),
                             out_size(r, 1, r.width, r.window[1] == 0 ? r.width : r.window[1]));
    test.expected = [=](const OpCase& self) {
        return std::vector{for_each_position(y, [&](const auto& at) {
            const std::vector<double> values = covered(r, self, nchw, at);
            double sum = 0.0;
            double squares = 0.0;
            for (const double value : values) {
                sum += value;
                squares += value * value;
            }
            switch (kind) {
            case ops::PoolKind::Average: return sum / static_cast<double>(values.size());
            case ops::PoolKind::L2: return std::sqrt(squares);
            case ops::PoolKind::Max: return std::ranges::max(values);
            }
            return 0.0;
        })};
    };
    return test;
}

// A NaN in any place of a window is its maximum, beside numbers and infinities.
OpCase max_of_nan(std::uint32_t channels) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    const PoolRow row{
        .height = 2, .width = 10, .channels = channels, .window = {2, 2}, .strides = {2, 2}};
    OpCase test = make_case(row, ops::PoolKind::Max, ops::InputLayout::Nhwc, DataType::Float32);
    test.name += "_nan";
    CaseOperand& x = test.operands[0];
    for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t window = 0; window < 4; ++window) { // the fifth has none
            const Shape& shape = x.shape;
            x.values[flat_of({0, window / 2, 2 * window + window % 2, c}, shape)] = kNan;
            x.values[flat_of({0, 1 - window / 2, 2 * window, c}, shape)] =
                std::numeric_limits<double>::infinity();
        }
    }
    test.expected = [=, judged = test.expected](const OpCase& self) {
        std::vector<Expected> expected = judged(self);
        std::fill_n(expected[0].values.begin(), std::size_t{4} * channels, kNan);
        return expected;
    };
    return test;
}

} // namespace

std::vector<OpCase> pool2d_cases() {
    const std::vector<PoolRow> rows{
        {.height = 9, .width = 7, .channels = 24}, // global
        {.height = 61, .width = 67, .channels = 16},
        {.height = 1, .width = 1, .channels = 3},
        {.height = 8, .width = 6, .channels = 28, .window = {2, 2}, .strides = {2, 2}},
        {.height = 9,
         .width = 11,
         .channels = 13,
         .window = {3, 3},
         .strides = {2, 2},
         .padding = {1, 1, 1, 1}},
        {.height = 9,
         .width = 11,
         .channels = 5,
         .window = {3, 2},
         .strides = {2, 3},
         .padding = {0, 1, 1, 0}},
        {.height = 7, .width = 7, .channels = 1, .window = {5, 5}, .padding = {2, 2, 2, 2}},
        {.height = 11,
         .width = 13,
         .channels = 9,
         .window = {3, 3},
         .strides = {1, 2},
         .padding = {1, 2, 2, 1},
         .dilations = {2, 3}},
        {.height = 10, .width = 8, .channels = 6, .window = {3, 3}, .strides = {2, 2}, .batch = 2},
        {.height = 10,
         .width = 8,
         .channels = 6,
         .window = {3, 3},
         .strides = {2, 2},
         .ceil = true},
        {.height = 5, .width = 6, .channels = 42, .window = {1, 1}, .strides = {2, 2}},
        {.height = 6, .width = 5, .channels = 7, .window = {6, 5}, .batch = 3},
        {.height = 67, .width = 71, .channels = 16, .window = {2, 2}, .strides = {2, 2}},
        {.height = 7, .width = 9, .channels = 37, .window = {2, 2}, .padding = {1, 1, 1, 1}},
        {.height = 5,
         .width = 8,
         .channels = 8,
         .window = {2, 2},
         .strides = {2, 3},
         .padding = {1, 0, 1, 1},
         .batch = 2},
    };
    std::vector<OpCase> cases;
    using enum ops::PoolKind;
    for (const PoolRow& row : rows) {
        for (const ops::PoolKind kind : {Average, Max, L2}) {
            cases.push_back(make_case(row, kind, ops::InputLayout::Nhwc, DataType::Float32));
        }
    }
    for (const ops::PoolKind kind : {Average, Max, L2}) {
        cases.push_back(make_case(rows[4], kind, ops::InputLayout::Nchw, DataType::Float32));
        cases.push_back(make_case(rows[5], kind, ops::InputLayout::Nchw, DataType::Float16));
        cases.push_back(make_case(rows[0], kind, ops::InputLayout::Nchw, DataType::Float32));
    }
    for (const PoolRow& row : rows) {
        cases.push_back(make_case(row, Max, ops::InputLayout::Nhwc, DataType::Int8));
    }
    cases.push_back(make_case(rows[4], Max, ops::InputLayout::Nhwc, DataType::Int64));
    cases.push_back(max_of_nan(5));
    cases.push_back(max_of_nan(24));
    return cases;
}

} // namespace sluice::testing
