// SPDX-License-Identifier: Apache-2.0
// What of the zero-copy path this machine has: findings, each with its meaning and remedy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

enum class State : std::uint8_t {
    Good,
    Missing, // something is not there or not allowed; the frames then take another way
    Info,    // neither good nor bad
};
[[nodiscard]] std::string_view name(State state);

struct Finding {
    std::string section; // "kernel", "camera", "gpu", "gstreamer", "engine", "path"
    std::string name;    // "/dev/udmabuf"
    State state = State::Info;
    std::string found;  // what was seen
    std::string remedy; // what to do about it; empty where nothing has to be done
};

// Each looks at the machine and changes nothing on it. Nothing fails: what cannot be asked is a
// finding, too.
[[nodiscard]] std::vector<Finding> examine_kernel();    // version, udmabuf, dma-heaps, sync_files
[[nodiscard]] std::vector<Finding> examine_nodes();     // cameras and GPUs: who they are, access
[[nodiscard]] std::vector<Finding> examine_gstreamer(); // version, elements, their dmabuf caps

} // namespace sluice::cli
