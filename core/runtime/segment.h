// SPDX-License-Identifier: Apache-2.0
// Segment: consecutive nodes that a device backend runs as one submission.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/kernel.h"

namespace sluice::runtime {

// No operand appears twice in inputs or in outputs; the graph's own come first, in its order.
struct Segment {
    std::vector<const graph::Node*> nodes; // in the graph's order
    std::vector<graph::OperandId> inputs;  // read here, made outside; no constants
    std::vector<graph::OperandId> outputs; // made here, read outside or outputs of the graph
};

// What one run of a segment makes its device do, all of it known beforehand.
struct DeviceWork {
    std::uint32_t dispatches = 0;
    std::uint32_t barriers = 0;
    std::uint32_t copies = 0;             // and fills
    std::uint32_t descriptor_updates = 0; // none where they were all written before the first run
    std::uint64_t bytes = 0;              // read and written, once by each dispatch and copy
};

// A kernel whose inputs and outputs are those of a segment. Where the device's memory is the
// host's too, the runtime places the segment's tensors in it, so that nothing is copied at its
// borders: run() copies only between memory that differs from what *_memory() named.
class SegmentKernel : public Kernel {
public:
    // Empty where the host does not see the tensor's device memory. Else aligned to
    // kTensorAlignment, at one place for the kernel's life, and no other tensor's: what the caller
    // wrote before one run() is still there for the next, and an output stays until the next.
    [[nodiscard]] virtual std::span<std::byte> input_memory(std::size_t i) const = 0;
    [[nodiscard]] virtual std::span<std::byte> output_memory(std::size_t i) const = 0;
    // Bytes that every run() copies over the segment's border, wherever its caller's tensors lie:
    // all of those without *_memory(), and what is staged behind it.
    [[nodiscard]] virtual std::uint64_t border_bytes() const = 0;
    [[nodiscard]] virtual DeviceWork work() const = 0;
    // Whether the last run() succeeded: DeviceLost, OutOfMemory.
    [[nodiscard]] virtual Status last_run() const = 0;
};

} // namespace sluice::runtime
