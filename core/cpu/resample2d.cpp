// SPDX-License-Identifier: Apache-2.0
// Nearest and linear resampling of float32 over two neighbouring axes.
#include "core/ops/resample2d.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <variant>

#include "core/cpu/highway.h"
#include "core/cpu/lowerings.h"
#include "core/cpu/resample_shape.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/resample2d.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using ResampleTag = hn::ScalableTag<float>;
using ResampleVec = hn::Vec<ResampleTag>;

HWY_INLINE ResampleVec lerp(ResampleVec a, ResampleVec b, ResampleVec weight) {
    return hn::MulAdd(weight, hn::Sub(b, a), a);
}

// One output row whose pixels have a vector of elements or more.
HWY_INLINE void blend_wide_pixels(const ResampleShape& s, const float* low, const float* high,
                                  float weight, float* y) {
    const ResampleTag d;
    const std::size_t lanes = hn::Lanes(d);
    const ResampleVec vertical = hn::Set(d, weight);
    for (const Tap& column : s.columns) {
        const std::size_t left = column.low * s.inner;
        const std::size_t right = column.high * s.inner;
        const ResampleVec horizontal = hn::Set(d, column.weight);
        for (std::size_t c = 0; c < s.inner; c += lanes) {
            // The last vector steps back over elements that are done already.
            const std::size_t at = std::min(c, s.inner - lanes);
            const ResampleVec a =
                lerp(hn::LoadU(d, low + left + at), hn::LoadU(d, high + left + at), vertical);
            const ResampleVec b =
                lerp(hn::LoadU(d, low + right + at), hn::LoadU(d, high + right + at), vertical);
            hn::StoreU(lerp(a, b, horizontal), d, y + at);
        }
        y += s.inner;
    }
}

// Output pixels of which the input pixel at `at` gives the left and the right half, for elements
// [at, at + lanes): 1/4 of the pixel before or behind, 3/4 of its own.
HWY_INLINE void double_elements(const float* low, const float* high, ResampleVec weight,
                                std::size_t at, std::size_t inner, ResampleVec& left,
                                ResampleVec& right) {
    const ResampleTag d;
    const auto blended = [&](std::size_t i) HWY_ATTR {
        return lerp(hn::LoadU(d, low + i), hn::LoadU(d, high + i), weight);
    };
    const ResampleVec quarter = hn::Set(d, 0.25F);
    const ResampleVec own = blended(at);
    left = lerp(own, blended(at - inner), quarter);
    right = lerp(own, blended(at + inner), quarter);
}

// One output pixel of few elements.
HWY_INLINE void blend_pixel(const ResampleShape& s, const float* low, const float* high,
                            float weight, std::size_t x, float* y) {
    const Tap& column = s.columns[x];
    const std::size_t left = column.low * s.inner;
    const std::size_t right = column.high * s.inner;
    for (std::size_t c = 0; c < s.inner; ++c) {
        const float a = low[left + c] + weight * (high[left + c] - low[left + c]);
        const float b = low[right + c] + weight * (high[right + c] - low[right + c]);
        y[x * s.inner + c] = a + column.weight * (b - a);
    }
}

// One output row of exactly twice the width whose pixels have kInner elements.
template <std::size_t kInner>
HWY_INLINE void blend_doubled(const ResampleShape& s, const float* low, const float* high,
                              float weight, float* y) {
    const ResampleTag d;
    const std::size_t lanes = hn::Lanes(d);
    const ResampleVec vertical = hn::Set(d, weight);
    blend_pixel(s, low, high, weight, 0, y);
    blend_pixel(s, low, high, weight, 1, y);
    std::size_t x = 1; // input pixel; the first and the last have one neighbour only
    // kInner vectors hold as many whole pixels as a vector has lanes.
    HWY_ALIGN float left[kInner * hn::MaxLanes(ResampleTag())];
    HWY_ALIGN float right[kInner * hn::MaxLanes(ResampleTag())];
    for (; x + lanes + 1 <= s.width; x += lanes) {
        float* const to = y + 2 * x * kInner;
        for (std::size_t v = 0; v < kInner; ++v) {
            ResampleVec l = vertical;
            ResampleVec r = vertical;
            double_elements(low, high, vertical, x * kInner + v * lanes, kInner, l, r);
            if constexpr (kInner == 1) {
                hn::StoreInterleaved2(l, r, d, to);
            } else {
                hn::Store(l, d, left + v * lanes);
                hn::Store(r, d, right + v * lanes);
            }
        }
        for (std::size_t p = 0; kInner > 1 && p < lanes; ++p) {
            std::memcpy(to + 2 * p * kInner, left + p * kInner, kInner * sizeof(float));
            std::memcpy(to + (2 * p + 1) * kInner, right + p * kInner, kInner * sizeof(float));
        }
    }
    for (std::size_t out = 2 * x; out < s.columns.size(); ++out) {
        blend_pixel(s, low, high, weight, out, y);
    }
}

