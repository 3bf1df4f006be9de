// SPDX-License-Identifier: Apache-2.0
// Colour maths against values that the standards print.
#include <array>
#include <cstddef>

#include <gtest/gtest.h>

#include "tests/zero_copy/test_frame.h"
#include "zero_copy/color.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

FrameFormat format_of(PixelFormat pixel_format, ColorMatrix matrix, ColorRange range) {
    return {pixel_format, 2, 2, {.matrix = matrix, .range = range}};
}

} // namespace

TEST(Color, limited_range_matches_published_coefficients) {
    // The familiar 8-bit integer forms: 1.164, 1.596, 0.391, 0.813, 2.018 (BT.601) and 1.793,
    // 0.213, 0.533, 2.112 (BT.709).
    const auto bt601 =
        codes_to_rgb(format_of(PixelFormat::Nv12, ColorMatrix::Bt601, ColorRange::Limited));
    EXPECT_NEAR(bt601.matrix[0][0] * 255.0, 1.164, 1e-3);
    EXPECT_NEAR(bt601.matrix[0][2] * 255.0, 1.596, 1e-3);
    EXPECT_NEAR(bt601.matrix[1][1] * 255.0, -0.391, 1e-3);
    EXPECT_NEAR(bt601.matrix[1][2] * 255.0, -0.813, 1e-3);
    EXPECT_NEAR(bt601.matrix[2][1] * 255.0, 2.018, 1.5e-3);
    const auto bt709 =
        codes_to_rgb(format_of(PixelFormat::Nv12, ColorMatrix::Bt709, ColorRange::Limited));
    EXPECT_NEAR(bt709.matrix[0][2] * 255.0, 1.793, 1e-3);
    EXPECT_NEAR(bt709.matrix[1][1] * 255.0, -0.213, 1e-3);
    EXPECT_NEAR(bt709.matrix[1][2] * 255.0, -0.533, 1e-3);
    EXPECT_NEAR(bt709.matrix[2][1] * 255.0, 2.112, 1e-3);
}

TEST(Color, full_range_matches_jpeg) {
    // ITU-T T.871: R = Y + 1.402 Cr, G = Y - 0.344136 Cb - 0.714136 Cr, B = Y + 1.772 Cb.
    const auto jpeg =
        codes_to_rgb(format_of(PixelFormat::I420, ColorMatrix::Bt601, ColorRange::Full));
    EXPECT_NEAR(jpeg.matrix[0][2] * 255.0, 1.402, 1e-6);
    EXPECT_NEAR(jpeg.matrix[1][1] * 255.0, -0.344136, 1e-6);
    EXPECT_NEAR(jpeg.matrix[1][2] * 255.0, -0.714136, 1e-6);
    EXPECT_NEAR(jpeg.matrix[2][1] * 255.0, 1.772, 1e-6);
    EXPECT_NEAR(jpeg({0.0, 128.0, 128.0})[1], 0.0, 1e-12);
}

TEST(Color, bt2020_ten_bits_places_its_primaries) {
    // BT.2020 table 5: 10-bit black 64, white 940, achromatic 512, chroma 64..960; red's luma
    // 0.2627.
    const auto codes =
        rgb_to_codes(format_of(PixelFormat::P010, ColorMatrix::Bt2020, ColorRange::Limited));
    const Vector3 white = codes({1.0, 1.0, 1.0});
    EXPECT_NEAR(white[0], 940.0, 1e-9);
    EXPECT_NEAR(white[1], 512.0, 1e-9);
    EXPECT_NEAR(white[2], 512.0, 1e-9);
    const Vector3 red = codes({1.0, 0.0, 0.0});
    EXPECT_NEAR(red[0], 64.0 + (0.2627 * 876.0), 1e-9);
    EXPECT_NEAR(red[2], 960.0, 1e-9);
    EXPECT_NEAR(codes({0.0, 0.0, 1.0})[1], 960.0, 1e-9);
    EXPECT_NEAR(codes({0.0, 0.0, 0.0})[0], 64.0, 1e-9);
}

TEST(Color, both_directions_are_inverse_for_every_format) {
    for (const PixelFormat pixel_format : all_formats()) {
        for (const ColorMatrix matrix :
             {ColorMatrix::Bt601, ColorMatrix::Bt709, ColorMatrix::Bt2020}) {
            for (const ColorRange range : {ColorRange::Limited, ColorRange::Full}) {
                const FrameFormat format = format_of(pixel_format, matrix, range);
                const bool gray = pixel_format == PixelFormat::Gray8;
                const Vector3 rgb = gray ? Vector3{0.3, 0.3, 0.3} : Vector3{0.9, 0.2, 0.4};
                const Vector3 codes = rgb_to_codes(format)(rgb);
                const Vector3 back = codes_to_rgb(format)(codes);
                const Rgb expected = reference_rgb(format, codes);
                EXPECT_NEAR(expected.r, rgb[0], 1e-9) << describe(format);
                EXPECT_NEAR(expected.g, rgb[1], 1e-9) << describe(format);
                EXPECT_NEAR(expected.b, rgb[2], 1e-9) << describe(format);
                for (std::size_t i = 0; i < 3; ++i) {
                    EXPECT_NEAR(back[i], rgb[i], 1e-9) << describe(format);
                }
            }
        }
    }
}

TEST(Color, colours_round_and_stay_within_the_codes) {
    // ITU-T T.871: pure blue has a Cb of 255.5, which does not fit.
    const auto blue =
        color_codes(format_of(PixelFormat::Nv12, ColorMatrix::Bt601, ColorRange::Full), {0, 0, 1});
    EXPECT_EQ(blue[0], 29.0F);
    EXPECT_EQ(blue[1], 255.0F);
    EXPECT_EQ(blue[2], 107.0F);
    EXPECT_EQ(blue[3], 255.0F);
}

} // namespace sluice::testing
