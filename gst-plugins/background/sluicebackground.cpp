// SPDX-License-Identifier: Apache-2.0
// sluicebackground: blurs, replaces or keys out what a mask calls background, in place where it
// may.

// SECTION:element-sluicebackground
//
// Takes the GstAnalyticsSegmentationMtd that sluicesegment (or another element) put on the buffer
// and writes the frame in its own format. The first frame must have a mask; later frames without
// one pass as they are and are counted in `stats` as frames-without-mask. effect=key needs RGBA or
// BGRA and writes the matte into the alpha channel.
//
// On the Vulkan device that sluicesegment runs on, too, the matte is read where it lies; of other
// masks the bytes that the device is given are counted in `stats` as mask-bytes-upload.
//
// A frame that somebody else still holds, as a decoder does with those that it predicts from, is
// blended into a fresh one: every pixel is written in any case, so that nothing is copied.
// (effect=key writes alpha only, and has to copy; so does a Vulkan device.)
//
//   gst-launch-1.0 filesrc location=cap12_edit.mp4 ! decodebin ! sluicesegment !
//       sluicebackground effect=color color=0xff00b140 ! videoconvert ! autovideosink
#include "gst-plugins/background/sluicebackground.h"

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "core/runtime/thread_pool.h"
#include "gst-plugins/background/mask.h"
#include "gst-plugins/background/picture.h"
#include "gst-plugins/common/error.h"
#include "gst-plugins/common/external_frame.h"
#include "gst-plugins/common/frame.h"
#include "gst-plugins/common/fresh_frames.h"
#include "models/tasks/background.h"
#include "zero_copy/tensor_to_frame.h"

GST_DEBUG_CATEGORY_STATIC(sluice_background_debug);
#define GST_CAT_DEFAULT sluice_background_debug

namespace {

using sluice::ErrorCode;
using sluice::fail;
using sluice::Result;
using sluice::Status;
using sluice::gst::Filter;
using sluice::gst::FrameMask;
using sluice::gst::MappedFrame;
using sluice::gst::Property;
using sluice::gst::Ref;
using sluice::gst::Settings;
using sluice::gst::Turn;
using sluice::tasks::FrameBackground;
using sluice::zero_copy::BackgroundBlend;
using sluice::zero_copy::BackgroundEffect;
using sluice::zero_copy::FrameView;

enum OwnProperty : guint {
    kEffect = sluice::gst::kFirstOwnProperty,
    kColor,
    kPicture,
    kBlurStrength,
};

const Settings& default_settings() {
    static const Settings settings{.device = "cpu"};
    return settings;
}

// The element's own settings.
struct Look {
    BackgroundEffect effect = BackgroundEffect::Blur;
    guint color = 0xff000000; // ARGB
    gdouble blur_strength = 0.02;
    std::string picture;

    friend bool operator==(const Look&, const Look&) = default;
};

GType effect_type() {
    static const GType type = sluice::gst::register_enum(
        "SluiceBackgroundEffect",
        {{static_cast<gint>(BackgroundEffect::Blur), "Blur", "blur"},
         {static_cast<gint>(BackgroundEffect::Color), "Replace by a colour", "color"},
         {static_cast<gint>(BackgroundEffect::Picture), "Replace by a picture", "picture"},
         {static_cast<gint>(BackgroundEffect::Key), "Write the matte into the alpha channel",
          "key"}});
    return type;
}

class BackgroundFilter final : public Filter {
public:
    explicit BackgroundFilter(GstBaseTransform* element)
        : Filter(element, default_settings(), {}) {}

    [[nodiscard]] bool needs_alpha() {
        const std::lock_guard hold(lock());
        return look_.effect == BackgroundEffect::Key;
    }

    // A frame to blend `in` into, where writing `in` itself would copy it first; else nothing. `in`
    // outlives the next process().
    Result<Ref<GstBuffer>> fresh_for(GstBuffer* in) {
        source_ = nullptr;
        GstAnalyticsSegmentationMtd segmentation;
        if (device_blend_ || built_.effect == BackgroundEffect::Key ||
            !sluice::gst::is_held_elsewhere(in) || !FrameMask::find(in, &segmentation)) {
            return Ref<GstBuffer>();
        }
        SLUICE_TRY_ASSIGN(auto fresh, fresh_.like(in, pool_offer()));
        source_ = in;
        return fresh;
    }

protected:
    bool reads_images() const override { return true; }

