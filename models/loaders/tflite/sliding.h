// SPDX-License-Identifier: Apache-2.0
// A file's options of sliding windows as the numbers that TensorFlow's operators take.
#pragma once

#include "core/base/result.h"
#include "models/loaders/tensorflow/convolution.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

// Strides and padding; dilations are left at 1.
template <typename Options>
[[nodiscard]] Result<tensorflow::Sliding> sliding_of(const Options& options) {
    tensorflow::Sliding sliding{.strides = {options.stride_h(), options.stride_w()}};
    switch (options.padding()) {
    case schema::Padding::SAME: sliding.padding = tensorflow::Padding::Same; return sliding;
    case schema::Padding::VALID: sliding.padding = tensorflow::Padding::Valid; return sliding;
    }
    return fail(ErrorCode::Parse, "padding {} is neither SAME nor VALID",
                static_cast<int>(options.padding()));
}

} // namespace sluice::models::tflite
