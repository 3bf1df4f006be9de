// SPDX-License-Identifier: Apache-2.0
// Colour maths, derived from Kr and Kb of ITU-R BT.601-7, BT.709-6 and BT.2020-2 in double
// precision.
#include "zero_copy/color.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "zero_copy/frame.h"
#include "zero_copy/pixel_format.h"

namespace sluice::zero_copy {

namespace {

// Where black, white and zero chroma lie among the codes.
struct Quantisation {
    double luma_zero;
    double luma_span;
    double chroma_zero;
    double chroma_span;
};

Quantisation quantisation(const FrameFormat& format) {
    const unsigned bits = info(format.pixel_format).bits;
    const double unit = std::exp2(bits - 8.0); // one 8-bit code in codes of this depth
    const double top = std::exp2(bits) - 1.0;
    if (format.color.range == ColorRange::Full) {
        return {
            .luma_zero = 0.0, .luma_span = top, .chroma_zero = 128.0 * unit, .chroma_span = top};
    }
    return {.luma_zero = 16.0 * unit,
            .luma_span = 219.0 * unit,
            .chroma_zero = 128.0 * unit,
            .chroma_span = 224.0 * unit};
}

} // namespace

Vector3 AffineTransform::operator()(const Vector3& in) const {
    Vector3 out = offset;
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 3; ++column) {
            out[row] += matrix[row][column] * in[column];
        }
    }
    return out;
}

Vector3 luma_weights(ColorMatrix matrix) {
    switch (matrix) {
    case ColorMatrix::Bt601: return {0.299, 1.0 - 0.299 - 0.114, 0.114};
    case ColorMatrix::Bt709: return {0.2126, 1.0 - 0.2126 - 0.0722, 0.0722};
    case ColorMatrix::Bt2020: return {0.2627, 1.0 - 0.2627 - 0.0593, 0.0593};
    }
    return {};
}

Vector3 luma_weights(const FrameFormat& format) {
    const bool has_matrix = info(format.pixel_format).model == ColorModel::Yuv;
    return luma_weights(has_matrix ? format.color.matrix : ColorMatrix::Bt601);
}

AffineTransform codes_to_rgb(const FrameFormat& format) {
    const Quantisation q = quantisation(format);
    const auto [kr, kg, kb] = luma_weights(format);
    AffineTransform out;
    switch (info(format.pixel_format).model) {
    case ColorModel::Rgb:
        for (std::size_t i = 0; i < 3; ++i) {
            out.matrix[i][i] = 1.0 / 255.0;
        }
        break;
    case ColorModel::Gray:
        for (std::size_t i = 0; i < 3; ++i) {
            out.matrix[i][0] = 1.0 / q.luma_span;
            out.offset[i] = -q.luma_zero / q.luma_span;
        }
        break;
    case ColorModel::Yuv: {
        const double y = 1.0 / q.luma_span;
        const double c = 1.0 / q.chroma_span;
        out.matrix = {{{y, 0.0, 2.0 * (1.0 - kr) * c},
                       {y, -2.0 * kb * (1.0 - kb) / kg * c, -2.0 * kr * (1.0 - kr) / kg * c},
                       {y, 2.0 * (1.0 - kb) * c, 0.0}}};
        for (std::size_t i = 0; i < 3; ++i) {
            const Vector3& row = out.matrix[i];
            out.offset[i] = -(row[0] * q.luma_zero) - ((row[1] + row[2]) * q.chroma_zero);
        }
        break;
    }
    }
    return out;
}

AffineTransform rgb_to_codes(const FrameFormat& format) {
    const Quantisation q = quantisation(format);
    const auto [kr, kg, kb] = luma_weights(format);
    AffineTransform out;
    switch (info(format.pixel_format).model) {
    case ColorModel::Rgb:
        for (std::size_t i = 0; i < 3; ++i) {
            out.matrix[i][i] = 255.0;
        }
        break;
    case ColorModel::Gray:
        out.matrix[0] = {kr * q.luma_span, kg * q.luma_span, kb * q.luma_span};
        out.offset[0] = q.luma_zero;
        break;
    case ColorModel::Yuv: {
        const double b = q.chroma_span / (2.0 * (1.0 - kb));
        const double r = q.chroma_span / (2.0 * (1.0 - kr));
        out.matrix = {{{kr * q.luma_span, kg * q.luma_span, kb * q.luma_span},
                       {-kr * b, -kg * b, (1.0 - kb) * b},
                       {(1.0 - kr) * r, -kg * r, -kb * r}}};
        out.offset = {q.luma_zero, q.chroma_zero, q.chroma_zero};
        break;
    }
    }
    return out;
}

LumaTransform codes_to_luma(const FrameFormat& format) {
    if (info(format.pixel_format).model == ColorModel::Rgb) {
        const Vector3 k = luma_weights(format);
        return {.weights = {k[0] / 255.0, k[1] / 255.0, k[2] / 255.0}};
    }
    const Quantisation q = quantisation(format);
    return {.weights = {1.0 / q.luma_span, 0.0, 0.0}, .offset = -q.luma_zero / q.luma_span};
}

std::array<float, 4> color_codes(const FrameFormat& format, const Vector3& rgb) {
    const Vector3 codes = rgb_to_codes(format)(rgb);
    const double top = std::exp2(info(format.pixel_format).bits) - 1.0;
    std::array<float, 4> out{};
    for (std::size_t i = 0; i < 3; ++i) {
        out[i] = static_cast<float>(std::clamp(std::round(codes[i]), 0.0, top));
    }
    out[3] = static_cast<float>(top);
    return out;
}

} // namespace sluice::zero_copy
