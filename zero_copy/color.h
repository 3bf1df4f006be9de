// SPDX-License-Identifier: Apache-2.0
// Colour maths: from sample codes to R'G'B' and back, for every matrix, range and depth.
#pragma once

#include <array>

#include "zero_copy/frame.h"

namespace sluice::zero_copy {

using Vector3 = std::array<double, 3>;

// out = matrix * in + offset.
struct AffineTransform {
    std::array<Vector3, 3> matrix{};
    Vector3 offset{};

    [[nodiscard]] Vector3 operator()(const Vector3& in) const;
};

// Weights of R', G', B' in luma (ITU-R BT.601, BT.709, BT.2020 non-constant luminance).
[[nodiscard]] Vector3 luma_weights(ColorMatrix matrix);
// Those of a format: its own matrix for YUV; BT.601 for RGB and GRAY8, which name none.
[[nodiscard]] Vector3 luma_weights(const FrameFormat& format);

// From the codes of a format's first three components (0..255, 0..1023) to R'G'B' in 0..1.
// GRAY8 uses the first code only.
[[nodiscard]] AffineTransform codes_to_rgb(const FrameFormat& format);
// From R'G'B' in 0..1 to codes, not rounded.
[[nodiscard]] AffineTransform rgb_to_codes(const FrameFormat& format);
// From codes to luma in 0..1, as a row of coefficients and an offset.
struct LumaTransform {
    Vector3 weights{};
    double offset = 0.0;
};
[[nodiscard]] LumaTransform codes_to_luma(const FrameFormat& format);

// The codes of an R'G'B' colour (0..1), rounded and kept within the code range; the fourth is
// alpha, opaque.
[[nodiscard]] std::array<float, 4> color_codes(const FrameFormat& format, const Vector3& rgb);

} // namespace sluice::zero_copy
