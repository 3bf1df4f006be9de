// SPDX-License-Identifier: Apache-2.0
// What happens to a frame in every element: settings, turn, counting, checks.
#include "gst-plugins/common/filter.h"

#include <chrono>
#include <string>
#include <utility>

#include "gst-plugins/common/drm_formats.h"
#include "gst-plugins/common/vulkan_share.h"

GST_DEBUG_CATEGORY_EXTERN(sluice_filter_debug);
#define GST_CAT_DEFAULT sluice_filter_debug

namespace sluice::gst {

namespace {

// Frames in a row before which upstream asked for an allocation.
constexpr unsigned kPatience = 3;

} // namespace

Filter::~Filter() = default;

bool Filter::answer_context(GstQuery* query) {
    std::shared_ptr<VulkanShare> shared;
    {
        const std::lock_guard hold(lock_);
        shared = shared_;
    }
    return shared != nullptr && shared->answer(GST_ELEMENT(element_), query);
}

// A device that cannot be used costs the images, not the element.
void Filter::share_device() {
    const auto engine = settings().engine();
    if (!engine || engine->device.kind != DeviceKind::Vulkan) {
        return;
    }
    auto shared = VulkanShare::find(element_, engine->device.selector);
    if (!shared) {
        GST_WARNING_OBJECT(element_, "images of a Vulkan device are not taken: %s",
                           shared.error().message.c_str());
        return;
    }
    const std::lock_guard hold(lock_);
    shared_ = std::move(*shared);
}

Result<gboolean> Filter::start() {
    reset();
    if (reads_images()) {
        share_device();
    }
    if (Status opened = open(); !opened) {
        stop();
        return std::unexpected(std::move(opened).error());
    }
    SLUICE_TRY_ASSIGN(const auto engine, settings().engine());
    pool_choice_ = choose_pool_memory(engine.device);
    pool_allocator_ = make_pool_allocator(pool_choice_.memory);
    if (const auto* profile = vulkan_profile(engine.device); profile != nullptr && reads_tiled()) {
        auto tiled = tiled_drm_formats(*profile);
        const std::lock_guard hold(lock_);
        tiled_ = std::move(tiled);
    }
    const std::lock_guard hold(lock_);
    started_ = true;
    return TRUE;
}

void Filter::stop() {
    close();
    reset();
    pool_allocator_.reset();
    std::shared_ptr<VulkanShare> shared; // let go after the lock
    const std::lock_guard hold(lock_);
    tiled_.clear();
    started_ = false;
    shared.swap(shared_);
}

Ref<GstCaps> Filter::readable() {
    const std::lock_guard hold(lock_);
    return readable_caps(tiled_, reads_images() && (!started_ || shared_ != nullptr));
}

PoolOffer Filter::pool_offer() const {
    return {.source = GST_BASE_TRANSFORM_SRC_PAD(element_),
            .allocator = pool_allocator_.get(),
            .for_device = pool_choice_.for_device,
            .aligned = asked_at_once_ < kPatience,
            .share = shared_.get()};
}

void Filter::note_allocation_query() {
    const std::uint64_t frames = stats_.frames;
    const std::uint64_t since = frames - std::exchange(frames_when_asked_, frames);
    if (asked_at_once_ >= kPatience || since == 0) {
        return;
    }
    asked_at_once_ = since <= 2 ? asked_at_once_ + 1 : 0;
    if (asked_at_once_ == kPatience) {
        GST_INFO_OBJECT(element_, "upstream drops each pool at once; it gets one without padding");
    }
}

Result<gboolean> Filter::set_caps(GstCaps* in, GstCaps* out) {
    // Tiled ones come this far only where readable() has them.
    const zero_copy::FrameFormat before = in_.format;
    SLUICE_TRY_ASSIGN(in_, parse_caps(in, Modifiers::Any));
    if (in_.format.width != before.width || in_.format.height != before.height) {
        asked_at_once_ = 0;
    }
    SLUICE_TRY_ASSIGN(out_, parse_caps(out, Modifiers::Any));
    has_result_ = false;
    forget();
    SLUICE_TRY(configure());
    return TRUE;
}

void Filter::reset() {
    qos_.reset();
    has_result_ = false;
    forget();
}

void Filter::update_qos(GstEvent* event) {
    const GstVideoInfo& info = in_.info;
    const GstClockTime duration =
        info.fps_n > 0 ? gst_util_uint64_scale_int(GST_SECOND, info.fps_d, info.fps_n)
                       : GST_CLOCK_TIME_NONE;
    qos_.update(event, duration);
}

std::string Filter::refusal(const GstCaps* caps) {
    const std::lock_guard hold(lock_);
    const auto parsed = parse_caps(caps, tiled_.empty() ? Modifiers::Linear : Modifiers::Any);
    if (!parsed) {
        return parsed.error().message;
    }
    if (parsed->in_images && shared_ == nullptr) {
        return "images of a Vulkan device are used on that device only: set device=vulkan, or put "
               "vulkandownload before";
    }
    if (parsed->linear()) {
        return "the other side does not take them";
    }
    const std::string linear =
        drm_format_name(parsed->format.pixel_format, zero_copy::kLinearModifier);
    return unknown_modifier(drm_format_name(parsed->format.pixel_format, parsed->modifier), linear,
                            tiled_);
}

Settings Filter::settings() {
    const std::lock_guard hold(lock_);
    Settings out = settings_;
    if (shared_ != nullptr) {
        out.device = "vulkan:" + shared_->device().selector();
    }
    return out;
}

bool Filter::set_property(guint id, const GValue* value) {
    const std::lock_guard hold(lock_);
    return gst::set_property(id, value, settings_, live_) || set(id, value);
}

bool Filter::get_property(guint id, GValue* value) {
    if (id == static_cast<guint>(Property::Stats)) {
        GstStructure* out = stats_.to_structure();
        describe(out);
        g_value_take_boxed(value, out);
        return true;
    }
    const std::lock_guard hold(lock_);
    return gst::get_property(id, value, settings_, live_) || get(id, value);
}

Turn Filter::choose(GstClockTime running_time) {
    ++since_inference_;
    if (!has_result_) {
        return Turn::Infer;
    }
    if (frame_live_.qos && qos_.late(running_time)) {
        return Turn::Late;
    }
    return since_inference_ < frame_live_.inference_interval ? Turn::Repeat : Turn::Infer;
}

Result<GstFlowReturn> Filter::handle(GstBuffer* in, GstBuffer* out) {
    const GstSegment& segment = element_->segment;
    GstClockTime running_time = GST_CLOCK_TIME_NONE;
    if (segment.format == GST_FORMAT_TIME) {
        const GstClockTime pts = GST_BUFFER_PTS(in);
        running_time = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, pts);
        const GstClockTime stream_time = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, pts);
        if (GST_CLOCK_TIME_IS_VALID(stream_time)) {
            gst_object_sync_values(GST_OBJECT(element_), stream_time);
        }
    }
    {
        const std::lock_guard hold(lock_);
        frame_live_ = live_;
    }

    const Turn turn = choose(running_time);
    const auto begin = std::chrono::steady_clock::now();
    SLUICE_TRY(out != nullptr ? convert(in, out, turn) : process(in, turn));
    stats_.latency.add(std::chrono::steady_clock::now() - begin);
    ++stats_.frames;
    switch (turn) {
    case Turn::Infer:
        has_result_ = true;
        since_inference_ = 0;
        break;
    case Turn::Repeat: ++stats_.skipped_interval; break;
    case Turn::Late:
        ++stats_.skipped_late;
        post_skip(in, running_time);
        break;
    }
    SLUICE_TRY(check_copies());
    return GST_FLOW_OK;
}

