// SPDX-License-Identifier: Apache-2.0
// What FrameToTensor should give, in double precision and by the header's words: the judge of every
// device's.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/zero_copy/test_frame.h"
#include "zero_copy/frame_to_tensor.h"

namespace sluice::testing {

// A component at luma pixel coordinates (centre of the first pixel: 0), by definition.
inline double bilinear(const TestFrame& frame, int c, double x, double y) {
    if (frame.is_chroma(c)) {
        const SiteInPixels site = chroma_site_in_pixels(frame.format());
        x = (x - site.x) / (1 << chroma_shift_x(frame.format().pixel_format));
        y = (y - site.y) / (1 << chroma_shift_y(frame.format().pixel_format));
    }
    const int x0 = static_cast<int>(std::floor(x));
    const int y0 = static_cast<int>(std::floor(y));
    double sum = 0.0;
    for (int dy = 0; dy < 2; ++dy) {
        for (int dx = 0; dx < 2; ++dx) {
            const double weight =
                (dx == 1 ? x - x0 : 1.0 - (x - x0)) * (dy == 1 ? y - y0 : 1.0 - (y - y0));
            sum += weight * frame.code(c, std::clamp(x0 + dx, 0, frame.columns(c) - 1),
                                       std::clamp(y0 + dy, 0, frame.rows(c) - 1));
        }
    }
    return sum;
}

inline double nearest(const TestFrame& frame, int c, double x, double y) {
    const auto pixel = [](double at, std::uint32_t limit) {
        return std::clamp(static_cast<int>(std::floor(at)), 0, static_cast<int>(limit) - 1);
    };
    const zero_copy::PixelFormat format = frame.format().pixel_format;
    return frame.code(
        c, pixel(x, frame.format().width) >> (frame.is_chroma(c) ? chroma_shift_x(format) : 0),
        pixel(y, frame.format().height) >> (frame.is_chroma(c) ? chroma_shift_y(format) : 0));
}

// Shares of samples of one axis under [begin, end) of outer-corner luma coordinates; sample i's
// cell is `size` wide and centred on `centre + i * size`. Cells beyond the edge read as the edge.
inline std::vector<double> shares(double begin, double end, double centre, double size,
                                  int samples) {
    std::vector<double> out(static_cast<std::size_t>(samples));
    const int margin = 4;
    for (int i = -margin; i < samples + margin; ++i) {
        const double left = centre + (i * size) - (size / 2.0);
        const double covered = std::min(end, left + size) - std::max(begin, left);
        out[static_cast<std::size_t>(std::clamp(i, 0, samples - 1))] += std::max(covered, 0.0);
    }
    for (double& share : out) {
        share /= end - begin;
    }
    return out;
}

// One axis, as bilinear weights at an outer-corner coordinate.
inline std::vector<double> bilinear_shares(double at, double centre, double size, int samples) {
    std::vector<double> out(static_cast<std::size_t>(samples));
    const double position = std::clamp((at - centre) / size, 0.0, samples - 1.0);
    const int first = static_cast<int>(std::floor(position));
    out[static_cast<std::size_t>(first)] += 1.0 - (position - first);
    out[static_cast<std::size_t>(std::min(first + 1, samples - 1))] += position - first;
    return out;
}

// What one tensor pixel should hold, by the header's words.
class TensorReference {
public:
    TensorReference(const TestFrame& frame, const zero_copy::SourceRegion& region,
                    const zero_copy::TensorFormat& tensor)
        : frame_(frame), region_(region), tensor_(tensor) {}

    [[nodiscard]] std::array<double, 3> values(std::uint32_t x, std::uint32_t y) const {
        return region_.rotation_radians == 0.0 ? straight(x, y) : turned(x, y);
    }

private:
    [[nodiscard]] double convert(const std::array<double, 3>& codes, int channel) const {
        const Rgb rgb = reference_rgb(frame_.format(), codes);
        double v = 0.0;
        const bool has_luma = !(frame_.has(1) && !frame_.is_chroma(1));
        switch (tensor_.channels) {
        case zero_copy::ChannelOrder::Rgb:
            v = channel == 0 ? rgb.r : channel == 1 ? rgb.g : rgb.b;
            break;
        case zero_copy::ChannelOrder::Bgr:
            v = channel == 0 ? rgb.b : channel == 1 ? rgb.g : rgb.r;
            break;
        case zero_copy::ChannelOrder::Luma:
            if (has_luma) {
                zero_copy::FrameFormat gray = frame_.format();
                const bool ten = gray.pixel_format == zero_copy::PixelFormat::P010;
                gray.pixel_format =
                    ten ? zero_copy::PixelFormat::P010 : zero_copy::PixelFormat::Gray8;
                const double middle = ten ? 512.0 : 128.0;
                v = reference_rgb(gray, {codes[0], middle, middle}).g;
            } else {
                v = (0.299 * rgb.r) + (0.587 * rgb.g) + (0.114 * rgb.b);
            }
            break;
        }
        return tensor_.low + (std::clamp(v, 0.0, 1.0) * (tensor_.high - tensor_.low));
    }

    [[nodiscard]] std::array<double, 3> mixed(const std::array<double, 3>& codes,
                                              double share) const {
        std::array<double, 3> out{};
        for (int channel = 0; channel < 3; ++channel) {
            out[static_cast<std::size_t>(channel)] =
                tensor_.fill + ((convert(codes, channel) - tensor_.fill) * share);
        }
        return out;
    }

