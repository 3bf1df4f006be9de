// SPDX-License-Identifier: Apache-2.0
// Row kernels: sample groups to float strips and back.
#include "zero_copy/row_kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "zero_copy/row_kernels.cpp"
#include <hwy/foreach_target.h> // IWYU pragma: keep
#include <hwy/highway.h>

#include "zero_copy/sample_group.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::zero_copy::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using Vec = hn::Vec<Floats>;

constexpr int kPadBits = 6; // of a 10-bit sample in 16 bits, below it

// A format's sample: how it widens and narrows.
struct Byte {
    using Type = std::uint8_t;
    using Tag = hn::Rebind<std::uint8_t, Floats>;
    static constexpr float kTop = 255.0F;
    template <class V>
    static HWY_INLINE Vec widen(V v) {
        return hn::ConvertTo(Floats(), hn::PromoteTo(Ints(), v));
    }
    static HWY_INLINE hn::Vec<Tag> narrow(hn::Vec<Ints> v) { return hn::DemoteTo(Tag(), v); }
    static float widen(Type v) { return static_cast<float>(v); }
    static Type narrow(int v) { return static_cast<Type>(v); }
};
struct TenBits {
    using Type = std::uint16_t;
    using Tag = hn::Rebind<std::uint16_t, Floats>;
    static constexpr float kTop = 1023.0F;
    template <class V>
    static HWY_INLINE Vec widen(V v) {
        return hn::ConvertTo(Floats(), hn::PromoteTo(Ints(), hn::ShiftRight<kPadBits>(v)));
    }
    static HWY_INLINE hn::Vec<Tag> narrow(hn::Vec<Ints> v) {
        return hn::ShiftLeft<kPadBits>(hn::DemoteTo(Tag(), v));
    }
    static float widen(Type v) { return static_cast<float>(v >> kPadBits); }
    static Type narrow(int v) { return static_cast<Type>(v << kPadBits); }
};

template <class Sample, unsigned kLanes>
HWY_INLINE void load_interleaved(const typename Sample::Type* from,
                                 hn::Vec<typename Sample::Tag>& a, hn::Vec<typename Sample::Tag>& b,
                                 hn::Vec<typename Sample::Tag>& c,
                                 hn::Vec<typename Sample::Tag>& d) {
    const typename Sample::Tag tag;
    if constexpr (kLanes == 1) {
        a = hn::LoadU(tag, from);
    } else if constexpr (kLanes == 2) {
        hn::LoadInterleaved2(tag, from, a, b);
    } else if constexpr (kLanes == 3) {
        hn::LoadInterleaved3(tag, from, a, b, c);
    } else {
        hn::LoadInterleaved4(tag, from, a, b, c, d);
    }
}

// How a loaded row enters its strip.
struct Assign {
    HWY_INLINE Vec operator()(Vec v, const float* /*out*/) const { return v; }
    HWY_INLINE float scalar(float v, float /*out*/) const { return v; }
};
struct Accumulate {
    float weight;
    HWY_INLINE Vec operator()(Vec v, const float* out) const {
        return hn::MulAdd(v, hn::Set(Floats(), weight), hn::LoadU(Floats(), out));
    }
    HWY_INLINE float scalar(float v, float out) const { return out + (v * weight); }
};

template <class Sample, unsigned kLanes, class Op>
void load_rows(const std::byte* bytes, std::size_t count, const LaneStrips& out, const Op& op) {
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const auto* const row = reinterpret_cast<const typename Sample::Type*>(bytes);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        hn::Vec<typename Sample::Tag> a = hn::Zero(typename Sample::Tag());
        auto b = a;
        auto c = a;
        auto d = a;
        load_interleaved<Sample, kLanes>(row + (x * kLanes), a, b, c, d);
        const auto emit = [&](std::size_t lane, auto v) HWY_ATTR {
            if (out[lane] != nullptr) {
                hn::StoreU(op(Sample::widen(v), out[lane] + x), df, out[lane] + x);
            }
        };
        emit(0, a);
        if constexpr (kLanes > 1) {
            emit(1, b);
        }
        if constexpr (kLanes > 2) {
            emit(2, c);
        }
        if constexpr (kLanes > 3) {
            emit(3, d);
        }
    }
    for (; x < count; ++x) {
        for (unsigned lane = 0; lane < kLanes; ++lane) {
            if (out[lane] != nullptr) {
                out[lane][x] = op.scalar(Sample::widen(row[(x * kLanes) + lane]), out[lane][x]);
            }
        }
    }
}

