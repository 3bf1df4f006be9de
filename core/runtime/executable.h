// SPDX-License-Identifier: Apache-2.0
// Executable: a graph optimised, partitioned, planned and lowered, ready to run per frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/backend.h"
#include "core/runtime/segment.h"

namespace sluice::runtime {

struct CompileOptions {
    // In order of preference; a node goes to the first that supports it. engine.h picks them from a
    // device's name.
    std::span<const Backend* const> backends;
    unsigned threads = 0; // 0: one per available core
    bool optimize = true; // run the passes
    // What of this machine decides how the backends pack weights; empty: none are kept on disk.
    std::string processor = {};
};

struct TensorInfo {
    std::string name;
    graph::TensorDesc desc;
};

// A node, or the nodes that a device runs in one go, as it will run.
struct PlannedStep {
    std::string title; // "conv2d 'stem'", "12 nodes, conv2d 'stem' to softmax #30"
    std::string backend;
    std::string reason; // why an earlier backend declined; empty where the first one took it
    std::vector<std::string> nodes; // each one's title
    std::optional<DeviceWork> work; // of a run, where a device runs it
};

// Owns its tensors: the caller writes input(i), calls run(), reads output(i). Inputs and outputs
// are aligned to kTensorAlignment and stay where they are for the executable's life; where a device
// shares the host's memory, they lie in it. One thread at a time; different executables are
// independent. run() allocates nothing.
class Executable {
public:
    // Unsupported lists every node that no backend can run.
    [[nodiscard]] static Result<std::unique_ptr<Executable>> compile(graph::Graph graph,
                                                                     const CompileOptions& options);
    ~Executable();
    Executable(const Executable&) = delete;
    Executable& operator=(const Executable&) = delete;

    [[nodiscard]] std::span<const TensorInfo> inputs() const;
    [[nodiscard]] std::span<const TensorInfo> outputs() const;
    [[nodiscard]] std::span<std::byte> input(std::size_t i);
    [[nodiscard]] std::span<const std::byte> output(std::size_t i) const;
    // As floats; the tensor must be float32.
    [[nodiscard]] std::span<float> input_floats(std::size_t i);
    [[nodiscard]] std::span<const float> output_floats(std::size_t i) const;
    // Position of a named tensor, or NotFound that lists the names.
    [[nodiscard]] Result<std::size_t> input_index(std::string_view name) const;
    [[nodiscard]] Result<std::size_t> output_index(std::string_view name) const;

    // Fails only where a device does: DeviceLost, OutOfMemory. Outputs are then undefined.
    [[nodiscard]] Status run();

    // Where one device runs the whole graph: its kernel, whose inputs and outputs are inputs() and
    // outputs(). Frame ends put their own work around it instead of calling run(). Else null.
    [[nodiscard]] SegmentKernel* program();

    // The graph that runs, after the passes.
    [[nodiscard]] const graph::Graph& graph() const;
    [[nodiscard]] std::span<const PlannedStep> steps() const;
    // Bytes of the arena that holds all tensors but constants, and what they would take unshared.
    [[nodiscard]] std::size_t arena_bytes() const;
    [[nodiscard]] std::size_t unshared_bytes() const;
    // Bytes beside them that steps work in, one step after the other.
    [[nodiscard]] std::size_t scratch_bytes() const;
    [[nodiscard]] unsigned threads() const;
    // Bytes that a run copies between the host and devices.
    [[nodiscard]] std::uint64_t border_bytes() const;
    // Runs once with a clock around every step: nanoseconds, in the order of steps().
    [[nodiscard]] Result<std::vector<std::uint64_t>> profile();

private:
    struct State;
    explicit Executable(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace sluice::runtime
