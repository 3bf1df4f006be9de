// SPDX-License-Identifier: Apache-2.0
// Program: a segment of a graph on a Vulkan device, as the kernel that the runtime runs.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/runtime/segment.h"
#include "core/vulkan/memory.h"
#include "core/vulkan/recording.h"

namespace sluice::vulkan {

// Weights packed and uploaded, tensors placed in one aliased arena, pipelines made. run() submits
// one recording and waits. The frame ends of zero_copy put their own dispatches around record().
class Program : public runtime::SegmentKernel {
public:
    [[nodiscard]] virtual const std::shared_ptr<Device>& device() const = 0;
    // Where the segment's inputs and outputs lie on the device: dense, row-major, the operand's
    // own data type.
    [[nodiscard]] virtual BufferRange input(std::size_t i) const = 0;
    [[nodiscard]] virtual BufferRange output(std::size_t i) const = 0;
    // Appends the segment's dispatches: reads input(), writes output(). No copies to or from the
    // host are among them.
    [[nodiscard]] virtual Status record(Recording& recording) const = 0;
    // What one run() makes the device do, copies over the segment's border included.
    [[nodiscard]] virtual RecordingCounts counts() const = 0;
    // The same for the runtime. Descriptors are all written while recording.
    [[nodiscard]] runtime::DeviceWork work() const final {
        const RecordingCounts all = counts();
        return {.dispatches = all.dispatches,
                .barriers = all.barriers,
                .copies = all.copies,
                .descriptor_updates = 0,
                .bytes = all.bytes_moved};
    }
};

} // namespace sluice::vulkan
