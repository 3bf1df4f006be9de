// SPDX-License-Identifier: Apache-2.0
// DeviceNetwork: a network that runs wholly on a Vulkan device, with frame ends around it: a frame
// is imported, sampled into its input, and its outputs stay on the device or are read by the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/vulkan/program.h"
#include "zero_copy/device_sampler.h"
#include "zero_copy/device_tables.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame_runner.h"

namespace sluice::zero_copy {

// One a stream; one thread at a time. The executable that owns the program outlives this.
class DeviceNetwork {
public:
    // Null unless `kernel` (Executable::program()) is a program of a Vulkan device; `outputs` is
    // how many outputs it has.
    [[nodiscard]] static std::unique_ptr<DeviceNetwork> of(runtime::SegmentKernel* kernel,
                                                           std::size_t outputs);

    [[nodiscard]] const std::shared_ptr<vulkan::Device>& device() const {
        return program_->device();
    }
    [[nodiscard]] FrameRunner& runner() { return runner_; }
    [[nodiscard]] vulkan::BufferRange output(std::size_t i) const { return program_->output(i); }

    // Appends sampling and the network.
    [[nodiscard]] Status record(vulkan::Recording& recording, const DeviceSampler& sampler,
                                const ImportedFrame& frame) const;
    // One frame through the network, for the host to read the outputs. `variant` names the sampler.
    [[nodiscard]] Status run(const DeviceSampler& sampler, const ExternalFrame& frame,
                             std::uint64_t variant, CopyLedger& ledger);
    // The same, followed by work of the caller's on the outputs, which the host does not see.
    [[nodiscard]] Status run(const DeviceSampler& sampler, const ExternalFrame& frame,
                             std::uint64_t variant, CopyLedger& ledger, vulkan::Recording& then);
    // What the last run() for the host gave, and the same as floats.
    [[nodiscard]] std::span<const std::byte> output_bytes(std::size_t i) const;
    [[nodiscard]] std::span<const float> output_floats(std::size_t i) const;

private:
    DeviceNetwork(vulkan::Program& program, std::size_t outputs);
    [[nodiscard]] Status prepare_network();
    [[nodiscard]] Status prepare_outputs();
    [[nodiscard]] Status run(const DeviceSampler& sampler, const ExternalFrame& frame,
                             std::uint64_t variant, CopyLedger& ledger,
                             std::span<vulkan::Recording* const> then);

    vulkan::Program* program_; // borrowed
    FrameRunner runner_;
    // For each output that the host does not see: where it is copied to. Results are no frame data,
    // so the ledger does not count them.
    std::vector<DeviceBuffer> copies_;
    // The same for every frame and sampler: the network, and these copies if there are any.
    std::optional<vulkan::Recording> network_;
    std::optional<vulkan::Recording> fetching_;
    bool prepared_outputs_ = false;
};

} // namespace sluice::zero_copy
