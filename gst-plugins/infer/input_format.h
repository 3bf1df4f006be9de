// SPDX-License-Identifier: Apache-2.0
// How a frame has to look for a model's input: from its shape, its file and the user's wishes.
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/runtime/executable.h"
#include "models/store/store.h"
#include "zero_copy/frame_to_tensor.h"

namespace sluice::gst {

enum class LayoutWish : std::uint8_t { Auto, Nhwc, Nchw };
enum class Channels : std::uint8_t { Rgb, Bgr };
enum class Fit : std::uint8_t { Stretch, Letterbox };

// What the element's properties ask for.
struct InputWishes {
    double offset = 0.0; // value = (code - offset) / scale
    double scale = 0.0;  // 0: what the model says
    Channels channels = Channels::Rgb;
    LayoutWish layout = LayoutWish::Auto;
    Fit fit = Fit::Stretch;
};

// What the codes 0 and 255 become.
struct Range {
    float low = 0.0F;
    float high = 1.0F;
};

// The user's, else the manifest's, else the file's own, else 0..1.
[[nodiscard]] Range input_range(const InputWishes& wishes, const models::Manifest* manifest,
                                const models::ModelInfo& file);

// Unsupported says what a frame cannot be turned into: another rank, type, batch or number of
// channels.
[[nodiscard]] Result<zero_copy::TensorFormat>
input_format(const runtime::TensorInfo& input, const Range& range, const InputWishes& wishes);

} // namespace sluice::gst