Status Filter::process(GstBuffer* /*frame*/, Turn /*turn*/) {
    return fail(ErrorCode::Internal, "this element does not work in place");
}

Status Filter::convert(GstBuffer* /*in*/, GstBuffer* /*out*/, Turn /*turn*/) {
    return fail(ErrorCode::Internal, "this element works in place only");
}

void Filter::post_skip(GstBuffer* frame, GstClockTime running_time) {
    const Qos::Report report = qos_.report(running_time);
    const GstSegment& segment = element_->segment;
    GstMessage* message = gst_message_new_qos(
        GST_OBJECT(element_), FALSE, running_time,
        gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, GST_BUFFER_PTS(frame)),
        GST_BUFFER_PTS(frame), GST_BUFFER_DURATION(frame));
    gst_message_set_qos_values(message, report.jitter, report.proportion, 1000000);
    gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, stats_.inferences.load(),
                              stats_.skipped_late.load());
    gst_element_post_message(GST_ELEMENT(element_), message);
}

// GstBaseTransform makes a shared buffer writable by a copy that shares the memories; only those
// that refuse to be shared are duplicated.
void Filter::count_duplicated(GstBuffer* original, GstBuffer* copy) {
    const guint count = gst_buffer_n_memory(original);
    for (guint i = 0; i < count; ++i) {
        GstMemory* memory = gst_buffer_peek_memory(original, i);
        if (i >= gst_buffer_n_memory(copy) || gst_buffer_peek_memory(copy, i) != memory) {
            stats_.copies.count(CopyReason::NotWritable,
                                gst_memory_get_sizes(memory, nullptr, nullptr));
        }
    }
}

Status Filter::check_copies() {
    const std::uint64_t total = stats_.copies.total_bytes();
    if (total == copied_bytes_) {
        return {};
    }
    const std::uint64_t fresh = total - copied_bytes_;
    copied_bytes_ = total;
    std::string reasons;
    for (std::size_t i = 0; i < kCopyReasonCount; ++i) {
        const auto reason = static_cast<CopyReason>(i);
        if (stats_.copies.bytes(reason) > 0) {
            reasons.append(reasons.empty() ? "" : ", ").append(name(reason));
        }
    }
    if (stats_.copies.bytes(CopyReason::NotWritable) > 0) {
        reasons.append("; somebody else still holds the frame, as decoders hold those that they "
                       "predict from, so that it is written in a copy");
    }
    if (stats_.copies.bytes(CopyReason::OnDevice) > 0) {
        reasons.append("; images of a Vulkan device are written by way of a buffer on it");
    }
    if (frame_live_.require_zero_copy) {
        return fail(ErrorCode::InvalidArgument,
                    "require-zero-copy is set, but {} bytes of a frame were copied ({})", fresh,
                    reasons);
    }
    if (!warned_of_copies_) {
        warned_of_copies_ = true;
        GST_WARNING_OBJECT(element_,
                           "copied %" G_GUINT64_FORMAT " bytes of a frame (%s); said once", fresh,
                           reasons.c_str());
    }
    return {};
}

} // namespace sluice::gst
