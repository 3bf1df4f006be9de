// SPDX-License-Identifier: Apache-2.0
// MaskSampler: tables of columns, rows on the fly.
#include "zero_copy/mask_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "zero_copy/frame.h"
#include "zero_copy/mask_taps.h"
#include "zero_copy/sample_group.h"
#include "zero_copy/strip_kernels.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::zero_copy {

namespace {

constexpr std::size_t kMaxSpan = 1024; // mask columns under a strip for the fast way
constexpr float kUnit = 1.0F / 255.0F;

bool is_uniform(const std::uint8_t* bytes, std::size_t count) {
    return count < 2 || std::memcmp(bytes, bytes + 1, count - 1) == 0;
}

} // namespace

MaskSampler::MaskSampler(const FrameFormat& frame, const SampleGroup& group)
    : offset_y_(site_offset(group, frame.color.chroma_site).y),
      offset_x_(site_offset(group, frame.color.chroma_site).x),
      rows_in_frame_(static_cast<double>(frame.height) / (1U << group.shift_y)),
      columns_in_frame_(static_cast<double>(frame.width) / (1U << group.shift_x)),
      first_(group.columns(frame.width)), weight_(group.columns(frame.width)) {}

void MaskSampler::prepare(std::uint32_t mask_width, std::uint32_t mask_height) {
    mask_height_ = mask_height;
    if (mask_width == mask_width_) {
        return;
    }
    mask_width_ = mask_width;
    const double scale = mask_width / columns_in_frame_;
    same_width_ = first_.size() == mask_width;
    for (std::size_t i = 0; i < first_.size(); ++i) {
        const double at = (static_cast<double>(i) + 0.5 - offset_x_) * scale;
        const MaskTaps taps = mask_taps(at - 0.5, mask_width);
        first_[i] = taps.first;
        weight_[i] = taps.weight;
        same_width_ = same_width_ && at - 0.5 == static_cast<double>(i);
    }
}

std::optional<std::uint8_t> MaskSampler::sample(const BackgroundBlend::Mask& mask, std::size_t y,
                                                std::size_t x, std::size_t count,
                                                float* out) const {
    const double at = (static_cast<double>(y) + 0.5 - offset_y_) * (mask_height_ / rows_in_frame_);
    const MaskTaps down = mask_taps(at - 0.5, mask_height_);
    const std::uint8_t* const upper =
        mask.data + (static_cast<std::size_t>(down.first) * mask.stride_bytes);
    const std::uint8_t* const lower = mask_height_ > 1 ? upper + mask.stride_bytes : upper;
    if (same_width_) {
        lerp_bytes(upper + x, lower + x, down.weight, kUnit, count, out);
        return std::nullopt;
    }
    const std::int32_t* const first = first_.data() + x;
    const float* const weight = weight_.data() + x;
    const auto begin = static_cast<std::size_t>(first[0]);
    const std::size_t end =
        std::min<std::size_t>(static_cast<std::size_t>(first[count - 1]) + 2, mask_width_);
    if (upper[begin] == lower[begin] && is_uniform(upper + begin, end - begin) &&
        is_uniform(lower + begin, end - begin)) {
        std::fill_n(out, count, static_cast<float>(upper[begin]) * kUnit);
        return upper[begin];
    }
    if (end - begin <= kMaxSpan) {
        std::array<float, kMaxSpan + 1 + kGatherPadding>
            columns; // NOLINT: filled as far as it is read
        lerp_bytes(upper + begin, lower + begin, down.weight, kUnit, end - begin, columns.data());
        columns[end - begin] = columns[end - begin - 1];
        gather_lerp(columns.data(), first[0], first, weight, count, out);
        return std::nullopt;
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto left = static_cast<std::size_t>(first[i]);
        const std::size_t right = std::min<std::size_t>(left + 1, mask_width_ - 1);
        const auto column = [&](std::size_t k) {
            const auto a = static_cast<float>(upper[k]);
            return a + ((static_cast<float>(lower[k]) - a) * down.weight);
        };
        const float a = column(left);
        out[i] = (a + ((column(right) - a) * weight[i])) * kUnit;
    }
    return std::nullopt;
}

} // namespace sluice::zero_copy
