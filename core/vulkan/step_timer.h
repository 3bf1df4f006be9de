// SPDX-License-Identifier: Apache-2.0
// StepTimer: how long a device takes for some steps.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "core/vulkan/steps.h"

namespace sluice::vulkan {

class StepTimer {
public:
    StepTimer() = default;
    StepTimer(const StepTimer&) = delete;
    StepTimer& operator=(const StepTimer&) = delete;
    virtual ~StepTimer() = default;

    // Nanoseconds that they take once, on whatever lies in their inputs.
    [[nodiscard]] virtual Result<std::uint64_t> time(Steps steps) = 0;
};

// By timestamp queries; where the queue has none, by the clock around a submission, which counts
// the submission's own cost too.
[[nodiscard]] std::unique_ptr<StepTimer> make_step_timer(std::shared_ptr<Device> device);

} // namespace sluice::vulkan
