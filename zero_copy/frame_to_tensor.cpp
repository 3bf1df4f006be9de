// SPDX-License-Identifier: Apache-2.0
// FrameToTensor: validation, tables and the loop over rows.
#include "zero_copy/frame_to_tensor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/runtime/thread_pool.h"
#include "zero_copy/frame.h"
#include "zero_copy/frame_sampler.h"
#include "zero_copy/sampling.h"
#include "zero_copy/strip_kernels.h"
#include "zero_copy/tensor_transform.h"
#include "zero_copy/turned_sampler.h"

namespace sluice::zero_copy {

namespace {

// Output pixels worth handing to another thread.
constexpr std::size_t kPixelsPerTask = 16384;

} // namespace

SourceRegion stretch(std::uint32_t width, std::uint32_t height) {
    return {.width = static_cast<double>(width), .height = static_cast<double>(height)};
}

SourceRegion letterbox(std::uint32_t width, std::uint32_t height, std::uint32_t tensor_width,
                       std::uint32_t tensor_height) {
    const double w = width;
    const double h = height;
    const double scale = std::max(w / tensor_width, h / tensor_height);
    const double region_width = scale * tensor_width;
    const double region_height = scale * tensor_height;
    return {.x = (w - region_width) / 2.0,
            .y = (h - region_height) / 2.0,
            .width = region_width,
            .height = region_height};
}

struct FrameToTensor::Tables {
    FrameFormat frame;
    SourceRegion region;
    TensorFormat tensor;
    TensorTransform transform;
    double cosine = 1.0;
    double sine = 0.0;
    AxisCoverage columns;
    AxisCoverage rows;
    std::optional<FrameSampler> straight;
    std::optional<TurnedSampler> turned;
    std::array<bool, 3> wanted{};
    // Turned regions: points averaged along each side of an output pixel.
    std::uint32_t grid_x = 1;
    std::uint32_t grid_y = 1;

    // Writes pixels [x, x + count) of row y from strips of codes.
    void convert(const std::array<const float*, 3>& codes, std::size_t y, std::size_t x,
                 std::size_t count, std::span<float> out) const;
    // Mixes `fill` into those pixels where `share` of them is below 1.
    void mix_fill(std::span<const float> share, float row_share, std::size_t y, std::size_t x,
                  std::span<float> out) const;
    void fill(std::size_t y, std::size_t x, std::size_t count, std::span<float> out) const;
    void straight_row(const FrameView& view, std::uint32_t y, std::span<float> out) const;
    void turned_row(const FrameView& view, std::uint32_t y, std::span<float> out) const;
    [[nodiscard]] Point to_frame(double tensor_x, double tensor_y) const;

    // Calls visit(first value of the pixel, its distance to the next channel) for a pixel run.
    template <typename Visit>
    void each_value(std::size_t y, std::size_t x, std::size_t count, std::span<float> out,
                    const Visit& visit) const {
        const std::size_t channels = channel_count(tensor.channels);
        const bool planar = tensor.layout == TensorLayout::Nchw;
        const std::size_t plane = std::size_t{tensor.width} * tensor.height;
        const std::size_t first = (y * tensor.width) + x;
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t c = 0; c < channels; ++c) {
                visit(i, out[planar ? (c * plane) + first + i : ((first + i) * channels) + c]);
            }
        }
    }
};

FrameToTensor::Point FrameToTensor::Tables::to_frame(double tensor_x, double tensor_y) const {
    const double dx = ((tensor_x / tensor.width) - 0.5) * region.width;
    const double dy = ((tensor_y / tensor.height) - 0.5) * region.height;
    return {.x = region.x + (region.width / 2.0) + (dx * cosine) - (dy * sine),
            .y = region.y + (region.height / 2.0) + (dx * sine) + (dy * cosine)};
}

void FrameToTensor::Tables::convert(const std::array<const float*, 3>& codes, std::size_t y,
                                    std::size_t x, std::size_t count, std::span<float> out) const {
    const std::size_t plane = std::size_t{tensor.width} * tensor.height;
    float* const first = out.data() + (y * tensor.width) + x;
    if (tensor.channels == ChannelOrder::Luma) {
        convert_planar(transform, codes, count, 1, {first, nullptr, nullptr});
    } else if (tensor.layout == TensorLayout::Nchw) {
        convert_planar(transform, codes, count, 3, {first, first + plane, first + (2 * plane)});
    } else {
        convert_interleaved(transform, codes, count, out.data() + (3 * ((y * tensor.width) + x)));
    }
}

void FrameToTensor::Tables::fill(std::size_t y, std::size_t x, std::size_t count,
                                 std::span<float> out) const {
    each_value(y, x, count, out, [&](std::size_t, float& value) { value = tensor.fill; });
}

void FrameToTensor::Tables::mix_fill(std::span<const float> share, float row_share, std::size_t y,
                                     std::size_t x, std::span<float> out) const {
    each_value(y, x, share.size(), out, [&](std::size_t i, float& value) {
        value = tensor.fill + ((value - tensor.fill) * share[i] * row_share);
    });
}

