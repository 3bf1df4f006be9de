// SPDX-License-Identifier: Apache-2.0
// What every device's FrameToTensor starts from.
#include "zero_copy/tensor_transform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/base/checked_math.h"
#include "core/base/result.h"
#include "zero_copy/color.h"
#include "zero_copy/frame.h"
#include "zero_copy/frame_to_tensor.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/strip_kernels.h"

namespace sluice::zero_copy {

namespace {

// Positions are exact to far less than a code within this distance, and fit an int.
constexpr double kMaxCoordinate = 1e9;
constexpr std::uint32_t kMaxTensorSide = 1U << 28U;

} // namespace

std::size_t channel_count(ChannelOrder order) {
    return order == ChannelOrder::Luma ? 1 : 3;
}

Status check_sampling(const FrameFormat& frame, const SourceRegion& region,
                      const TensorFormat& tensor) {
    if (frame.width == 0 || frame.height == 0 || frame.width > kMaxTensorSide ||
        frame.height > kMaxTensorSide) {
        return fail(ErrorCode::InvalidArgument,
                    "frame to tensor: frame size {}x{} must lie within 1 and {}", frame.width,
                    frame.height, kMaxTensorSide);
    }
    const auto values =
        checked_product<std::size_t>(sizeof(float), tensor.width, tensor.height, 3U);
    if (tensor.width == 0 || tensor.height == 0 || tensor.width > kMaxTensorSide ||
        tensor.height > kMaxTensorSide || !values) {
        return fail(ErrorCode::InvalidArgument,
                    "frame to tensor: tensor size {}x{} must lie within 1 and {}", tensor.width,
                    tensor.height, kMaxTensorSide);
    }
    const auto bounded = [](double v) { return std::abs(v) <= kMaxCoordinate; };
    if (!bounded(region.x) || !bounded(region.y) || !bounded(region.width) ||
        !bounded(region.height) || !std::isfinite(region.rotation_radians)) {
        return fail(ErrorCode::InvalidArgument,
                    "frame to tensor: region {}x{} at ({}, {}) turned by {} is not finite or not "
                    "within {} pixels",
                    region.width, region.height, region.x, region.y, region.rotation_radians,
                    kMaxCoordinate);
    }
    if (!(region.width > 0.0) || !(region.height > 0.0)) {
        return fail(ErrorCode::InvalidArgument, "frame to tensor: region {}x{} is empty",
                    region.width, region.height);
    }
    if (!std::isfinite(tensor.low) || !std::isfinite(tensor.high) || !std::isfinite(tensor.fill)) {
        return fail(ErrorCode::InvalidArgument,
                    "frame to tensor: values {}..{} with fill {} are not finite", tensor.low,
                    tensor.high, tensor.fill);
    }
    return {};
}

TensorTransform tensor_transform(const FrameFormat& frame, const TensorFormat& tensor) {
    const double scale = static_cast<double>(tensor.high) - static_cast<double>(tensor.low);
    const double low = tensor.low;
    TensorTransform out;
    out.minimum = std::min(tensor.low, tensor.high);
    out.maximum = std::max(tensor.low, tensor.high);
    const auto set = [&](std::size_t channel, const Vector3& weights, double offset) {
        for (std::size_t i = 0; i < 3; ++i) {
            out.matrix[channel][i] = static_cast<float>(weights[i] * scale);
        }
        out.offset[channel] = static_cast<float>((offset * scale) + low);
    };
    if (tensor.channels == ChannelOrder::Luma) {
        const LumaTransform luma = codes_to_luma(frame);
        set(0, luma.weights, luma.offset);
        return out;
    }
    const AffineTransform rgb = codes_to_rgb(frame);
    for (std::size_t channel = 0; channel < 3; ++channel) {
        const std::size_t from = tensor.channels == ChannelOrder::Bgr ? 2 - channel : channel;
        set(channel, rgb.matrix[from], rgb.offset[from]);
    }
    return out;
}

std::array<bool, 3> wanted_components(const FrameFormat& frame, ChannelOrder channels) {
    const bool luma_only =
        info(frame.pixel_format).model != ColorModel::Rgb && channels == ChannelOrder::Luma;
    const bool others = !luma_only && info(frame.pixel_format).model != ColorModel::Gray;
    return {true, others, others};
}

} // namespace sluice::zero_copy
