// SPDX-License-Identifier: Apache-2.0
// What the example programs do with a frame, whichever door it came through: find its faces and
// make them unrecognisable in place.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/engine.h"
#include "models/tasks/face_detection.h"
#include "models/tasks/redaction.h"
#include "zero_copy/external_frame.h"

namespace sluice::embed {

// Not thread-safe; one a stream.
class FaceHider {
public:
    // `tile_size`: see FaceDetectorOptions.
    [[nodiscard]] static Result<FaceHider> create(const EngineOptions& engine,
                                                  std::uint32_t tile_size = 0);

    // How many faces were hidden. The frame is writable.
    [[nodiscard]] Result<std::size_t> hide(const zero_copy::ExternalFrame& frame);
    // Frame bytes that had to be copied so far.
    [[nodiscard]] std::uint64_t copied_bytes() const { return ledger_->total_bytes(); }

private:
    FaceHider(tasks::FaceDetector detector, tasks::FrameRedactor redactor);

    tasks::FaceDetector detector_;
    tasks::FrameRedactor redactor_;
    std::unique_ptr<CopyLedger> ledger_ = std::make_unique<CopyLedger>();
    std::vector<zero_copy::PixelBox> boxes_;
};

} // namespace sluice::embed
