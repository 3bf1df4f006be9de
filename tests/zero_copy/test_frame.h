// SPDX-License-Identifier: Apache-2.0
// Frames for tests: planes of exactly the size that a format needs, so that a sanitizer sees every
// byte read beyond them, and a reader of samples that knows the formats by itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "zero_copy/frame.h"

namespace sluice::testing {

class TestFrame {
public:
    // Rows are `padding` bytes longer than they need to be; the last row has no padding.
    TestFrame(const zero_copy::FrameFormat& format, std::size_t padding);

    [[nodiscard]] zero_copy::MutableFrameView view();
    [[nodiscard]] zero_copy::FrameView view() const;
    [[nodiscard]] const zero_copy::FrameFormat& format() const { return format_; }

    // Every byte at random, padding included.
    void fill_random(std::mt19937& random);
    // Smooth ramps, different in each component, over the legal range.
    void fill_gradient();

    // Components: Y or R, U or G, V or B, alpha.
    [[nodiscard]] bool has(int component) const;
    [[nodiscard]] bool is_chroma(int component) const;
    [[nodiscard]] int columns(int component) const;
    [[nodiscard]] int rows(int component) const;
    // A sample's code: 0..255, or 0..1023 in 10-bit formats.
    [[nodiscard]] int code(int component, int x, int y) const;
    void set_code(int component, int x, int y, int code);
    [[nodiscard]] int max_code() const { return ten_bits() ? 1023 : 255; }

    std::vector<std::vector<std::byte>> planes;
    std::vector<std::size_t> strides;

private:
    struct Address {
        std::size_t plane;
        std::size_t byte;
    };
    [[nodiscard]] bool ten_bits() const {
        return format_.pixel_format == zero_copy::PixelFormat::P010;
    }
    [[nodiscard]] Address address(int component, int x, int y) const;

    zero_copy::FrameFormat format_;
};

// The largest difference of two frames' codes; the formats are the same.
[[nodiscard]] int largest_difference(const TestFrame& a, const TestFrame& b);

// All formats, and a name for test output: "NV12 7x5 bt709 full center".
[[nodiscard]] std::vector<zero_copy::PixelFormat> all_formats();
[[nodiscard]] std::string describe(const zero_copy::FrameFormat& format);

// Double-precision maths, independent of the library's.
struct Rgb {
    double r;
    double g;
    double b;
};
// Unclamped R'G'B' in 0..1 of codes.
[[nodiscard]] Rgb reference_rgb(const zero_copy::FrameFormat& format,
                                const std::array<double, 3>& codes);
// Where, in luma pixels (centre of the first: 0), chroma sample 0 lies; 0 for unsubsampled axes.
struct SiteInPixels {
    double x;
    double y;
};
[[nodiscard]] SiteInPixels chroma_site_in_pixels(const zero_copy::FrameFormat& format);
// log2 of the chroma subsampling.
[[nodiscard]] int chroma_shift_x(zero_copy::PixelFormat format);
[[nodiscard]] int chroma_shift_y(zero_copy::PixelFormat format);

} // namespace sluice::testing
