// SPDX-License-Identifier: Apache-2.0
// Decoded frames of a video or a still, one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/copy_ledger.h"
#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/frame.h"
#include "gst-plugins/common/ref.h"

namespace sluice::cli {

// One frame as it left the decoder.
struct DecodedFrame {
    gst::Ref<GstSample> sample;
    gst::Video video;
    double pts = 0.0; // seconds of stream time; 0 where the stream has none

    // The pixels where they lie.
    [[nodiscard]] Result<gst::MappedFrame> map(CopyLedger& copies) const;
};

class FrameSource {
public:
    // Opens a path or a URI. Decoding starts with the first next().
    [[nodiscard]] static Result<FrameSource> open(const std::string& input);
    FrameSource(FrameSource&&) noexcept = default;
    FrameSource& operator=(FrameSource&&) = delete;
    ~FrameSource();

    // The next frame; nothing at the end. Io: what the decoder says.
    [[nodiscard]] Result<std::optional<DecodedFrame>> next();
    // How far it is, 0..1, or -1.
    [[nodiscard]] double share_done() const;

private:
    FrameSource(gst::Ref<GstElement> pipeline, bool is_file);

    gst::Ref<GstElement> pipeline_;
    gst::Ref<GstElement> sink_;
    bool is_file_ = false;
    bool has_started_ = false;
};

} // namespace sluice::cli
