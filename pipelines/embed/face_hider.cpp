// SPDX-License-Identifier: Apache-2.0
// Detection and redaction, one after the other.
#include "pipelines/embed/face_hider.h"

#include <memory>
#include <utility>

#include "core/base/result.h"

namespace sluice::embed {

// Boxes end at brows and chin; hair and ears tell who it is, too.
constexpr float kMargin = 0.15F;

FaceHider::FaceHider(tasks::FaceDetector detector, tasks::FrameRedactor redactor)
    : detector_(std::move(detector)), redactor_(std::move(redactor)) {}

Result<FaceHider> FaceHider::create(const EngineOptions& engine, std::uint32_t tile_size) {
    SLUICE_TRY_ASSIGN(auto detector,
                      tasks::FaceDetector::create({.engine = engine, .tile_size = tile_size}));
    SLUICE_TRY_ASSIGN(auto redactor,
                      tasks::FrameRedactor::create(
                          {.effect = zero_copy::RedactEffect::Pixelate, .engine = engine}));
    return FaceHider(std::move(detector), std::move(redactor));
}

Result<std::size_t> FaceHider::hide(const zero_copy::ExternalFrame& frame) {
    SLUICE_TRY_ASSIGN(const auto faces, detector_.detect(frame, *ledger_));
    boxes_.clear();
    for (const tasks::Face& face : faces) {
        const float grow_x = kMargin * face.width;
        const float grow_y = kMargin * face.height;
        boxes_.push_back({.x = face.x - grow_x,
                          .y = face.y - grow_y,
                          .width = face.width + 2 * grow_x,
                          .height = face.height + 2 * grow_y});
    }
    SLUICE_TRY(redactor_.run(frame, boxes_, *ledger_));
    return boxes_.size();
}

} // namespace sluice::embed
