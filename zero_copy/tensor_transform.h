// SPDX-License-Identifier: Apache-2.0
// The colour half of FrameToTensor, and its validation: the same for the CPU and for devices.
#pragma once

#include <array>
#include <cstddef>

#include "core/base/result.h"
#include "zero_copy/frame.h"
#include "zero_copy/frame_to_tensor.h"
#include "zero_copy/strip_kernels.h"

namespace sluice::zero_copy {

[[nodiscard]] std::size_t channel_count(ChannelOrder order);

// InvalidArgument for sizes of 0 or a region that is empty or not finite.
[[nodiscard]] Status check_sampling(const FrameFormat& frame, const SourceRegion& region,
                                    const TensorFormat& tensor);
// From codes to the tensor's values.
[[nodiscard]] TensorTransform tensor_transform(const FrameFormat& frame,
                                               const TensorFormat& tensor);
// Components that reach the tensor.
[[nodiscard]] std::array<bool, 3> wanted_components(const FrameFormat& frame,
                                                    ChannelOrder channels);

} // namespace sluice::zero_copy