    Status open() override {
        const Settings fixed = settings();
        SLUICE_TRY_ASSIGN(const auto engine, fixed.engine());
        SLUICE_TRY(open_device(engine.device));
        threads_ = sluice::runtime::ThreadPool::shared(fixed.threads);
        const Look look = this->look();
        if (look.effect != BackgroundEffect::Picture) {
            return {};
        }
        if (look.picture.empty()) {
            return fail(ErrorCode::InvalidArgument,
                        "effect=picture needs a picture: set the property 'picture' to a file");
        }
        // Decoded again once the size is known; now, so that a bad file fails at once.
        SLUICE_TRY(sluice::gst::decode_picture(look.picture));
        return {};
    }

    void close() override {
        device_blend_.reset(); // made from the picture, too
        device_frames_.clear();
        drop_blend();
        fresh_.clear();
        threads_.reset();
        seen_mask_ = false;
    }

    Status configure() override {
        drop_blend();
        fresh_.clear();
        return make_blend();
    }

    Status process(GstBuffer* frame, Turn /*turn*/) override {
        GstAnalyticsSegmentationMtd segmentation;
        if (!FrameMask::find(frame, &segmentation)) {
            return pass_unmasked();
        }
        seen_mask_ = true;
        if (!blend_ || look() != built_) {
            drop_blend();
            SLUICE_TRY(make_blend());
        }
        SLUICE_TRY_ASSIGN(const bool blended, blend_by_matte(frame, segmentation));
        if (blended) {
            return {};
        }
        SLUICE_TRY_ASSIGN(const auto mask, FrameMask::create(segmentation, input().format.width,
                                                             input().format.height, scratch_));
        return blend(frame, mask.mask());
    }

    bool set(guint id, const GValue* value) override {
        switch (id) {
        case kEffect: look_.effect = static_cast<BackgroundEffect>(g_value_get_enum(value)); break;
        case kColor: look_.color = g_value_get_uint(value); break;
        case kBlurStrength: look_.blur_strength = g_value_get_double(value); break;
        case kPicture: {
            const gchar* path = g_value_get_string(value);
            look_.picture = path != nullptr ? path : "";
            break;
        }
        default: return false;
        }
        return true;
    }

    bool get(guint id, GValue* value) const override {
        switch (id) {
        case kEffect: g_value_set_enum(value, static_cast<gint>(look_.effect)); break;
        case kColor: g_value_set_uint(value, look_.color); break;
        case kBlurStrength: g_value_set_double(value, look_.blur_strength); break;
        case kPicture:
            g_value_set_string(value, look_.picture.empty() ? nullptr : look_.picture.c_str());
            break;
        default: return false;
        }
        return true;
    }

    void describe(GstStructure* stats) const override {
        gst_structure_set(stats, "frames-without-mask", G_TYPE_UINT64, without_mask_.load(),
                          "mask-bytes-upload", G_TYPE_UINT64, mask_copies_.total_bytes(), nullptr);
    }

private:
    // Nothing unless a Vulkan device was asked for.
    Status open_device(const sluice::DeviceChoice& device) {
        if (device.kind != sluice::DeviceKind::Vulkan) {
            return {};
        }
        auto made = FrameBackground::create(device.selector);
        if (!made) {
            return std::unexpected(
                std::move(made).error().within("device " + sluice::name(device)));
        }
        device_blend_ = std::move(*made);
        return {};
    }

    // Whether frame and matte both lie where the device takes them.
    Result<bool> blend_by_matte(GstBuffer* frame, const GstAnalyticsSegmentationMtd& segmentation) {
        const sluice::zero_copy::DeviceMatte* const matte =
            device_blend_
                ? FrameMask::on_device(segmentation, input().format.width, input().format.height)
                : nullptr;
        if (matte == nullptr || matte->device() != device_blend_->device()) {
            return false;
        }
        auto& copies = stats().copies;
        device_frames_.forget_freed([&](const auto& memory) { device_blend_->forget(memory); });
        const auto done = device_frames_.use(
            frame, input(), sluice::zero_copy::CpuAccess::ReadWrite, copies,
            [&](const auto& external) { return device_blend_->run(external, *matte, copies); });
        if (!done) {
            return false;
        }
        SLUICE_TRY(*done);
        return true;
    }

