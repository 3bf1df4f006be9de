// SPDX-License-Identifier: Apache-2.0
// Test frames. The layouts are written down here a second time, from the formats' definitions.
#include "tests/zero_copy/test_frame.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <format>
#include <random>
#include <string>
#include <vector>

#include "tests/support/must.h"
#include "zero_copy/frame.h"

namespace sluice::testing {

using zero_copy::ChromaSite;
using zero_copy::ColorMatrix;
using zero_copy::ColorRange;
using zero_copy::FrameFormat;
using zero_copy::PixelFormat;

namespace {

bool is_yuv(PixelFormat format) {
    switch (format) {
    case PixelFormat::Nv12:
    case PixelFormat::Nv21:
    case PixelFormat::I420:
    case PixelFormat::Yv12:
    case PixelFormat::Yuy2:
    case PixelFormat::Uyvy:
    case PixelFormat::P010: return true;
    case PixelFormat::Rgb:
    case PixelFormat::Bgr:
    case PixelFormat::Rgba:
    case PixelFormat::Bgra:
    case PixelFormat::Rgbx:
    case PixelFormat::Bgrx:
    case PixelFormat::Gray8: return false;
    }
    return false;
}

struct PlaneSize {
    std::size_t row_bytes;
    std::size_t rows;
};

std::vector<PlaneSize> plane_sizes(const FrameFormat& format) {
    const std::size_t w = format.width;
    const std::size_t h = format.height;
    const std::size_t half_w = (w + 1) / 2;
    const std::size_t half_h = (h + 1) / 2;
    switch (format.pixel_format) {
    case PixelFormat::Nv12:
    case PixelFormat::Nv21: return {{w, h}, {2 * half_w, half_h}};
    case PixelFormat::I420:
    case PixelFormat::Yv12: return {{w, h}, {half_w, half_h}, {half_w, half_h}};
    case PixelFormat::Yuy2:
    case PixelFormat::Uyvy: return {{4 * half_w, h}};
    case PixelFormat::P010: return {{2 * w, h}, {4 * half_w, half_h}};
    case PixelFormat::Rgb:
    case PixelFormat::Bgr: return {{3 * w, h}};
    case PixelFormat::Rgba:
    case PixelFormat::Bgra:
    case PixelFormat::Rgbx:
    case PixelFormat::Bgrx: return {{4 * w, h}};
    case PixelFormat::Gray8: return {{w, h}};
    }
    return {};
}

std::array<double, 3> weights(ColorMatrix matrix) {
    switch (matrix) {
    case ColorMatrix::Bt601: return {0.299, 0.587, 0.114};
    case ColorMatrix::Bt709: return {0.2126, 0.7152, 0.0722};
    case ColorMatrix::Bt2020: return {0.2627, 0.6780, 0.0593};
    }
    return {};
}

} // namespace

TestFrame::TestFrame(const FrameFormat& format, std::size_t padding) : format_(format) {
    for (const PlaneSize& size : plane_sizes(format)) {
        strides.push_back(size.row_bytes + padding);
        planes.emplace_back((strides.back() * (size.rows - 1)) + size.row_bytes);
        planes.back().shrink_to_fit();
    }
}

zero_copy::MutableFrameView TestFrame::view() {
    std::vector<zero_copy::MutablePlane> memory;
    for (std::size_t i = 0; i < planes.size(); ++i) {
        memory.push_back({planes[i].data(), strides[i], planes[i].size()});
    }
    return must(zero_copy::MutableFrameView::create(format_, memory));
}

zero_copy::FrameView TestFrame::view() const {
    std::vector<zero_copy::Plane> memory;
    for (std::size_t i = 0; i < planes.size(); ++i) {
        memory.push_back({planes[i].data(), strides[i], planes[i].size()});
    }
    return must(zero_copy::FrameView::create(format_, memory));
}

void TestFrame::fill_random(std::mt19937& random) {
    for (std::vector<std::byte>& plane : planes) {
        for (std::byte& byte : plane) {
            byte = static_cast<std::byte>(random());
        }
    }
}

void TestFrame::fill_gradient() {
    const int low = ten_bits() ? 64 : 16;
    const int span = ten_bits() ? 876 : 219;
    for (int c = 0; c < 4; ++c) {
        for (int y = 0; has(c) && y < rows(c); ++y) {
            for (int x = 0; x < columns(c); ++x) {
                const double u = (x + 0.5) / columns(c);
                const double v = (y + 0.5) / rows(c);
                const double ramp = c == 0 ? u : c == 1 ? v : c == 2 ? 1.0 - (u * v) : 1.0 - u;
                set_code(c, x, y, low + static_cast<int>(std::lround(span * ramp)));
            }
        }
    }
}

bool TestFrame::has(int component) const {
    switch (format_.pixel_format) {
    case PixelFormat::Gray8: return component == 0;
    case PixelFormat::Rgba:
    case PixelFormat::Bgra: return component <= 3;
    default: return component <= 2;
    }
}

bool TestFrame::is_chroma(int component) const {
    return is_yuv(format_.pixel_format) && (component == 1 || component == 2);
}

int TestFrame::columns(int component) const {
    const auto w = static_cast<int>(format_.width);
    return is_chroma(component) ? (w + 1) / 2 : w;
}

int TestFrame::rows(int component) const {
    const auto h = static_cast<int>(format_.height);
    return is_chroma(component) && chroma_shift_y(format_.pixel_format) == 1 ? (h + 1) / 2 : h;
}

TestFrame::Address TestFrame::address(int component, int x, int y) const {
    const auto at = [&](std::size_t plane, int byte) {
        return Address{plane, (static_cast<std::size_t>(y) * strides[plane]) +
                                  static_cast<std::size_t>(byte)};
    };
    switch (format_.pixel_format) {
    case PixelFormat::Nv12: return component == 0 ? at(0, x) : at(1, (2 * x) + component - 1);
    case PixelFormat::Nv21: return component == 0 ? at(0, x) : at(1, (2 * x) + 2 - component);
    case PixelFormat::I420: return at(static_cast<std::size_t>(component), x);
    case PixelFormat::Yv12: return at(component == 0 ? 0 : component == 1 ? 2 : 1, x);
    case PixelFormat::Yuy2:
        return at(0, component == 0 ? 2 * x : (4 * x) + (component == 1 ? 1 : 3));
    case PixelFormat::Uyvy:
        return at(0, component == 0 ? (2 * x) + 1 : (4 * x) + (component == 1 ? 0 : 2));
    case PixelFormat::P010:
        return component == 0 ? at(0, 2 * x) : at(1, (4 * x) + (2 * (component - 1)));
    case PixelFormat::Rgb: return at(0, (3 * x) + component);
    case PixelFormat::Bgr: return at(0, (3 * x) + 2 - component);
    case PixelFormat::Rgba:
    case PixelFormat::Rgbx: return at(0, (4 * x) + component);
    case PixelFormat::Bgra:
    case PixelFormat::Bgrx: return at(0, (4 * x) + (component == 3 ? 3 : 2 - component));
    case PixelFormat::Gray8: return at(0, x);
    }
    return {};
}

int TestFrame::code(int component, int x, int y) const {
    const Address a = address(component, x, y);
    const auto byte = [&](std::size_t i) {
        return std::to_integer<int>(planes[a.plane].at(a.byte + i));
    };
    return ten_bits() ? ((byte(1) << 8) | byte(0)) >> 6 : byte(0);
}

void TestFrame::set_code(int component, int x, int y, int code) {
    const Address a = address(component, x, y);
    const int bits = ten_bits() ? code << 6 : code;
    planes[a.plane].at(a.byte) = static_cast<std::byte>(bits & 255);
    if (ten_bits()) {
        planes[a.plane].at(a.byte + 1) = static_cast<std::byte>(bits >> 8);
    }
}

int largest_difference(const TestFrame& a, const TestFrame& b) {
    int largest = 0;
    for (int c = 0; c < 4 && a.has(c); ++c) {
        for (int y = 0; y < a.rows(c); ++y) {
            for (int x = 0; x < a.columns(c); ++x) {
                largest = std::max(largest, std::abs(a.code(c, x, y) - b.code(c, x, y)));
            }
        }
    }
    return largest;
}

std::vector<PixelFormat> all_formats() {
    return {PixelFormat::Nv12, PixelFormat::Nv21, PixelFormat::I420, PixelFormat::Yv12,
            PixelFormat::Yuy2, PixelFormat::Uyvy, PixelFormat::P010, PixelFormat::Rgb,
            PixelFormat::Bgr,  PixelFormat::Rgba, PixelFormat::Bgra, PixelFormat::Rgbx,
            PixelFormat::Bgrx, PixelFormat::Gray8};
}

std::string describe(const FrameFormat& format) {
    static constexpr std::array kMatrices{"bt601", "bt709", "bt2020"};
    static constexpr std::array kSites{"left", "center", "topleft"};
    return std::format("{} {}x{} {} {} {}", zero_copy::info(format.pixel_format).gst_name,
                       format.width, format.height,
                       kMatrices.at(static_cast<std::size_t>(format.color.matrix)),
                       format.color.range == ColorRange::Full ? "full" : "limited",
                       kSites.at(static_cast<std::size_t>(format.color.chroma_site)));
}

Rgb reference_rgb(const FrameFormat& format, const std::array<double, 3>& codes) {
    const bool full = format.color.range == ColorRange::Full;
    const bool ten = format.pixel_format == PixelFormat::P010;
    const double unit = ten ? 4.0 : 1.0;
    const double top = ten ? 1023.0 : 255.0;
    const double y = full ? codes[0] / top : (codes[0] - (16.0 * unit)) / (219.0 * unit);
    if (format.pixel_format == PixelFormat::Gray8) {
        return {y, y, y};
    }
    if (!is_yuv(format.pixel_format)) {
        return {codes[0] / 255.0, codes[1] / 255.0, codes[2] / 255.0};
    }
    const double chroma_span = full ? top : 224.0 * unit;
    const double pb = (codes[1] - (128.0 * unit)) / chroma_span;
    const double pr = (codes[2] - (128.0 * unit)) / chroma_span;
    const auto [kr, kg, kb] = weights(format.color.matrix);
    const double r = y + (2.0 * (1.0 - kr) * pr);
    const double b = y + (2.0 * (1.0 - kb) * pb);
    return {r, (y - (kr * r) - (kb * b)) / kg, b};
}

SiteInPixels chroma_site_in_pixels(const FrameFormat& format) {
    const bool wide = chroma_shift_x(format.pixel_format) == 1;
    const bool tall = chroma_shift_y(format.pixel_format) == 1;
    switch (format.color.chroma_site) {
    case ChromaSite::Left: return {0.0, tall ? 0.5 : 0.0};
    case ChromaSite::Center: return {wide ? 0.5 : 0.0, tall ? 0.5 : 0.0};
    case ChromaSite::TopLeft: return {0.0, 0.0};
    }
    return {};
}

int chroma_shift_x(PixelFormat format) {
    return is_yuv(format) ? 1 : 0;
}

int chroma_shift_y(PixelFormat format) {
    return is_yuv(format) && format != PixelFormat::Yuy2 && format != PixelFormat::Uyvy ? 1 : 0;
}

} // namespace sluice::testing