void FrameToTensor::Tables::straight_row(const FrameView& view, std::uint32_t y,
                                         std::span<float> out) const {
    if (y < rows.begin || y >= rows.end) {
        fill(y, 0, tensor.width, out);
        return;
    }
    fill(y, 0, columns.begin, out);
    fill(y, columns.end, tensor.width - columns.end, out);
    std::array<std::array<float, kStripPixels>, 3> strips; // NOLINT: filled as far as it is read
    const std::array<float*, 3> sampled{strips[0].data(), strips[1].data(), strips[2].data()};
    std::array<const float*, 3> codes{};
    for (std::size_t c = 0; c < 3; ++c) {
        // Unwanted components have coefficients of 0.
        codes[c] = strips[wanted[c] ? c : 0].data();
    }
    for (std::size_t x = columns.begin; x < columns.end; x += kStripPixels) {
        const std::size_t count = std::min<std::size_t>(kStripPixels, columns.end - x);
        straight->sample(view, y, x, count, sampled);
        convert(codes, y, x, count, out);
        const std::span<const float> share = std::span(columns.share).subspan(x, count);
        // Coverage only falls below 1 at the ends.
        if (rows.share[y] < 1.0F || share.front() < 1.0F || share.back() < 1.0F) {
            mix_fill(share, rows.share[y], y, x, out);
        }
    }
}

void FrameToTensor::Tables::turned_row(const FrameView& view, std::uint32_t y,
                                       std::span<float> out) const {
    std::array<std::array<float, kStripPixels>, 3> strips; // NOLINT: filled as far as it is read
    std::array<float, kStripPixels> share;                 // NOLINT: the same
    const bool nearest = tensor.sampling == Sampling::Nearest;
    const double points = static_cast<double>(grid_x) * grid_y;
    for (std::size_t x = 0; x < tensor.width; x += kStripPixels) {
        const std::size_t count = std::min<std::size_t>(kStripPixels, tensor.width - x);
        for (std::size_t i = 0; i < count; ++i) {
            std::array<float, 3> sum{};
            std::size_t inside = 0;
            for (std::uint32_t v = 0; v < grid_y; ++v) {
                for (std::uint32_t u = 0; u < grid_x; ++u) {
                    const Point at = to_frame(static_cast<double>(x + i) + ((u + 0.5) / grid_x),
                                              static_cast<double>(y) + ((v + 0.5) / grid_y));
                    if (at.x >= 0.0 && at.y >= 0.0 && at.x < frame.width && at.y < frame.height) {
                        turned->add(view, at.x, at.y, nearest, sum);
                        ++inside;
                    }
                }
            }
            const float scale = 1.0F / static_cast<float>(std::max<std::size_t>(inside, 1));
            for (std::size_t c = 0; c < 3; ++c) {
                strips[c][i] = sum[c] * scale;
            }
            share[i] = static_cast<float>(static_cast<double>(inside) / points);
        }
        convert({strips[0].data(), strips[1].data(), strips[2].data()}, y, x, count, out);
        mix_fill(std::span(share).first(count), 1.0F, y, x, out);
    }
}

FrameToTensor::FrameToTensor(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}
FrameToTensor::FrameToTensor(FrameToTensor&&) noexcept = default;
FrameToTensor& FrameToTensor::operator=(FrameToTensor&&) noexcept = default;
FrameToTensor::~FrameToTensor() = default;

Result<FrameToTensor> FrameToTensor::create(const FrameFormat& frame, const SourceRegion& region,
                                            const TensorFormat& tensor) {
    SLUICE_TRY(check_sampling(frame, region, tensor));
    auto tables = std::make_unique<Tables>();
    tables->frame = frame;
    tables->region = region;
    tables->tensor = tensor;
    tables->transform = tensor_transform(frame, tensor);
    tables->wanted = wanted_components(frame, tensor.channels);
    const AxisSpan across{.origin = region.x,
                          .extent = region.width,
                          .outputs = tensor.width,
                          .samples = frame.width};
    const AxisSpan down{.origin = region.y,
                        .extent = region.height,
                        .outputs = tensor.height,
                        .samples = frame.height};
    if (region.rotation_radians == 0.0) {
        tables->columns = axis_coverage(across, tensor.sampling);
        tables->rows = axis_coverage(down, tensor.sampling);
        tables->straight.emplace(frame, across, down, tensor.sampling, tables->wanted);
    } else {
        tables->cosine = std::cos(region.rotation_radians);
        tables->sine = std::sin(region.rotation_radians);
        tables->turned.emplace(frame);
        if (tensor.sampling == Sampling::Area) {
            tables->grid_x = static_cast<std::uint32_t>(std::ceil(std::max(across.scale(), 1.0)));
            tables->grid_y = static_cast<std::uint32_t>(std::ceil(std::max(down.scale(), 1.0)));
        }
    }
    return FrameToTensor(std::move(tables));
}

void FrameToTensor::run(const FrameView& view, std::span<float> out,
                        runtime::ThreadPool& threads) const {
    const Tables& tables = *tables_;
    const TensorFormat& tensor = tables.tensor;
    const std::size_t values =
        std::size_t{tensor.width} * tensor.height * channel_count(tensor.channels);
    if (view.format() != tables.frame || out.size() < values) {
        return;
    }
    const std::size_t grain = std::max<std::size_t>(1, kPixelsPerTask / tensor.width);
    threads.parallel_for(tensor.height, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t y = begin; y < end; ++y) {
            const auto row = static_cast<std::uint32_t>(y);
            if (tables.straight) {
                tables.straight_row(view, row, out);
            } else {
                tables.turned_row(view, row, out);
            }
        }
    });
}

const FrameFormat& FrameToTensor::frame_format() const {
    return tables_->frame;
}

const SourceRegion& FrameToTensor::region() const {
    return tables_->region;
}

FrameToTensor::Point FrameToTensor::to_frame(double tensor_x, double tensor_y) const {
    return tables_->to_frame(tensor_x, tensor_y);
}

} // namespace sluice::zero_copy