template <class Sample, unsigned kLanes>
void lerp_sample_rows(const std::byte* upper_bytes, const std::byte* lower_bytes, float weight,
                      std::size_t count, const LaneStrips& out) {
    using Type = typename Sample::Type;
    const Floats df;
    const std::size_t n = hn::Lanes(df);
    const auto* const upper = reinterpret_cast<const Type*>(upper_bytes);
    const auto* const lower = reinterpret_cast<const Type*>(lower_bytes);
    const Vec w = hn::Set(df, weight);
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        hn::Vec<typename Sample::Tag> a0 = hn::Zero(typename Sample::Tag());
        auto b0 = a0, c0 = a0, d0 = a0, a1 = a0, b1 = a0, c1 = a0, d1 = a0;
        load_interleaved<Sample, kLanes>(upper + (x * kLanes), a0, b0, c0, d0);
        load_interleaved<Sample, kLanes>(lower + (x * kLanes), a1, b1, c1, d1);
        const auto emit = [&](std::size_t lane, auto v0, auto v1) HWY_ATTR {
            if (out[lane] != nullptr) {
                const Vec top = Sample::widen(v0);
                hn::StoreU(hn::MulAdd(hn::Sub(Sample::widen(v1), top), w, top), df, out[lane] + x);
            }
        };
        emit(0, a0, a1);
        if constexpr (kLanes > 1) {
            emit(1, b0, b1);
        }
        if constexpr (kLanes > 2) {
            emit(2, c0, c1);
        }
        if constexpr (kLanes > 3) {
            emit(3, d0, d1);
        }
    }
    for (; x < count; ++x) {
        for (unsigned lane = 0; lane < kLanes; ++lane) {
            if (out[lane] != nullptr) {
                const float top = Sample::widen(upper[(x * kLanes) + lane]);
                const float bottom = Sample::widen(lower[(x * kLanes) + lane]);
                out[lane][x] = top + ((bottom - top) * weight);
            }
        }
    }
}

template <class Sample>
HWY_INLINE hn::Vec<typename Sample::Tag> quantise(Vec v) {
    const Floats df;
    // Max first: NaN becomes 0.
    v = hn::Min(hn::Max(v, hn::Zero(df)), hn::Set(df, Sample::kTop));
    return Sample::narrow(hn::NearestInt(v));
}

template <class Sample, unsigned kLanes>
void store_rows(const ConstLaneStrips& in, std::size_t count, std::byte* bytes) {
    using Type = typename Sample::Type;
    const Floats df;
    const typename Sample::Tag ds;
    const std::size_t n = hn::Lanes(df);
    auto* const row = reinterpret_cast<Type*>(bytes);
    const bool keeps = std::any_of(in.begin(), in.begin() + kLanes,
                                   [](const float* strip) { return strip == nullptr; });
    std::size_t x = 0;
    for (; x + n <= count; x += n) {
        Type* const to = row + (x * kLanes);
        hn::Vec<typename Sample::Tag> a = hn::Zero(ds);
        auto b = a;
        auto c = a;
        auto d = a;
        if (keeps) {
            load_interleaved<Sample, kLanes>(to, a, b, c, d);
        }
        const auto take = [&](std::size_t lane, auto& v) HWY_ATTR {
            if (in[lane] != nullptr) {
                v = quantise<Sample>(hn::LoadU(df, in[lane] + x));
            }
        };
        take(0, a);
        if constexpr (kLanes == 1) {
            hn::StoreU(a, ds, to);
        } else if constexpr (kLanes == 2) {
            take(1, b);
            hn::StoreInterleaved2(a, b, ds, to);
        } else if constexpr (kLanes == 3) {
            take(1, b);
            take(2, c);
            hn::StoreInterleaved3(a, b, c, ds, to);
        } else {
            take(1, b);
            take(2, c);
            take(3, d);
            hn::StoreInterleaved4(a, b, c, d, ds, to);
        }
    }
    for (; x < count; ++x) {
        for (unsigned lane = 0; lane < kLanes; ++lane) {
            if (in[lane] != nullptr) {
                const float v = in[lane][x];
                const float kept = v > 0.0F ? std::min(v, Sample::kTop) : 0.0F;
                row[(x * kLanes) + lane] = Sample::narrow(static_cast<int>(std::nearbyint(kept)));
            }
        }
    }
}

