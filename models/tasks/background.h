// SPDX-License-Identifier: Apache-2.0
// Backgrounds of frames where they lie, by a mask that somebody else made.
#pragma once

#include <memory>
#include <string_view>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "zero_copy/device_matte.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::tasks {

// What zero_copy::BackgroundBlend does, on a Vulkan device: the frame stays where it lies, and of a
// mask that the host has only that is handed to the device. A DeviceMatte spares that, too, as does
// Segmenter::blend_background(). Not thread-safe; one a stream. After the first frame of a format,
// run() allocates nothing.
class FrameBackground {
public:
    // NotFound, Unsupported for the device; see vulkan::Device::open().
    [[nodiscard]] static Result<FrameBackground> create(std::string_view selector);
    FrameBackground(FrameBackground&&) noexcept;
    FrameBackground& operator=(FrameBackground&&) noexcept;
    ~FrameBackground();

    // From now on. A picture is read at the next run().
    void set_background(const zero_copy::BackgroundSettings& settings);
    // The frame is imported; what has to be copied is counted.
    [[nodiscard]] Status run(const zero_copy::ExternalFrame& frame,
                             const zero_copy::BackgroundBlend::Mask& mask, CopyLedger& ledger);
    // The same by a matte that lies on this device, as Segmenter::segment() leaves it: nothing of
    // it passes through the host. Unsupported for a matte of another device.
    [[nodiscard]] Status run(const zero_copy::ExternalFrame& frame,
                             const zero_copy::DeviceMatte& matte, CopyLedger& ledger);
    [[nodiscard]] const std::shared_ptr<vulkan::Device>& device() const;
    // Plain memory that frames lay in is gone: what the device keeps of it goes, too.
    void forget(const zero_copy::MemoryIdentity& memory);

private:
    struct State;
    explicit FrameBackground(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace sluice::tasks
