// SPDX-License-Identifier: Apache-2.0
// DeviceNetwork: frame ends around a program.
#include "zero_copy/device_network.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/vulkan/program.h"
#include "zero_copy/device_sampler.h"
#include "zero_copy/device_tables.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame_runner.h"

namespace sluice::zero_copy {

DeviceNetwork::DeviceNetwork(vulkan::Program& program, std::size_t outputs)
    : program_(&program), runner_(program.device()), copies_(outputs) {}

std::unique_ptr<DeviceNetwork> DeviceNetwork::of(runtime::SegmentKernel* kernel,
                                                 std::size_t outputs) {
    auto* const program = dynamic_cast<vulkan::Program*>(kernel);
    return program == nullptr
               ? nullptr
               : std::unique_ptr<DeviceNetwork>(new DeviceNetwork(*program, outputs));
}

Status DeviceNetwork::prepare_network() {
    if (network_) {
        return {};
    }
    SLUICE_TRY_ASSIGN(vulkan::Recording recording, vulkan::Recording::create(device()));
    SLUICE_TRY(program_->record(recording));
    SLUICE_TRY(recording.finish());
    network_.emplace(std::move(recording));
    return {};
}

Status DeviceNetwork::prepare_outputs() {
    if (prepared_outputs_) {
        return {};
    }
    SLUICE_TRY_ASSIGN(vulkan::Recording recording, vulkan::Recording::create(device()));
    bool any = false;
    for (std::size_t i = 0; i < copies_.size(); ++i) {
        if (program_->output_memory(i).empty()) {
            SLUICE_TRY_ASSIGN(copies_[i], DeviceBuffer::create(device(), program_->output(i).bytes,
                                                               vulkan::Placement::Download));
            SLUICE_TRY(recording.copy(program_->output(i), copies_[i].range()));
            any = true;
        }
    }
    SLUICE_TRY(recording.finish());
    if (any) {
        fetching_.emplace(std::move(recording));
    }
    prepared_outputs_ = true;
    return {};
}

Status DeviceNetwork::record(vulkan::Recording& recording, const DeviceSampler& sampler,
                             const ImportedFrame& frame) const {
    SLUICE_TRY(sampler.record(recording, frame, program_->input(0)));
    return program_->record(recording);
}

Status DeviceNetwork::run(const DeviceSampler& sampler, const ExternalFrame& frame,
                          std::uint64_t variant, CopyLedger& ledger,
                          std::span<vulkan::Recording* const> then) {
    return runner_.run(
        std::array{FrameRunner::Frame{.frame = &frame}}, variant, ledger,
        [&](vulkan::Recording& recording, ImportedFrames frames) {
            return sampler.record(recording, *frames[0], program_->input(0));
        },
        then);
}

Status DeviceNetwork::run(const DeviceSampler& sampler, const ExternalFrame& frame,
                          std::uint64_t variant, CopyLedger& ledger) {
    SLUICE_TRY(prepare_network());
    SLUICE_TRY(prepare_outputs());
    const std::array then{&*network_, fetching_ ? &*fetching_ : nullptr};
    return run(sampler, frame, variant, ledger, std::span(then).first(fetching_ ? 2 : 1));
}

Status DeviceNetwork::run(const DeviceSampler& sampler, const ExternalFrame& frame,
                          std::uint64_t variant, CopyLedger& ledger, vulkan::Recording& then) {
    SLUICE_TRY(prepare_network());
    return run(sampler, frame, variant, ledger, std::array{&*network_, &then});
}

std::span<const std::byte> DeviceNetwork::output_bytes(std::size_t i) const {
    return copies_[i] ? copies_[i].mapped() : program_->output_memory(i);
}

std::span<const float> DeviceNetwork::output_floats(std::size_t i) const {
    const std::span<const std::byte> bytes = output_bytes(i);
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

} // namespace sluice::zero_copy