// Calls body.template operator()<Sample, lanes>() for a group.
template <class Body>
HWY_INLINE void with_group(const SampleGroup& group, const Body& body) {
    const auto with_lanes = [&]<class Sample>() {
        switch (group.lanes) {
        case 1: body.template operator()<Sample, 1U>(); break;
        case 2: body.template operator()<Sample, 2U>(); break;
        case 3: body.template operator()<Sample, 3U>(); break;
        case 4: body.template operator()<Sample, 4U>(); break;
        }
    };
    if (group.bits > 8) {
        with_lanes.template operator()<TenBits>();
    } else {
        with_lanes.template operator()<Byte>();
    }
}

void load(const SampleGroup& group, const std::byte* row, std::size_t count,
          const LaneStrips& out) {
    with_group(group, [&]<class Sample, unsigned kLanes>() {
        load_rows<Sample, kLanes>(row, count, out, Assign{});
    });
}

void load_lerp(const SampleGroup& group, const std::byte* upper, const std::byte* lower,
               float weight, std::size_t count, const LaneStrips& out) {
    with_group(group, [&]<class Sample, unsigned kLanes>() {
        lerp_sample_rows<Sample, kLanes>(upper, lower, weight, count, out);
    });
}

void accumulate(const SampleGroup& group, const std::byte* row, float weight, std::size_t count,
                const LaneStrips& out) {
    with_group(group, [&]<class Sample, unsigned kLanes>() {
        load_rows<Sample, kLanes>(row, count, out, Accumulate{weight});
    });
}

void store(const SampleGroup& group, const ConstLaneStrips& in, std::size_t count, std::byte* row) {
    with_group(group, [&]<class Sample, unsigned kLanes>() {
        store_rows<Sample, kLanes>(in, count, row);
    });
}

} // namespace sluice::zero_copy::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::zero_copy {

HWY_EXPORT(load);
HWY_EXPORT(load_lerp);
HWY_EXPORT(accumulate);
HWY_EXPORT(store);

void load_lanes(const SampleGroup& group, const std::byte* row, std::size_t count,
                const LaneStrips& out) {
    HWY_DYNAMIC_DISPATCH(load)(group, row, count, out);
}

void load_lanes_lerp(const SampleGroup& group, const std::byte* upper, const std::byte* lower,
                     float weight, std::size_t count, const LaneStrips& out) {
    HWY_DYNAMIC_DISPATCH(load_lerp)(group, upper, lower, weight, count, out);
}

void accumulate_lanes(const SampleGroup& group, const std::byte* row, float weight,
                      std::size_t count, const LaneStrips& out) {
    HWY_DYNAMIC_DISPATCH(accumulate)(group, row, weight, count, out);
}

void store_lanes(const SampleGroup& group, const ConstLaneStrips& in, std::size_t count,
                 std::byte* row) {
    HWY_DYNAMIC_DISPATCH(store)(group, in, count, row);
}

} // namespace sluice::zero_copy
#endif
