// SPDX-License-Identifier: Apache-2.0
// `sluice run`: its options, and its two ways: rendering a file and reporting results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/engine.h"

namespace sluice::cli {

enum class Task { FaceDetection, Segmentation, SuperResolution, Redact };

struct RunOptions {
    std::string input;
    std::string output; // empty: none
    std::string task_name;
    Task task = Task::FaceDetection;
    std::string model; // empty: the task's own
    EngineOptions engine;
    std::string effect; // empty: blur
    std::string color;  // RRGGBB; empty: the element's own
    std::string picture;
    std::string mask;                // empty: none
    std::optional<std::string> json; // a path, or "" for stdout
    std::uint32_t tile_size = 0;
    float score_threshold = 0.5F;
    std::uint32_t frames = 0; // stop after so many; 0: all
};

// Writes options.output through our elements. The file appears when it is complete.
[[nodiscard]] Status render(const RunOptions& options);

// Runs the task on every frame and writes options.json and options.mask.
[[nodiscard]] Status report(const RunOptions& options);

} // namespace sluice::cli
