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

#include "core/base/checked_math.h"
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
      first_(group.columns(frame.width)), weight_(group.columns(frame.width)),
      down_(group.rows(frame.height)) {}

void MaskSampler::resize(std::uint32_t mask_width, std::uint32_t mask_height) {
    mask_width_ = mask_width;
    mask_height_ = mask_height;
    const double scale = mask_width / columns_in_frame_;
    same_width_ = first_.size() == mask_width;
    for (std::size_t i = 0; i < first_.size(); ++i) {
        const double at = (static_cast<double>(i) + 0.5 - offset_x_) * scale;
        const MaskTaps taps = mask_taps(at - 0.5, mask_width);
        first_[i] = taps.first;
        weight_[i] = taps.weight;
        same_width_ = same_width_ && at - 0.5 == static_cast<double>(i);
    }
    for (std::size_t y = 0; y < down_.size(); ++y) {
        const double at =
            (static_cast<double>(y) + 0.5 - offset_y_) * (mask_height / rows_in_frame_);
        down_[y] = mask_taps(at - 0.5, mask_height);
    }
    bytes_.resize(mask_height * div_ceil(first_.size(), kStrip));
}

void MaskSampler::prepare(const BackgroundBlend::Mask& mask) {
    if (mask.width != mask_width_ || mask.height != mask_height_) {
        resize(mask.width, mask.height);
    }
    std::int16_t* to = bytes_.data();
    for (std::size_t row = 0; row < mask_height_; ++row) {
        const std::uint8_t* const bytes = mask.data + (row * mask.stride_bytes);
        for (std::size_t x = 0; x < first_.size(); x += kStrip) {
            const std::size_t last = std::min(x + kStrip, first_.size()) - 1;
            const auto begin = static_cast<std::size_t>(first_[x]);
            const std::size_t end =
                std::min<std::size_t>(static_cast<std::size_t>(first_[last]) + 2, mask_width_);
            *to++ = is_uniform(bytes + begin, end - begin) ? std::int16_t{bytes[begin]} : kMixed;
        }
    }
}

std::optional<std::uint8_t> MaskSampler::only(std::size_t begin, std::size_t end,
                                              std::size_t x) const {
    const auto top = static_cast<std::size_t>(down_[begin].first);
    const std::size_t bottom =
        std::min<std::size_t>(static_cast<std::size_t>(down_[end - 1].first) + 2, mask_height_);
    const std::size_t strips = div_ceil(first_.size(), kStrip);
    const std::int16_t* const bytes = bytes_.data() + (x / kStrip);
    const std::int16_t value = bytes[top * strips];
    for (std::size_t row = top + 1; row < bottom && value != kMixed; ++row) {
        if (bytes[row * strips] != value) {
            return std::nullopt;
        }
    }
    return value == kMixed ? std::nullopt : std::optional(static_cast<std::uint8_t>(value));
}

void MaskSampler::sample(const BackgroundBlend::Mask& mask, std::size_t y, std::size_t x,
                         std::size_t count, float* out) const {
    const MaskTaps& down = down_[y];
    const std::uint8_t* const upper =
        mask.data + (static_cast<std::size_t>(down.first) * mask.stride_bytes);
    const std::uint8_t* const lower = mask_height_ > 1 ? upper + mask.stride_bytes : upper;
    if (same_width_) {
        return lerp_bytes(upper + x, lower + x, down.weight, kUnit, count, out);
    }
    const std::int32_t* const first = first_.data() + x;
    const float* const weight = weight_.data() + x;
    const auto begin = static_cast<std::size_t>(first[0]);
    const std::size_t end =
        std::min<std::size_t>(static_cast<std::size_t>(first[count - 1]) + 2, mask_width_);
    if (end - begin <= kMaxSpan) {
        std::array<float, kMaxSpan + 1 + kGatherPadding>
            columns; // NOLINT: filled as far as it is read
        lerp_bytes(upper + begin, lower + begin, down.weight, kUnit, end - begin, columns.data());
        columns[end - begin] = columns[end - begin - 1];
        return gather_lerp(columns.data(), first[0], first, weight, count, out);
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
}

} // namespace sluice::zero_copy
