// SPDX-License-Identifier: Apache-2.0
// `sluice run --json` and `--mask`: the tasks called on decoded frames, without a pipeline of
// elements.
#include <array>
#include <format>
#include <functional>
#include <numeric>

#include "models/tasks/face_detection.h"
#include "models/tasks/segmentation.h"
#include "pipelines/cli/frame_source.h"
#include "pipelines/cli/mask_writer.h"
#include "pipelines/cli/output.h"
#include "pipelines/cli/run.h"

namespace sluice::cli {
namespace {

// What a task says of one frame.
using Describe = std::function<Result<Json>(const zero_copy::FrameView& frame, unsigned number)>;

Json pixels(float x, float y) {
    return {{"x", rounded(x, 3)}, {"y", rounded(y, 3)}};
}

Json to_json(const tasks::Face& face) {
    Json keypoints = Json::object();
    for (std::size_t i = 0; i < face.keypoints.size(); ++i) {
        keypoints[std::string(tasks::kFaceKeypointNames[i])] =
            pixels(face.keypoints[i].x, face.keypoints[i].y);
    }
    Json box = pixels(face.x, face.y);
    box["width"] = rounded(face.width, 3);
    box["height"] = rounded(face.height, 3);
    return {{"score", rounded(face.score, 6)}, {"box", box}, {"keypoints", keypoints}};
}

Result<Describe> face_describer(const RunOptions& options) {
    tasks::FaceDetectorOptions settings{.engine = options.engine,
                                        .score_threshold = options.score_threshold,
                                        .tile_size = options.tile_size};
    if (!options.model.empty()) {
        settings.model = options.model;
    }
    SLUICE_TRY_ASSIGN(auto created, tasks::FaceDetector::create(settings));
    auto detector = std::make_shared<tasks::FaceDetector>(std::move(created));
    return [detector](const zero_copy::FrameView& frame, unsigned) -> Result<Json> {
        SLUICE_TRY_ASSIGN(const auto faces, detector->detect(frame));
        Json list = Json::array();
        for (const tasks::Face& face : faces) {
            list.push_back(to_json(face));
        }
        return Json{{"faces", list}};
    };
}

// How much of the matte each class has.
Json shares(std::span<const std::uint8_t> classes, std::span<const std::string> labels) {
    std::array<std::size_t, 256> counts{};
    for (const std::uint8_t label : classes) {
        ++counts[label];
    }
    Json list = Json::object();
    for (std::size_t i = 0; i < labels.size() && i < counts.size(); ++i) {
        list[labels[i]] =
            rounded(static_cast<double>(counts[i]) / static_cast<double>(classes.size()), 6);
    }
    return list;
}

Result<Describe> matte_describer(const RunOptions& options) {
    tasks::SegmenterOptions settings{.engine = options.engine};
    if (!options.model.empty()) {
        settings.model = options.model;
    }
    SLUICE_TRY_ASSIGN(auto created, tasks::Segmenter::create(settings));
    auto segmenter = std::make_shared<tasks::Segmenter>(std::move(created));
    return [segmenter, mask = options.mask,
            threads = runtime::ThreadPool::shared(options.engine.threads)](
               const zero_copy::FrameView& frame, unsigned number) -> Result<Json> {
        SLUICE_TRY_ASSIGN(const auto segmentation, segmenter->segment(frame));
        const auto values = segmentation.matte.values;
        const double sum = std::accumulate(values.begin(), values.end(), 0.0);
        Json entry{
            {"matte", {{"width", segmentation.matte.width}, {"height", segmentation.matte.height}}},
            {"coverage", rounded(sum / static_cast<double>(values.size()), 6)}};
        if (!segmentation.classes.empty()) {
            entry["classes"] = shares(segmentation.classes, segmenter->labels());
        }
        if (!mask.empty()) {
            if (number > 0 && !is_pattern(mask)) {
                return fail(ErrorCode::InvalidArgument,
                            "the input has more than one frame; give --mask a pattern such as "
                            "mask-%04d.png, or --frames 1");
            }
            const std::filesystem::path path =
                is_pattern(mask) ? numbered(mask, number) : std::filesystem::path(mask);
            SLUICE_TRY(
                write_mask(segmentation.matte, frame.width(), frame.height(), path, *threads));
            entry["mask"] = path.string();
        }
        return entry;
    };
}

} // namespace

Status report(const RunOptions& options) {
    SLUICE_TRY_ASSIGN(FrameSource source, FrameSource::open(options.input));
    SLUICE_TRY_ASSIGN(const Describe describe, options.task == Task::Segmentation
                                                   ? matte_describer(options)
                                                   : face_describer(options));
    CopyLedger copies;
    Json frames = Json::array();
    Progress progress(options.task_name);
    for (unsigned number = 0; options.frames == 0 || number < options.frames; ++number) {
        SLUICE_TRY_ASSIGN(const auto frame, source.next());
        if (!frame) {
            break;
        }
        SLUICE_TRY_ASSIGN(const gst::MappedFrame mapped, frame->map(copies));
        SLUICE_TRY_ASSIGN(const Json found, describe(mapped.view(), number));
        Json entry{{"frame", number},
                   {"pts", rounded(frame->pts, 6)},
                   {"width", frame->video.format.width},
                   {"height", frame->video.format.height}};
        entry.update(found);
        frames.push_back(std::move(entry));
        progress.update(source.share_done(), std::format("frame {}", number + 1));
    }
    if (frames.empty()) {
        return fail(ErrorCode::Parse, "'{}' holds no frame", options.input);
    }
    if (!options.json) {
        return {};
    }
    return print_json({{"input", options.input},
                       {"task", options.task_name},
                       {"bytes_copied", copies.total_bytes()},
                       {"frames", frames}},
                      *options.json);
}

} // namespace sluice::cli
