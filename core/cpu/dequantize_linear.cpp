// SPDX-License-Identifier: Apache-2.0
// dequantizeLinear of 8 bits to float32, with one scale for all or one a channel.
#include "core/ops/dequantize_linear.h"

#include "core/cpu/highway.h"
#include "core/cpu/lowerings.h"
#include "core/cpu/quantization_blocks.h"
#include "core/ops/quantization.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/dequantize_linear.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T, class D>
HWY_INLINE hn::Vec<D> load_stored(D d, const T* from, std::size_t n) {
    return hn::PromoteTo(d, hn::LoadN(hn::Rebind<T, D>(), from, n));
}

// With kPerElement, element i has scale[i] and zero[i]; else all have the first.
template <typename T, bool kPerElement>
HWY_INLINE void dequantize(const T* x, const float* scale, const T* zero, float* y,
                           std::size_t count) {
    const hn::ScalableTag<float> f;
    const hn::RebindToSigned<decltype(f)> d;
    const std::size_t lanes = hn::Lanes(f);
    const auto some = [&](std::size_t n, std::size_t i) HWY_ATTR {
        const auto scales = kPerElement ? hn::LoadN(f, scale + i, n) : hn::Set(f, *scale);
        const auto zeros = kPerElement ? load_stored(d, zero + i, n)
                                       : hn::Set(d, static_cast<std::int32_t>(*zero));
        const auto centred = hn::Sub(load_stored(d, x + i, n), zeros);
        hn::StoreN(hn::Mul(hn::ConvertTo(f, centred), scales), f, y + i, n);
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
HWY_INLINE void dequantize_rows(const QuantizationBlocks& s, const runtime::KernelIo& io,
                                std::size_t begin, std::size_t end) {
    const T* const x = io.input<T>(0);
    const float* const scale = io.input<float>(1);
    const T* const zero = io.input<T>(2);
    float* const y = io.output<float>(0);
    for (std::size_t row = begin; row < end; ++row) {
        if (s.inner == 1 && s.channels > 1) {
            dequantize<T, true>(x + row * s.channels, scale, zero, y + row * s.channels,
                                s.channels);
        } else {
            const std::size_t channel = row % s.channels;
            dequantize<T, false>(x + row * s.inner, scale + channel, zero + channel,
                                 y + row * s.inner, s.inner);
        }
    }
}

} // namespace

// Rows [begin, end): of all channels where inner is 1, else of one channel's elements.
void dequantize_range(const QuantizationBlocks& s, graph::DataType type,
                      const runtime::KernelIo& io, std::size_t begin, std::size_t end) {
    if (type == graph::DataType::Int8) {
        dequantize_rows<std::int8_t>(s, io, begin, end);
    } else {
        dequantize_rows<std::uint8_t>(s, io, begin, end);
    }
}

// One scale for all.
void dequantize_flat(graph::DataType type, const runtime::KernelIo& io, std::size_t begin,
                     std::size_t end) {
    const float* const scale = io.input<float>(1);
    float* const y = io.output<float>(0) + begin;
    if (type == graph::DataType::Int8) {
        dequantize<std::int8_t, false>(io.input<std::int8_t>(0) + begin, scale,
                                       io.input<std::int8_t>(2), y, end - begin);
    } else {
        dequantize<std::uint8_t, false>(io.input<std::uint8_t>(0) + begin, scale,
                                        io.input<std::uint8_t>(2), y, end - begin);
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(dequantize_range);
HWY_EXPORT(dequantize_flat);

Status supports_dequantize_linear(const graph::Graph& graph, const graph::Node& node) {
    return supports_blocks(graph, node, node.outputs[0], node.inputs[0]);
}

Result<std::unique_ptr<runtime::Kernel>> lower_dequantize_linear(const graph::Graph& graph,
                                                                 const graph::Node& node) {
    const graph::DataType type = graph.desc(node.inputs[0]).type();
    return make_block_kernel(
        graph, node,
        [=](const runtime::KernelIo& io, std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(dequantize_flat)(type, io, begin, end);
        },
        [=](const QuantizationBlocks& blocks, const runtime::KernelIo& io, std::size_t begin,
            std::size_t end) {
            HWY_DYNAMIC_DISPATCH(dequantize_range)(blocks, type, io, begin, end);
        });
}

} // namespace sluice::cpu
#endif
