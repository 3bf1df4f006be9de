// SPDX-License-Identifier: Apache-2.0
// quantizeLinear of float32 to 8 bits, with one scale for all or one a channel.
#include "core/ops/quantize_linear.h"

#include <limits>

#include "core/cpu/highway.h"
#include "core/cpu/lowerings.h"
#include "core/cpu/quantization_blocks.h"
#include "core/ops/quantization.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/quantize_linear.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// With kPerElement, element i has scale[i] and zero[i]; else all have the first.
template <typename T, bool kPerElement>
HWY_INLINE void quantize(const float* x, const float* scale, const T* zero, T* y,
                         std::size_t count) {
    const hn::ScalableTag<float> f;
    const hn::RebindToSigned<decltype(f)> d;
    const hn::Rebind<T, decltype(f)> bytes;
    const std::size_t lanes = hn::Lanes(f);
    const auto low = hn::Set(f, static_cast<float>(std::numeric_limits<T>::min()));
    const auto high = hn::Set(f, static_cast<float>(std::numeric_limits<T>::max()));
    const auto some = [&](std::size_t n, std::size_t i) HWY_ATTR {
        const auto scales = kPerElement ? hn::LoadN(f, scale + i, n) : hn::Set(f, *scale);
        const auto zeros = kPerElement
                               ? hn::ConvertTo(f, hn::PromoteTo(d, hn::LoadN(bytes, zero + i, n)))
                               : hn::Set(f, static_cast<float>(*zero));
        const auto v = hn::LoadN(f, x + i, n);
        // The order of x86's min and max makes NaN a bound; it must become 0.
        const auto steps = hn::Add(hn::Round(hn::Div(v, scales)), zeros);
        const auto held = hn::Min(high, hn::Max(low, steps));
        const auto whole = hn::NearestInt(hn::IfThenZeroElse(hn::IsNaN(steps), held));
        hn::StoreN(hn::DemoteTo(bytes, whole), bytes, y + i, n);
    };
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        some(lanes, i);
    }
    if (i < count) {
        some(count - i, i);
    }
}

template <typename T>
HWY_INLINE void quantize_rows(const QuantizationBlocks& s, const float* x, const float* scale,
                              const T* zero, T* y, std::size_t begin, std::size_t end) {
    if (s.inner == 1 && s.channels > 1) {
        for (std::size_t row = begin; row < end; ++row) {
            quantize<T, true>(x + row * s.channels, scale, zero, y + row * s.channels, s.channels);
        }
        return;
    }
    for (std::size_t row = begin; row < end; ++row) {
        const std::size_t channel = row % s.channels;
        quantize<T, false>(x + row * s.inner, scale + channel, zero + channel, y + row * s.inner,
                           s.inner);
    }
}

} // namespace

// Rows [begin, end): of all channels where inner is 1, else of one channel's elements.
void quantize_range(const QuantizationBlocks& s, bool is_signed, const runtime::KernelIo& io,
                    std::size_t begin, std::size_t end) {
    const float* const x = io.input<float>(0);
    const float* const scale = io.input<float>(1);
    if (is_signed) {
        quantize_rows(s, x, scale, io.input<std::int8_t>(2), io.output<std::int8_t>(0), begin, end);
    } else {
        quantize_rows(s, x, scale, io.input<std::uint8_t>(2), io.output<std::uint8_t>(0), begin,
                      end);
    }
}

// One scale for all.
void quantize_flat(bool is_signed, const runtime::KernelIo& io, std::size_t begin,
                   std::size_t end) {
    const float* const x = io.input<float>(0) + begin;
    const float* const scale = io.input<float>(1);
    if (is_signed) {
        quantize<std::int8_t, false>(x, scale, io.input<std::int8_t>(2),
                                     io.output<std::int8_t>(0) + begin, end - begin);
    } else {
        quantize<std::uint8_t, false>(x, scale, io.input<std::uint8_t>(2),
                                      io.output<std::uint8_t>(0) + begin, end - begin);
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(quantize_range);
HWY_EXPORT(quantize_flat);

Result<QuantizationBlocks> quantization_blocks(const graph::Shape& x, const graph::Shape& scale) {
    QuantizationBlocks blocks;
    bool found = false;
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        if (scale[axis] == 1) {
            (found ? blocks.inner : blocks.outer) *= x[axis];
        } else if (scale[axis] == x[axis] && !found) {
            found = true;
            blocks.channels = x[axis];
        } else {
            return fail(ErrorCode::Unsupported, "scales {} for {}", graph::to_string(scale),
                        graph::to_string(x));
        }
    }
    return blocks;
}

Status supports_blocks(const graph::Graph& graph, const graph::Node& node, graph::OperandId floats,
                       graph::OperandId bytes) {
    if (graph.desc(floats).type() != graph::DataType::Float32 ||
        !ops::is_byte(graph.desc(bytes).type())) {
        return fail(ErrorCode::Unsupported, "{} to {} has no kernel",
                    graph::name(graph.desc(node.inputs[0]).type()),
                    graph::name(graph.desc(node.outputs[0]).type()));
    }
    SLUICE_TRY(quantization_blocks(graph.desc(node.inputs[0]).shape(),
                                   graph.desc(node.inputs[1]).shape()));
    return {};
}

Status supports_quantize_linear(const graph::Graph& graph, const graph::Node& node) {
    return supports_blocks(graph, node, node.inputs[0], node.outputs[0]);
}

Result<std::unique_ptr<runtime::Kernel>> lower_quantize_linear(const graph::Graph& graph,
                                                               const graph::Node& node) {
    const bool is_signed = graph.desc(node.outputs[0]).type() == graph::DataType::Int8;
    return make_block_kernel(
        graph, node,
        [=](const runtime::KernelIo& io, std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(quantize_flat)(is_signed, io, begin, end);
        },
        [=](const QuantizationBlocks& blocks, const runtime::KernelIo& io, std::size_t begin,
            std::size_t end) {
            HWY_DYNAMIC_DISPATCH(quantize_range)(blocks, is_signed, io, begin, end);
        });
}

} // namespace sluice::cpu
#endif
