// SPDX-License-Identifier: Apache-2.0
// The table of tile kernels, once per instruction set, and the choice among them.
#include "core/cpu/gemm_kernel.h"

#include "core/cpu/highway.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/gemm_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/cpu/gemm_kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::cpu::HWY_NAMESPACE {
namespace {

template <class D, std::size_t kVectors, std::size_t... kPixels>
constexpr void add_tiles(GemmPanels& panels) {
    ((panels.tiles[kVectors - 1][kPixels - 1] = &gemm_tile<D, kPixels, kVectors>), ...);
    ((panels.max_pixels[kVectors - 1] = kPixels), ...); // the last is the largest
}

template <class D>
constexpr GemmPanels make_panels() {
    GemmPanels panels{};
    panels.columns = hn::MaxLanes(D());
    panels.steps = 1;
#if HWY_TARGET == HWY_SSE2 // for processors of before 2013: right, but not worth much code
    panels.max_vectors = 2;
    add_tiles<D, 1, 1, 4>(panels);
    add_tiles<D, 2, 1, 4>(panels);
#elif HWY_TARGET == HWY_AVX2 // 16 registers
    panels.max_vectors = 3;
    add_tiles<D, 1, 1, 2, 3, 4, 6, 8, 12>(panels);
    add_tiles<D, 2, 1, 2, 3, 4, 5, 6>(panels);
    add_tiles<D, 3, 1, 2, 3, 4>(panels);
#else                        // 32 registers
    panels.max_vectors = 3;
    add_tiles<D, 1, 1, 2, 3, 4, 6, 8, 12>(panels);
    add_tiles<D, 2, 1, 2, 3, 4, 6, 8, 12>(panels);
    add_tiles<D, 3, 1, 2, 3, 4, 5, 6, 7, 8>(panels);
#endif
    return panels;
}

#if HWY_TARGET <= HWY_AVX3
template <std::size_t kSteps, std::size_t... kPixels>
constexpr GemmPanels make_stepped_panels() {
    GemmPanels panels{};
    panels.columns = hn::MaxLanes(GemmTag()) / kSteps;
    panels.steps = kSteps;
    panels.max_vectors = 1;
    ((panels.tiles[0][kPixels - 1] = &gemm_stepped_tile<kPixels, kSteps>), ...);
    ((panels.max_pixels[0] = kPixels), ...); // the last is the largest
    return panels;
}
#endif

constexpr GemmKernels make_kernels() {
    GemmKernels kernels{};
    kernels.target = HWY_TARGET;
    const auto kind = [&](PanelKind of) -> GemmPanels& {
        return kernels.kinds[static_cast<std::size_t>(of)];
    };
    kind(PanelKind::Full) = make_panels<GemmTag>();
#if HWY_TARGET <= HWY_AVX3
    kind(PanelKind::Half) = make_panels<GemmHalfTag>();
    kind(PanelKind::Eight) = make_stepped_panels<2, 1, 2, 4, 6, 8, 12>();
    kind(PanelKind::Four) = make_stepped_panels<4, 1, 2, 4, 8, 12>();
    kind(PanelKind::One) = make_stepped_panels<16, 1, 4, 8, 12>();
#endif
    kernels.activate = &activate_all;
    return kernels;
}

constexpr GemmKernels kKernels = make_kernels();

} // namespace

const GemmKernels& get_gemm_kernels() {
    return kKernels;
}

} // namespace sluice::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::cpu {

HWY_EXPORT(get_gemm_kernels);

const GemmKernels& gemm_kernels() {
    return HWY_DYNAMIC_DISPATCH(get_gemm_kernels)();
}

} // namespace sluice::cpu
#endif