// One output row whose pixels have few elements.
HWY_INLINE void blend_narrow_pixels(const ResampleShape& s, const float* low, const float* high,
                                    float weight, float* y) {
    if (s.doubles_width) {
        switch (s.inner) {
        case 1: return blend_doubled<1>(s, low, high, weight, y);
        case 2: return blend_doubled<2>(s, low, high, weight, y);
        case 3: return blend_doubled<3>(s, low, high, weight, y);
        case 4: return blend_doubled<4>(s, low, high, weight, y);
        default: break;
        }
    }
    for (std::size_t x = 0; x < s.columns.size(); ++x) {
        blend_pixel(s, low, high, weight, x, y);
    }
}

} // namespace

// Rows [begin, end) of a linearly resampled result, counted through all outer positions.
void linear_rows(const ResampleShape& s, const float* x, float* y, std::size_t begin,
                 std::size_t end) {
    const std::size_t in_row = s.width * s.inner;
    const std::size_t out_row = s.columns.size() * s.inner;
    for (std::size_t row = begin; row < end; ++row) {
        const float* picture = x + row / s.rows.size() * s.height * in_row;
        const Tap& tap = s.rows[row % s.rows.size()];
        const float* low = picture + tap.low * in_row;
        const float* high = picture + tap.high * in_row;
        if (s.inner >= hn::Lanes(ResampleTag())) {
            blend_wide_pixels(s, low, high, tap.weight, y + row * out_row);
        } else {
            blend_narrow_pixels(s, low, high, tap.weight, y + row * out_row);
        }
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {
namespace {

// Rows [begin, end) of a nearest-neighbour result.
void nearest_rows(const ResampleShape& s, const float* x, float* y, std::size_t begin,
                  std::size_t end) {
    const std::size_t in_row = s.width * s.inner;
    const std::size_t out_row = s.columns.size() * s.inner;
    for (std::size_t row = begin; row < end; ++row) {
        const float* from =
            x + (row / s.rows.size() * s.height + s.rows[row % s.rows.size()].low) * in_row;
        float* to = y + row * out_row;
        for (const Tap& column : s.columns) {
            std::memcpy(to, from + column.low * s.inner, s.inner * sizeof(float));
            to += s.inner;
        }
    }
}

// In double, and rounded once: a weight is then the same whatever the size.
std::vector<Tap> taps_of(std::size_t in, std::size_t out, double scale, ops::Interpolation mode) {
    std::vector<Tap> taps;
    const auto last = static_cast<double>(in - 1);
    for (std::size_t i = 0; i < out; ++i) {
        const double centre = (static_cast<double>(i) + 0.5) / scale - 0.5;
        if (mode == ops::Interpolation::Nearest) {
            const auto at =
                static_cast<std::uint32_t>(std::clamp(std::ceil(centre - 0.5), 0.0, last));
            taps.push_back({.low = at, .high = at, .weight = 0.0F});
            continue;
        }
        const double inside = std::clamp(centre, 0.0, last);
        const double low = std::floor(inside);
        taps.push_back({.low = static_cast<std::uint32_t>(low),
                        .high = static_cast<std::uint32_t>(std::min(low + 1.0, last)),
                        .weight = static_cast<float>(inside - low)});
    }
    return taps;
}

} // namespace

HWY_EXPORT(linear_rows);

Status supports_resample2d(const graph::Graph& graph, const graph::Node& node) {
    SLUICE_TRY(require_float32(graph, node));
    const auto& op = std::get<ops::Resample2d>(node.attributes);
    const auto [low, high] = std::minmax(op.axes[0], op.axes[1]);
    if (high != low + 1) {
        return fail(ErrorCode::Unsupported, "axes {} and {} are not neighbours", op.axes[0],
                    op.axes[1]);
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_resample2d(const graph::Graph& graph,
                                                          const graph::Node& node) {
    const auto& op = std::get<ops::Resample2d>(node.attributes);
    const graph::Shape& x = graph.desc(node.inputs[0]).shape();
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    const auto scale = [&](std::size_t axis) {
        return op.sizes[0] == 0 ? static_cast<double>(op.scales[op.axes[0] == axis ? 0 : 1])
                                : static_cast<double>(y[axis]) / static_cast<double>(x[axis]);
    };
    const auto taps = [&](std::size_t axis) {
        return taps_of(x[axis], y[axis], scale(axis), op.mode);
    };
    const std::size_t axis = std::min(op.axes[0], op.axes[1]);
    ResampleShape s{.outer = 1,
                    .height = x[axis],
                    .width = x[axis + 1],
                    .inner = 1,
                    .rows = taps(axis),
                    .columns = taps(axis + 1),
                    .is_nearest = op.mode == ops::Interpolation::Nearest,
                    .doubles_width = scale(axis + 1) == 2.0};
    for (std::size_t i = 0; i < x.rank(); ++i) {
        s.outer *= i < axis ? x[i] : 1;
        s.inner *= i > axis + 1 ? x[i] : 1;
    }
    const std::size_t rows = s.outer * s.rows.size();
    const std::size_t grain =
        std::max<std::size_t>(1, kGrainElements / (s.columns.size() * s.inner));
    return runtime::make_kernel([s = std::move(s), rows, grain](const runtime::KernelIo& io) {
        io.threads.parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
            if (s.is_nearest) {
                nearest_rows(s, io.input<float>(0), io.output<float>(0), begin, end);
            } else {
                HWY_DYNAMIC_DISPATCH(linear_rows)
                (s, io.input<float>(0), io.output<float>(0), begin, end);
            }
        });
    });
}

} // namespace sluice::cpu
#endif
