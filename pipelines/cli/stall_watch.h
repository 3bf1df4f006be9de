// SPDX-License-Identifier: Apache-2.0
// Notices that a pipeline which should be opening a file will never do so.
#pragma once

#include <chrono>

#include "pipelines/cli/cost.h"

namespace sluice::cli {

// GStreamer's decodebin drops the error of a demuxer that fails while it is being linked (1.26.2,
// about one truncated MP4 in ten): no frame, no error and no end of stream follow. A process that
// waits for a local file and does nothing for ten seconds has met that.
class StallWatch {
public:
    // To be asked every now and then until the first frame.
    [[nodiscard]] bool is_stalled() {
        const auto now = std::chrono::steady_clock::now();
        if (cpu_seconds() - cpu_ > kIdleSeconds) {
            cpu_ = cpu_seconds();
            since_ = now;
        }
        return now - since_ > std::chrono::seconds(10);
    }

private:
    static constexpr double kIdleSeconds = 0.02; // what the asking itself may cost meanwhile

    double cpu_ = cpu_seconds();
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

} // namespace sluice::cli
