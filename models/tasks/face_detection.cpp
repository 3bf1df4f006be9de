// SPDX-License-Identifier: Apache-2.0
// FaceDetector: frames to faces, the whole frame and, where asked, tiles of it.
#include "models/tasks/face_detection.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "models/tasks/face_decode.h"
#include "models/tasks/picture_network.h"

namespace sluice::tasks {

namespace {

using zero_copy::FrameFormat;
using zero_copy::SourceRegion;

// Starts of tiles of `tile` pixels along an edge of `length`, overlapping by about half, the last
// one flush with the end.
std::vector<double> tile_starts(std::uint32_t length, std::uint32_t tile) {
    if (length <= tile) {
        return {0.0};
    }
    const auto count =
        static_cast<std::uint32_t>(std::ceil((length - tile) / (static_cast<double>(tile) / 2.0)));
    std::vector<double> starts;
    for (std::uint32_t i = 0; i <= count; ++i) {
        starts.push_back(static_cast<double>(length - tile) * i / count);
    }
    return starts;
}

// The whole frame first, then the tiles.
std::vector<SourceRegion> regions_of(const FrameFormat& frame,
                                     const zero_copy::TensorFormat& tensor, std::uint32_t tile) {
    std::vector<SourceRegion> regions{
        zero_copy::letterbox(frame.width, frame.height, tensor.width, tensor.height)};
    if (tile == 0 || (frame.width <= tile && frame.height <= tile)) {
        return regions;
    }
    for (const double y : tile_starts(frame.height, tile)) {
        for (const double x : tile_starts(frame.width, tile)) {
            regions.push_back({.x = x,
                               .y = y,
                               .width = static_cast<double>(tile),
                               .height = static_cast<double>(tile)});
        }
    }
    return regions;
}

// Whether a face found in a tile is cut by the tile's edge although the frame goes on there: a
// neighbouring tile sees it whole.
bool is_cut(const Face& face, const SourceRegion& region, const FrameFormat& frame) {
    const auto width = static_cast<double>(frame.width);
    const auto height = static_cast<double>(frame.height);
    return (region.x > 0.0 && face.x < region.x) || (region.y > 0.0 && face.y < region.y) ||
           (region.x + region.width < width && face.x + face.width > region.x + region.width) ||
           (region.y + region.height < height && face.y + face.height > region.y + region.height);
}

} // namespace

struct FaceDetector::State {
    explicit State(PictureNetwork opened) : network(std::move(opened)) {}

    PictureNetwork network;
    std::vector<Anchor> anchors;
    std::vector<std::size_t> regressors; // outputs, in the order of the anchors
    std::vector<std::size_t> scores;
    FaceThresholds thresholds;
    std::uint32_t tile_size = 0;
    std::optional<FrameFormat> format; // that samplers are made for
    std::vector<PictureSampler> samplers;
    std::vector<Face> faces;

    [[nodiscard]] Status find_outputs();
    [[nodiscard]] Status prepare(const FrameFormat& frame);
    void decode(const PictureSampler& sampler, bool is_tile);
    template <typename Run>
    [[nodiscard]] Result<std::span<const Face>> detect(const FrameFormat& frame, const Run& run);
};

// Networks give boxes and scores in one tensor each, or in one per grid level, coarse levels last.
Status FaceDetector::State::find_outputs() {
    const auto outputs = network.executable().outputs();
    std::size_t boxes = 0;
    std::size_t logits = 0;
    std::string list;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto& shape = outputs[i].desc.shape();
        list += (list.empty() ? "" : ", ") + outputs[i].name + " " + to_string(outputs[i].desc);
        if (outputs[i].desc.type() != graph::DataType::Float32 || shape.rank() != 3) {
            continue;
        }
        if (shape[2] == kFaceRegressors) {
            regressors.push_back(i);
            boxes += shape[1];
        } else if (shape[2] == 1) {
            scores.push_back(i);
            logits += shape[1];
        }
    }
    const auto larger_first = [&](std::size_t a, std::size_t b) {
        return outputs[a].desc.element_count() > outputs[b].desc.element_count();
    };
    std::ranges::stable_sort(regressors, larger_first);
    std::ranges::stable_sort(scores, larger_first);
    const auto* manifest = network.manifest();
    const std::string_view grid = manifest != nullptr && !manifest->anchors.empty()
                                      ? std::string_view(manifest->anchors)
                                  : boxes == 2304 ? "full-range"
                                                  : "short-range";
    SLUICE_TRY_ASSIGN(anchors, make_anchors(grid));
    if (boxes != anchors.size() || logits != anchors.size() || regressors.size() != scores.size()) {
        return fail(ErrorCode::Unsupported,
                    "not a face detector of the BlazeFace family: the {} grid has {} anchors, the "
                    "outputs are {}",
                    grid, anchors.size(), list);
    }
    return {};
}

