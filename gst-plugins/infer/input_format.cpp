// SPDX-License-Identifier: Apache-2.0
// Detection of an input's layout and range.
#include "gst-plugins/infer/input_format.h"

namespace sluice::gst {

using zero_copy::ChannelOrder;
using zero_copy::TensorFormat;
using zero_copy::TensorLayout;

namespace {

bool is_channel_count(std::uint32_t dim) {
    return dim == 1 || dim == 3;
}

Range of_codes(double offset, double scale) {
    return {.low = static_cast<float>((0.0 - offset) / scale),
            .high = static_cast<float>((255.0 - offset) / scale)};
}

} // namespace

Range input_range(const InputWishes& wishes, const models::Manifest* manifest,
                  const models::ModelInfo& file) {
    if (wishes.scale != 0.0) {
        return of_codes(wishes.offset, wishes.scale);
    }
    if (manifest != nullptr && manifest->has_range) {
        return {.low = manifest->low, .high = manifest->high};
    }
    if (const auto& stated = file.normalization; stated && stated->std != 0.0F) {
        return of_codes(static_cast<double>(stated->mean), static_cast<double>(stated->std));
    }
    return {};
}

Result<TensorFormat> input_format(const runtime::TensorInfo& input, const Range& range,
                                  const InputWishes& wishes) {
    const graph::Shape& shape = input.desc.shape();
    if (input.desc.type() != graph::DataType::Float32 || shape.rank() != 4 || shape[0] != 1) {
        return fail(ErrorCode::Unsupported,
                    "input '{}' is {}; a frame goes into float32[1,height,width,channels] or "
                    "float32[1,channels,height,width]",
                    input.name, to_string(input.desc));
    }
    // Channels last wins where both ends could be channels: [1,3,3,3] is a picture of 3x3.
    const bool last = wishes.layout == LayoutWish::Nhwc ||
                      (wishes.layout == LayoutWish::Auto && is_channel_count(shape[3]));
    const std::uint32_t channels = last ? shape[3] : shape[1];
    if (!is_channel_count(channels)) {
        return fail(ErrorCode::Unsupported,
                    "input '{}' is {}: {} channels; a frame has 1 or 3 (set 'layout' if they lie "
                    "elsewhere)",
                    input.name, to_string(input.desc), channels);
    }
    ChannelOrder order = ChannelOrder::Luma;
    if (channels == 3) {
        order = wishes.channels == Channels::Bgr ? ChannelOrder::Bgr : ChannelOrder::Rgb;
    }
    return TensorFormat{.width = last ? shape[2] : shape[3],
                        .height = last ? shape[1] : shape[2],
                        .channels = order,
                        .layout = last ? TensorLayout::Nhwc : TensorLayout::Nchw,
                        .low = range.low,
                        .high = range.high,
                        .fill = range.low};
}

} // namespace sluice::gst