    // By the device where the frame lies, else through a mapping.
    Status blend(GstBuffer* frame, const BackgroundBlend::Mask& mask) {
        auto& copies = stats().copies;
        if (device_blend_) {
            device_frames_.forget_freed([&](const auto& memory) { device_blend_->forget(memory); });
            const auto done = device_frames_.use(
                frame, input(), sluice::zero_copy::CpuAccess::ReadWrite, copies,
                [&](const auto& external) { return device_blend_->run(external, mask, copies); });
            if (done) {
                mask_copies_.count(sluice::CopyReason::Upload,
                                   std::uint64_t{mask.width} * mask.height);
                return *done;
            }
        }
        if (source_ != nullptr) {
            SLUICE_TRY_ASSIGN(const auto from, MappedFrame::read(source_, input(), copies));
            SLUICE_TRY_ASSIGN(const auto to, MappedFrame::write(frame, input(), copies));
            blend_->run(from.view(), mask, to.mutable_view(), *threads_);
            return {};
        }
        SLUICE_TRY_ASSIGN(const auto mapped, MappedFrame::read_write(frame, input(), copies));
        blend_->run(mapped.mutable_view(), mask, *threads_);
        return {};
    }

    Look look() {
        const std::lock_guard hold(lock());
        return look_;
    }

    Status pass_unmasked() {
        if (!seen_mask_) {
            return fail(ErrorCode::InvalidArgument,
                        "the first frame carries no segmentation mask; put sluicesegment before "
                        "sluicebackground");
        }
        ++without_mask_;
        return {};
    }

    Status make_blend() {
        built_ = look();
        sluice::zero_copy::BackgroundSettings wanted{
            .effect = built_.effect,
            .blur_sigma = built_.blur_strength,
            .color = {.red = static_cast<std::uint8_t>(built_.color >> 16),
                      .green = static_cast<std::uint8_t>(built_.color >> 8),
                      .blue = static_cast<std::uint8_t>(built_.color)}};
        if (built_.effect == BackgroundEffect::Picture) {
            SLUICE_TRY_ASSIGN(picture_, sluice::gst::decode_picture(built_.picture, input().info));
            // The decoded frame is ours; mapping it is no copy of the stream's pixels.
            sluice::gst::Video decoded = input();
            decoded.in_images = false;
            SLUICE_TRY_ASSIGN(auto mapped, MappedFrame::read(gst_sample_get_buffer(picture_.get()),
                                                             decoded, stats().copies));
            mapped_picture_.emplace(std::move(mapped));
            picture_view_.emplace(mapped_picture_->view());
            wanted.picture = &*picture_view_;
        }
        SLUICE_TRY_ASSIGN(auto blend, BackgroundBlend::create(input().format, wanted));
        blend_ = std::move(blend);
        if (device_blend_) {
            device_blend_->set_background(wanted);
        }
        return {};
    }

    // In the order of use: the blend looks at the view, the view at the mapping, that at the
    // sample.
    void drop_blend() {
        blend_.reset();
        picture_view_.reset();
        mapped_picture_.reset();
        picture_.reset();
    }

    Look look_; // guarded by lock()

    std::shared_ptr<sluice::runtime::ThreadPool> threads_;
    Ref<GstSample> picture_;
    std::optional<MappedFrame> mapped_picture_;
    std::optional<FrameView> picture_view_;
    std::optional<BackgroundBlend> blend_;
    std::optional<FrameBackground> device_blend_; // looks at the view, too
    sluice::gst::DeviceFrames device_frames_;
    Look built_; // what blend_ was made for
    sluice::gst::FreshFrames fresh_;
    GstBuffer* source_ = nullptr; // borrowed: what the frame to process is blended from
    std::vector<std::uint8_t> scratch_;
    bool seen_mask_ = false;
    std::atomic<std::uint64_t> without_mask_ = 0;
    sluice::CopyLedger mask_copies_; // what the device was given of masks that the host has
};

// With effect=key only formats with alpha pass, so that videoconvert before it can do its work.
GstCaps* transform_caps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps,
                        GstCaps* filter) {
    const auto* parent = static_cast<GstBaseTransformClass*>(g_type_class_peek(SLUICE_TYPE_FILTER));
    Ref out(parent->transform_caps(base, direction, caps, filter));
    if (static_cast<BackgroundFilter&>(sluice::gst::filter_of(base)).needs_alpha()) {
        const Ref alpha = sluice::gst::alpha_caps();
        out = Ref(gst_caps_intersect_full(out.get(), alpha.get(), GST_CAPS_INTERSECT_FIRST));
    }
    return out.release();
}