Status FaceDetector::State::prepare(const FrameFormat& frame) {
    if (network.device() != nullptr) {
        network.device()->runner().forget_recordings(); // they refer to the samplers
    }
    samplers.clear();
    format.reset();
    for (const SourceRegion& region : regions_of(frame, network.tensor_format(), tile_size)) {
        SLUICE_TRY_ASSIGN(auto sampler, network.sampler(frame, region));
        samplers.push_back(std::move(sampler));
    }
    faces.reserve(samplers.size() * anchors.size());
    format = frame;
    return {};
}

void FaceDetector::State::decode(const PictureSampler& sampler, bool is_tile) {
    const SourceRegion& region = sampler.host.region();
    const SeenRegion seen{.x = static_cast<float>(region.x),
                          .y = static_cast<float>(region.y),
                          .width = static_cast<float>(region.width),
                          .height = static_cast<float>(region.height)};
    const std::size_t before = faces.size();
    std::size_t first = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const auto logits = network.output_floats(scores[i]);
        decode_faces(std::span(anchors).subspan(first, logits.size()),
                     network.output_floats(regressors[i]), logits,
                     static_cast<float>(network.tensor_format().width), seen, thresholds.score,
                     faces);
        first += logits.size();
    }
    if (is_tile) {
        const auto cut =
            std::ranges::remove_if(faces.begin() + static_cast<std::ptrdiff_t>(before), faces.end(),
                                   [&](const Face& face) { return is_cut(face, region, *format); });
        faces.erase(cut.begin(), cut.end());
    }
}

Result<FaceDetector> FaceDetector::create(const FaceDetectorOptions& options) {
    SLUICE_TRY_ASSIGN(auto network, PictureNetwork::open(options.model, options.engine,
                                                         {.key = options.model_key},
                                                         {.low = -1.0F, .high = 1.0F}));
    auto state = std::make_unique<State>(std::move(network));
    if (auto found = state->find_outputs(); !found) {
        return std::unexpected(std::move(found).error().within(options.model));
    }
    state->tile_size = options.tile_size;
    state->thresholds = {.score = options.score_threshold,
                         .iou = options.iou_threshold,
                         .max_detections = options.max_detections};
    return FaceDetector(std::move(state));
}

// `run` brings the frame through the network by a sampler with its number.
template <typename Run>
Result<std::span<const Face>> FaceDetector::State::detect(const FrameFormat& frame,
                                                          const Run& run) {
    if (format != frame) {
        SLUICE_TRY(prepare(frame));
    }
    faces.clear();
    for (std::size_t i = 0; i < samplers.size(); ++i) {
        SLUICE_TRY(run(samplers[i], i));
        decode(samplers[i], i > 0);
    }
    weighted_nms(faces, thresholds.iou, thresholds.max_detections);
    return std::span<const Face>(faces);
}

Result<std::span<const Face>> FaceDetector::detect(const zero_copy::FrameView& frame) {
    State& state = *state_;
    return state.detect(frame.format(), [&](const PictureSampler& sampler, std::size_t) {
        return state.network.run(sampler, frame);
    });
}

Result<std::span<const Face>> FaceDetector::detect(const zero_copy::ExternalFrame& frame,
                                                   CopyLedger& ledger) {
    State& state = *state_;
    return state.detect(frame.format(), [&](const PictureSampler& sampler, std::size_t i) {
        return state.network.run(sampler, frame, i, ledger);
    });
}

void FaceDetector::set_thresholds(const FaceThresholds& thresholds) {
    state_->thresholds = thresholds;
}

bool FaceDetector::runs_on_device() const {
    return state_->network.device() != nullptr;
}

void FaceDetector::forget(const zero_copy::MemoryIdentity& memory) {
    state_->network.forget(memory);
}

FaceDetector::FaceDetector(std::unique_ptr<State> state) : state_(std::move(state)) {}
FaceDetector::FaceDetector(FaceDetector&&) noexcept = default;
FaceDetector& FaceDetector::operator=(FaceDetector&&) noexcept = default;
FaceDetector::~FaceDetector() = default;

} // namespace sluice::tasks
