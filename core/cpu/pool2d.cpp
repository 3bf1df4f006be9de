// SPDX-License-Identifier: Apache-2.0
// Average and maximum pooling of pictures in NHWC: of float32, the maximum of 8 bits too.
#include "core/ops/pool2d.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <variant>

#include "core/cpu/highway.h"
#include "core/cpu/lowerings.h"
#include "core/cpu/pool_shape.h"
#include "core/cpu/reduction.h"
#include "core/ops/quantization.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/pool2d.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// One output pixel: all channels over the taps that lie in the picture.
template <bool kIsMax>
HWY_INLINE void pool_pixel(const PoolShape& s, const float* picture, const Taps& rows,
                           const Taps& columns, float* y) {
    const hn::ScalableTag<float> d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t taps = rows.count * columns.count;
    const auto start = hn::Set(d, kIsMax ? -std::numeric_limits<float>::infinity() : 0.0F);
    const auto count = hn::Set(d, static_cast<float>(taps));
    for (std::size_t c = 0; c < s.channels; c += lanes) {
        const std::size_t width = std::min(lanes, s.channels - c);
        if (taps == 0) { // a window that lies wholly in the padding
            hn::StoreN(hn::Zero(d), d, y + c, width);
            continue;
        }
        auto total = start;
        for (std::size_t ky = 0; ky < rows.count; ++ky) {
            const std::size_t iy = rows.first + ky * s.dilations[0];
            const float* from = picture + (iy * s.width + columns.first) * s.channels + c;
            for (std::size_t kx = 0; kx < columns.count; ++kx) {
                const auto v = width == lanes ? hn::LoadU(d, from) : hn::LoadN(d, from, width);
                if constexpr (kIsMax) {
                    // A NaN wins and stays, whatever the processor's maximum does.
                    total = hn::IfThenElse(hn::Or(hn::Gt(v, total), hn::IsNaN(v)), v, total);
                } else {
                    total = hn::Add(total, v);
                }
                from += s.dilations[1] * s.channels;
            }
        }
        hn::StoreN(kIsMax ? total : hn::Div(total, count), d, y + c, width);
    }
}

// A NaN wins and stays: of one in `b`, the processor's maximum gives `b` or a NaN.
template <class D>
HWY_INLINE hn::Vec<D> maximum(hn::Vec<D> a, hn::Vec<D> b) {
    return hn::IfThenElse(hn::IsNaN(a), a, hn::Max(a, b));
}

// `count` neighbouring output pixels, each the maximum of 2x2 pixels that all lie in the picture;
// `from` is the first of these.
HWY_INLINE void max_2x2(const PoolShape& s, const float* from, std::size_t count, float* y) {
    const hn::ScalableTag<float> d;
    using D = hn::ScalableTag<float>;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t channels = s.channels;
    const std::size_t row = s.width * channels;
    const std::size_t step = s.strides[1] * channels;
    for (std::size_t i = 0; i < count; ++i, from += step, y += channels) {
        const auto pool = [&](const auto& load, std::size_t c) SLUICE_INLINE_LAMBDA {
            const float* const at = from + c;
            return maximum<D>(maximum<D>(load(at), load(at + channels)),
                              maximum<D>(load(at + row), load(at + row + channels)));
        };
        const auto whole = [&](const float* at) SLUICE_INLINE_LAMBDA { return hn::LoadU(d, at); };
        std::size_t c = 0;
        for (; c + lanes <= channels; c += lanes) {
            hn::StoreU(pool(whole, c), d, y + c);
        }
        if (c == channels) {
            continue;
        }
        if (channels >= lanes) { // once more what the vector before it has
            hn::StoreU(pool(whole, channels - lanes), d, y + channels - lanes);
        } else {
            const auto some = [&](const float* at)
                                  SLUICE_INLINE_LAMBDA { return hn::LoadN(d, at, channels); };
            hn::StoreN(pool(some, 0), d, y, channels);
        }
    }
}

// One output pixel of 8 bits, whose maximum needs no care.
template <typename T>
HWY_INLINE void max_pixel(const PoolShape& s, const T* picture, const Taps& rows,
                          const Taps& columns, T* y) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    const bool is_empty = rows.count * columns.count == 0; // wholly in the padding
    for (std::size_t c = 0; c < s.channels; c += lanes) {
        const std::size_t width = std::min(lanes, s.channels - c);
        auto total = hn::Set(d, is_empty ? T{0} : std::numeric_limits<T>::min());
        for (std::size_t ky = 0; ky < rows.count; ++ky) {
            const std::size_t iy = rows.first + ky * s.dilations[0];
            const T* from = picture + (iy * s.width + columns.first) * s.channels + c;
            for (std::size_t kx = 0; kx < columns.count; ++kx) {
                total =
                    hn::Max(total, width == lanes ? hn::LoadU(d, from) : hn::LoadN(d, from, width));
                from += s.dilations[1] * s.channels;
            }
        }
        hn::StoreN(total, d, y + c, width);
    }
}

