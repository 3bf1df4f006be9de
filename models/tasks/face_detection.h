// SPDX-License-Identifier: Apache-2.0
// Face detection on frames: BlazeFace short and full range (model cards of MediaPipe Face
// Detection).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "core/engine.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame.h"

namespace sluice::tasks {

struct Point {
    float x = 0.0F;
    float y = 0.0F;
};

// In pixels of the frame; the box may reach past its edges. Keypoints in the model's order: right
// eye, left eye, nose tip, mouth centre, right ear tragion, left ear tragion (the person's own
// right and left).
struct Face {
    float x = 0.0F;
    float y = 0.0F;
    float width = 0.0F;
    float height = 0.0F;
    float score = 0.0F; // 0..1
    std::array<Point, 6> keypoints;
};
inline constexpr std::array<std::string_view, 6> kFaceKeypointNames{
    "right-eye", "left-eye", "nose-tip", "mouth-center", "right-ear-tragion", "left-ear-tragion"};

struct FaceDetectorOptions {
    std::string model = "face-detection-short-range"; // zoo name or path
    EngineOptions engine;
    float score_threshold = 0.5F;
    float iou_threshold = 0.3F; // of the weighted NMS
    std::size_t max_detections = 100;
    // Also search square tiles of about this many frame pixels with 50 % overlap, for faces that
    // are small in a large picture; 0: the whole frame only.
    std::uint32_t tile_size = 0;
    // Where the key of a sealed model is, as models::LoadOptions::key.
    std::string model_key;
};

// Thresholds may change between frames.
struct FaceThresholds {
    float score = 0.5F;
    float iou = 0.3F;
    std::size_t max_detections = 100;
};

// Not thread-safe; one detector per stream. After the first frame of a format, detect() allocates
// nothing.
class FaceDetector {
public:
    // Loads and compiles; all problems with the model surface here.
    [[nodiscard]] static Result<FaceDetector> create(const FaceDetectorOptions& options);
    FaceDetector(FaceDetector&&) noexcept;
    FaceDetector& operator=(FaceDetector&&) noexcept;
    ~FaceDetector();

    // Faces by falling score, valid until the next call. Reads the frame's planes where they lie.
    [[nodiscard]] Result<std::span<const Face>> detect(const zero_copy::FrameView& frame);
    // The same on a frame where it lies. On a Vulkan device it is imported; what has to be copied
    // is counted. Else it is read through its mapping.
    [[nodiscard]] Result<std::span<const Face>> detect(const zero_copy::ExternalFrame& frame,
                                                       CopyLedger& ledger);
    void set_thresholds(const FaceThresholds& thresholds);
    // Whether frames with memory identity are sampled by a Vulkan device, which also runs the whole
    // network.
    [[nodiscard]] bool runs_on_device() const;
    // Plain memory that frames lay in is gone: what the device keeps of it goes, too.
    void forget(const zero_copy::MemoryIdentity& memory);

private:
    struct State;
    explicit FaceDetector(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace sluice::tasks
