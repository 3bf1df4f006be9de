// SPDX-License-Identifier: Apache-2.0
// Redaction of frames where they lie: boxes made unrecognisable, in place.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/engine.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::tasks {

struct FrameRedactorOptions {
    zero_copy::RedactEffect effect = zero_copy::RedactEffect::Blur;
    std::uint32_t blocks = 8; // see zero_copy::Redactor
    // Vulkan: on that device; else on the CPU, through the frame's mapping.
    EngineOptions engine;
};

// Not thread-safe; one a stream. After the first frame of a format, run() allocates nothing.
class FrameRedactor {
public:
    // InvalidArgument for blocks that make no sense; NotFound, Unsupported for the device.
    [[nodiscard]] static Result<FrameRedactor> create(const FrameRedactorOptions& options);
    FrameRedactor(FrameRedactor&&) noexcept;
    FrameRedactor& operator=(FrameRedactor&&) noexcept;
    ~FrameRedactor();

    // On a Vulkan device the frame is imported; what has to be copied is counted. Without boxes
    // nothing is touched.
    [[nodiscard]] Status run(const zero_copy::ExternalFrame& frame,
                             std::span<const zero_copy::PixelBox> boxes, CopyLedger& ledger);
    // Plain memory that frames lay in is gone: what the device keeps of it goes, too.
    void forget(const zero_copy::MemoryIdentity& memory);

private:
    struct State;
    explicit FrameRedactor(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace sluice::tasks