GstFlowReturn prepare_output_buffer(GstBaseTransform* base, GstBuffer* in, GstBuffer** out) {
    auto& self = static_cast<BackgroundFilter&>(sluice::gst::filter_of(base));
    return sluice::gst::guard(GST_ELEMENT(base), GST_FLOW_ERROR, [&]() -> Result<GstFlowReturn> {
        SLUICE_TRY_ASSIGN(auto fresh, self.fresh_for(in));
        if (fresh) {
            *out = fresh.release();
            return GST_FLOW_OK;
        }
        const auto* parent =
            static_cast<GstBaseTransformClass*>(g_type_class_peek(SLUICE_TYPE_FILTER));
        return parent->prepare_output_buffer(base, in, out);
    });
}

} // namespace

struct _SluiceBackground {
    SluiceFilter parent;
};

G_DEFINE_TYPE(SluiceBackground, sluice_background, SLUICE_TYPE_FILTER)
GST_ELEMENT_REGISTER_DEFINE(sluicebackground, "sluicebackground", GST_RANK_NONE,
                            SLUICE_TYPE_BACKGROUND)

static void sluice_background_init(SluiceBackground* self) {
    self->parent.filter = new BackgroundFilter(GST_BASE_TRANSFORM(self));
}

static void sluice_background_class_init(SluiceBackgroundClass* klass) {
    GST_DEBUG_CATEGORY_INIT(sluice_background_debug, "sluicebackground", 0, "Background effects");
    sluice::gst::describe_element(
        klass, "Sluice Background", "Filter/Effect/Video",
        "Blurs, replaces or keys out what the mask on the buffer calls background", true);
    sluice::gst::handle_in_place(klass);
    auto* base = GST_BASE_TRANSFORM_CLASS(klass);
    base->transform_caps = GST_DEBUG_FUNCPTR(transform_caps);
    base->prepare_output_buffer = GST_DEBUG_FUNCPTR(prepare_output_buffer);
    auto* object = G_OBJECT_CLASS(klass);
    const Look defaults;
    sluice::gst::install_properties(object, {Property::Threads}, default_settings(), {});
    g_object_class_install_property(
        object, static_cast<guint>(Property::Device),
        g_param_spec_string(
            "device", "Device",
            "Where the pixels are written: cpu (also auto and reference), vulkan (the best of its "
            "devices), vulkan:NUMBER, or vulkan:NAME; best the one that sluicesegment runs on",
            default_settings().device.c_str(), sluice::gst::kAtStart));
    g_object_class_install_property(
        object, kEffect,
        g_param_spec_enum("effect", "Effect", "What becomes of the background", effect_type(),
                          static_cast<gint>(defaults.effect), sluice::gst::kAtStart));
    g_object_class_install_property(
        object, kColor,
        g_param_spec_uint("color", "Color", "Colour of effect=color (big-endian ARGB)", 0,
                          G_MAXUINT, defaults.color, sluice::gst::kLive));
    g_object_class_install_property(
        object, kPicture,
        g_param_spec_string("picture", "Picture",
                            "Picture file of effect=picture; cropped and scaled to the frame",
                            nullptr, sluice::gst::kAtStart));
    g_object_class_install_property(
        object, kBlurStrength,
        g_param_spec_double("blur-strength", "Blur strength",
                            "Radius (sigma) of effect=blur as a share of the frame's height", 0.0,
                            0.25, defaults.blur_strength, sluice::gst::kLive));
}
