// SPDX-License-Identifier: Apache-2.0
// cast between float32, float16 and the integers of 8 and 32 bits.
#include "core/ops/cast.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <variant>

#include "core/cpu/highway.h"
#include "core/cpu/lowerings.h"
#include "core/runtime/function_kernel.h"
#include "core/runtime/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/cast.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void widen_halves(const hwy::float16_t* x, float* y, std::size_t count) {
    const hn::ScalableTag<float> f;
    const hn::Rebind<hwy::float16_t, decltype(f)> h;
    const std::size_t lanes = hn::Lanes(f);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(hn::PromoteTo(f, hn::LoadU(h, x + i)), f, y + i);
    }
    if (i < count) {
        hn::StoreN(hn::PromoteTo(f, hn::LoadN(h, x + i, count - i)), f, y + i, count - i);
    }
}

void narrow_floats(const float* x, hwy::float16_t* y, std::size_t count) {
    const hn::ScalableTag<float> f;
    const hn::Rebind<hwy::float16_t, decltype(f)> h;
    const std::size_t lanes = hn::Lanes(f);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(hn::DemoteTo(h, hn::LoadU(f, x + i)), h, y + i);
    }
    if (i < count) {
        hn::StoreN(hn::DemoteTo(h, hn::LoadN(f, x + i, count - i)), h, y + i, count - i);
    }
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(widen_halves);
HWY_EXPORT(narrow_floats);

namespace {

// Floats to integers truncate and saturate, NaN becomes 0; integers to integers wrap.
template <typename To, typename From>
To converted(From value) {
    if constexpr (std::is_floating_point_v<From> && !std::is_floating_point_v<To>) {
        using Limits = std::numeric_limits<To>;
        // max() of 32 bits rounds up to what is out of range as well.
        if (value >= static_cast<From>(Limits::max())) {
            return Limits::max();
        }
        if (value <= static_cast<From>(Limits::min())) {
            return Limits::min();
        }
        return std::isnan(value) ? To{0} : static_cast<To>(value);
    } else {
        return static_cast<To>(value);
    }
}

template <typename From, typename To>
Result<std::unique_ptr<runtime::Kernel>> cast_kernel(std::size_t count) {
    return runtime::make_kernel([count](const runtime::KernelIo& io) {
        io.threads.parallel_for(count, kGrainElements, [&](std::size_t begin, std::size_t end) {
            const From* const x = io.input<From>(0);
            To* const y = io.output<To>(0);
            for (std::size_t i = begin; i < end; ++i) {
                y[i] = converted<To>(x[i]);
            }
        });
    });
}

Result<std::unique_ptr<runtime::Kernel>> widen_kernel(std::size_t count) {
    return runtime::make_kernel([count](const runtime::KernelIo& io) {
        io.threads.parallel_for(count, kGrainElements, [&](std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(widen_halves)
            (io.input<hwy::float16_t>(0) + begin, io.output<float>(0) + begin, end - begin);
        });
    });
}

Result<std::unique_ptr<runtime::Kernel>> narrow_kernel(std::size_t count) {
    return runtime::make_kernel([count](const runtime::KernelIo& io) {
        io.threads.parallel_for(count, kGrainElements, [&](std::size_t begin, std::size_t end) {
            HWY_DYNAMIC_DISPATCH(narrow_floats)
            (io.input<float>(0) + begin, io.output<hwy::float16_t>(0) + begin, end - begin);
        });
    });
}

// Calls body with the C++ type, where it is one that has kernels.
template <typename Body>
Result<std::unique_ptr<runtime::Kernel>> with_type(graph::DataType type, const Body& body) {
    switch (type) {
    case graph::DataType::Float32: return body(std::type_identity<float>());
    case graph::DataType::Int32: return body(std::type_identity<std::int32_t>());
    case graph::DataType::Uint32: return body(std::type_identity<std::uint32_t>());
    case graph::DataType::Int8: return body(std::type_identity<std::int8_t>());
    case graph::DataType::Uint8: return body(std::type_identity<std::uint8_t>());
    case graph::DataType::Float16:
    case graph::DataType::Int64:
    case graph::DataType::Uint64: break;
    }
    return fail(ErrorCode::Unsupported, "a cast of {} has no kernel", graph::name(type));
}

bool has_cast(graph::DataType type) {
    return type != graph::DataType::Float16 && graph::size_of(type) <= 4;
}

} // namespace

Status supports_cast(const graph::Graph& graph, const graph::Node& node) {
    const graph::DataType from = graph.desc(node.inputs[0]).type();
    const graph::DataType to = graph.desc(node.outputs[0]).type();
    const bool widens = from == graph::DataType::Float16 && to == graph::DataType::Float32;
    const bool narrows = from == graph::DataType::Float32 && to == graph::DataType::Float16;
    if (!widens && !narrows && (!has_cast(from) || !has_cast(to))) {
        return fail(ErrorCode::Unsupported, "{} to {} has no kernel", graph::name(from),
                    graph::name(to));
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_cast(const graph::Graph& graph,
                                                    const graph::Node& node) {
    const graph::DataType from = graph.desc(node.inputs[0]).type();
    const std::size_t count = graph.desc(node.inputs[0]).element_count();
    if (from == graph::DataType::Float16) {
        return widen_kernel(count);
    }
    if (graph.desc(node.outputs[0]).type() == graph::DataType::Float16) {
        return narrow_kernel(count);
    }
    return with_type(from, [&]<typename From>(std::type_identity<From>) {
        return with_type(
            graph.desc(node.outputs[0]).type(),
            [&]<typename To>(std::type_identity<To>) { return cast_kernel<From, To>(count); });
    });
}

} // namespace sluice::cpu
#endif
