// SPDX-License-Identifier: Apache-2.0
// Autotuner: the fastest kernel for each shape, by timing the candidates on the device once.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/vulkan/profile.h"
#include "core/vulkan/step_timer.h"
#include "core/vulkan/tuned_choices.h"
#include "core/vulkan/tuning.h"

namespace sluice::vulkan {

struct AutotunerOptions {
    std::filesystem::path file; // where choices are kept; empty: nowhere
    // For all shapes together. What it does not reach has the table's kernels, and its turn again
    // when it is next compiled.
    std::chrono::nanoseconds budget = std::chrono::seconds(2);
    std::function<std::chrono::nanoseconds()> now; // empty: the steady clock
};

// Thread-safe: one thread times at a time.
class Autotuner {
public:
    // The steps of a node by a tuning's kernels.
    using Lower = std::function<Result<Steps>(const Tuning&)>;

    Autotuner(const DeviceProfile& profile, const Tuning& table, std::unique_ptr<StepTimer> timer,
              AutotunerOptions options);

    // What was chosen for the node's shape, now or earlier. A candidate that fails is not chosen;
    // where all do, the table's kernels are.
    [[nodiscard]] Tuning tuning_of(const graph::Graph& graph, const graph::Node& node,
                                   const Lower& lower);
    // Keeps what was chosen since the last time.
    void save();

private:
    [[nodiscard]] std::chrono::nanoseconds now() const;

    DeviceProfile profile_;
    Tuning table_;
    std::unique_ptr<StepTimer> timer_;
    AutotunerOptions options_;

    std::mutex lock_; // guards what follows, and the timer
    TunedChoices choices_;
    std::chrono::nanoseconds spent_{0};
    bool unsaved_ = false;
};

} // namespace sluice::vulkan