    [[nodiscard]] std::array<double, 3> straight(std::uint32_t x, std::uint32_t y) const {
        const double step_x = region_.width / tensor_.width;
        const double step_y = region_.height / tensor_.height;
        const double cx = region_.x + ((x + 0.5) * step_x);
        const double cy = region_.y + ((y + 0.5) * step_y);
        const double w = frame_.format().width;
        const double h = frame_.format().height;
        const bool area = tensor_.sampling == zero_copy::Sampling::Area;
        const bool mean_x = area && step_x > 1.0;
        const bool mean_y = area && step_y > 1.0;
        const double x0 = std::clamp(region_.x + (x * step_x), 0.0, w);
        const double x1 = std::clamp(region_.x + ((x + 1) * step_x), 0.0, w);
        const double y0 = std::clamp(region_.y + (y * step_y), 0.0, h);
        const double y1 = std::clamp(region_.y + ((y + 1) * step_y), 0.0, h);
        const double share_x = mean_x ? (x1 - x0) / step_x : (cx >= 0.0 && cx < w ? 1.0 : 0.0);
        const double share_y = mean_y ? (y1 - y0) / step_y : (cy >= 0.0 && cy < h ? 1.0 : 0.0);
        const double share = share_x * share_y;
        if (share == 0.0) {
            return mixed({}, 0.0);
        }
        std::array<double, 3> codes{};
        for (int c = 0; c < 3 && frame_.has(c); ++c) {
            auto& code = codes[static_cast<std::size_t>(c)];
            if (tensor_.sampling == zero_copy::Sampling::Nearest) {
                code = nearest(frame_, c, cx, cy);
            } else if (!mean_x && !mean_y) {
                code = bilinear(frame_, c, cx - 0.5, cy - 0.5);
            } else {
                code = mean(c, mean_x, mean_y, {x0, x1, cx}, {y0, y1, cy});
            }
        }
        return mixed(codes, share);
    }

    [[nodiscard]] double mean(int c, bool mean_x, bool mean_y, const std::array<double, 3>& across,
                              const std::array<double, 3>& down) const {
        const bool chroma = frame_.is_chroma(c);
        const zero_copy::PixelFormat format = frame_.format().pixel_format;
        const SiteInPixels site = chroma ? chroma_site_in_pixels(frame_.format()) : SiteInPixels{};
        const double size_x = chroma ? 1 << chroma_shift_x(format) : 1;
        const double size_y = chroma ? 1 << chroma_shift_y(format) : 1;
        const auto wx = mean_x
                            ? shares(across[0], across[1], site.x + 0.5, size_x, frame_.columns(c))
                            : bilinear_shares(across[2], site.x + 0.5, size_x, frame_.columns(c));
        const auto wy = mean_y ? shares(down[0], down[1], site.y + 0.5, size_y, frame_.rows(c))
                               : bilinear_shares(down[2], site.y + 0.5, size_y, frame_.rows(c));
        double sum = 0.0;
        for (int j = 0; j < frame_.rows(c); ++j) {
            if (wy[static_cast<std::size_t>(j)] == 0.0) {
                continue;
            }
            for (int i = 0; i < frame_.columns(c); ++i) {
                sum += wx[static_cast<std::size_t>(i)] * wy[static_cast<std::size_t>(j)] *
                       frame_.code(c, i, j);
            }
        }
        return sum;
    }

    // Turned: points of a regular grid inside the tensor pixel, one a source pixel when shrinking.
    [[nodiscard]] std::array<double, 3> turned(std::uint32_t x, std::uint32_t y) const {
        const bool area = tensor_.sampling == zero_copy::Sampling::Area;
        const int nx = area ? static_cast<int>(std::ceil(region_.width / tensor_.width)) : 1;
        const int ny = area ? static_cast<int>(std::ceil(region_.height / tensor_.height)) : 1;
        std::array<double, 3> codes{};
        int inside = 0;
        for (int j = 0; j < ny; ++j) {
            for (int i = 0; i < nx; ++i) {
                const double u = ((x + ((i + 0.5) / nx)) / tensor_.width) - 0.5;
                const double v = ((y + ((j + 0.5) / ny)) / tensor_.height) - 0.5;
                const double dx = u * region_.width;
                const double dy = v * region_.height;
                const double angle = region_.rotation_radians;
                const double px = region_.x + (region_.width / 2) + (dx * std::cos(angle)) -
                                  (dy * std::sin(angle));
                const double py = region_.y + (region_.height / 2) + (dx * std::sin(angle)) +
                                  (dy * std::cos(angle));
                if (px < 0 || py < 0 || px >= frame_.format().width ||
                    py >= frame_.format().height) {
                    continue;
                }
                ++inside;
                for (int c = 0; c < 3 && frame_.has(c); ++c) {
                    codes[static_cast<std::size_t>(c)] +=
                        tensor_.sampling == zero_copy::Sampling::Nearest
                            ? nearest(frame_, c, px, py)
                            : bilinear(frame_, c, px - 0.5, py - 0.5);
                }
            }
        }
        if (inside == 0) {
            return mixed({}, 0.0);
        }
        for (double& code : codes) {
            code /= inside;
        }
        const double share = static_cast<double>(inside) / (nx * ny);
        return mixed(codes, share);
    }

    const TestFrame& frame_;
    zero_copy::SourceRegion region_;
    zero_copy::TensorFormat tensor_;
};

} // namespace sluice::testing