template <bool kIsMax, typename T>
void pool_with(const PoolShape& s, const T* x, T* y, std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
        const T* picture = x + row / s.out_height * s.height * s.width * s.channels;
        const Taps rows = s.taps(0, row % s.out_height);
        T* to = y + row * s.out_width * s.channels;
        for (std::size_t ox = 0; ox < s.out_width; ++ox, to += s.channels) {
            if constexpr (kIsMax && sizeof(T) == sizeof(float)) {
                if (const std::size_t inside = s.is_2x2() && rows.count == 2 ? s.inside(ox) : 0;
                    inside > 0) {
                    const std::size_t column = ox * s.strides[1] - s.padding[2];
                    max_2x2(s, picture + (rows.first * s.width + column) * s.channels, inside, to);
                    ox += inside - 1;
                    to += (inside - 1) * s.channels;
                    continue;
                }
            }
            if constexpr (sizeof(T) == 1) {
                max_pixel(s, picture, rows, s.taps(1, ox), to);
            } else {
                pool_pixel<kIsMax>(s, picture, rows, s.taps(1, ox), to);
            }
        }
    }
}

} // namespace

// Rows [begin, end) of the output, counted through all pictures of the batch.
void pool_rows(const PoolShape& s, const float* x, float* y, std::size_t begin, std::size_t end) {
    if (s.is_max) {
        pool_with<true>(s, x, y, begin, end);
    } else {
        pool_with<false>(s, x, y, begin, end);
    }
}

void max_rows(const PoolShape& s, bool is_signed, const runtime::KernelIo& io, std::size_t begin,
              std::size_t end) {
    if (is_signed) {
        pool_with<true>(s, io.input<std::int8_t>(0), io.output<std::int8_t>(0), begin, end);
    } else {
        pool_with<true>(s, io.input<std::uint8_t>(0), io.output<std::uint8_t>(0), begin, end);
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(pool_rows);
HWY_EXPORT(max_rows);

Taps PoolShape::taps(std::size_t axis, std::size_t position) const {
    const std::size_t size = axis == 0 ? height : width;
    const std::size_t before = axis == 0 ? padding[0] : padding[2];
    const std::size_t start = position * strides[axis]; // in the padded picture
    const std::size_t dilation = dilations[axis];
    // Taps before and behind the picture drop out.
    const std::size_t skipped = start >= before ? 0 : (before - start + dilation - 1) / dilation;
    const std::size_t limit = before + size > start ? before + size - start : 0;
    const std::size_t reached =
        std::min<std::size_t>(window[axis], (limit + dilation - 1) / dilation);
    if (reached <= skipped) {
        return {.first = 0, .count = 0};
    }
    return {.first = start + skipped * dilation - before, .count = reached - skipped};
}

bool PoolShape::is_2x2() const {
    return window == std::array<std::uint32_t, 2>{2, 2} &&
           dilations == std::array<std::uint32_t, 2>{1, 1};
}

std::size_t PoolShape::inside(std::size_t column) const {
    const std::size_t limit = width + padding[2]; // in the padded picture, as the windows' starts
    const std::size_t start = column * strides[1];
    if (start < padding[2] || start + window[1] > limit) {
        return 0;
    }
    return std::min((limit - window[1] - start) / strides[1] + 1, out_width - column);
}

Status supports_pool2d(const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::Pool2d>(node.attributes);
    if (op.kind != ops::PoolKind::Max || !ops::is_byte(graph.desc(node.inputs[0]).type())) {
        SLUICE_TRY(require_float32(graph, node));
    }
    if (op.layout != ops::InputLayout::Nhwc) {
        return fail(ErrorCode::Unsupported, "the layout is nchw, not nhwc");
    }
    if (op.kind == ops::PoolKind::L2) {
        return fail(ErrorCode::Unsupported, "{} has no kernel", ops::name(op.kind));
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_pool2d(const graph::Graph& graph,
                                                      const graph::Node& node) {
    const auto& op = std::get<ops::Pool2d>(node.attributes);
    const graph::Shape& x = graph.desc(node.inputs[0]).shape();
    const graph::Shape& y = graph.desc(node.outputs[0]).shape();
    PoolShape s{.is_max = op.kind == ops::PoolKind::Max,
                .height = x[1],
                .width = x[2],
                .channels = x[3],
                .out_height = y[1],
                .out_width = y[2],
                .window = op.window,
                .padding = op.padding,
                .strides = op.strides,
                .dilations = op.dilations};
    if (op.window == std::array<std::uint32_t, 2>{0, 0}) {
        s.window = {x[1], x[2]};
    }
    const std::size_t row_work = s.out_width * s.channels * std::size_t{s.window[0]} * s.window[1];
    const std::size_t grain = std::max<std::size_t>(1, kGrainElements / row_work);
    const std::size_t rows = y[0] * s.out_height;
    if (const graph::DataType type = graph.desc(node.inputs[0]).type(); ops::is_byte(type)) {
        return runtime::make_kernel([=](const runtime::KernelIo& io) {
            io.threads.parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
                HWY_DYNAMIC_DISPATCH(max_rows)(s, type == graph::DataType::Int8, io, begin, end);
            });
        });
    }
    const bool plain = op.padding == std::array<std::uint32_t, 4>{} &&
                       op.dilations == std::array<std::uint32_t, 2>{1, 1};
    if (plain && y[1] == 1 && y[2] == 1 && s.window[0] == x[1] && s.window[1] == x[2]) {
        return make_reduction(s.is_max ? ops::ReduceKind::Max : ops::ReduceKind::Mean,
                              {.outer = x[0], .reduced = s.height * s.width, .inner = s.channels});
    }
    return runtime::make_kernel([=](const runtime::KernelIo& io) {
        io.threads.parallel_for(rows, grain, [&](std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(pool_rows)
            (s, io.input<float>(0), io.output<float>(0), begin, end);
        });
    });
}

} // namespace sluice::cpu
#endif
