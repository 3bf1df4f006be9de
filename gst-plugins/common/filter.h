// SPDX-License-Identifier: Apache-2.0
// Filter: what all elements have in common. An element is a C++ class derived from it and a few
// lines of GObject.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gst/base/gstbasetransform.h>

#include "core/base/result.h"
#include "gst-plugins/common/allocation.h"
#include "gst-plugins/common/caps.h"
#include "gst-plugins/common/pool_memory.h"
#include "gst-plugins/common/properties.h"
#include "gst-plugins/common/qos.h"
#include "gst-plugins/common/stats.h"

namespace sluice::gst {

class VulkanShare;

// What a frame gets.
enum class Turn : std::uint8_t {
    Infer,  // an inference of its own
    Repeat, // the last result again, because of `inference-interval`
    Late,   // the last result again, because downstream is late
};

// The C++ half of an element: created in the instance's init, destroyed in its finalize.
//
// Threads: open, close and the frame methods are called by GstBaseTransform, never two at a time.
// Properties come from any thread; lock() guards the settings and those members of derived classes
// that set() writes. It is a leaf lock: nothing is called with it held.
class Filter {
public:
    Filter(GstBaseTransform* element, const Settings& settings, const LiveSettings& live)
        : element_(element), settings_(settings), live_(live) {}
    virtual ~Filter();
    Filter(const Filter&) = delete;
    Filter& operator=(const Filter&) = delete;

    // The vmethods of GstBaseTransform and GObject, called by the thunks in filter.cpp.
    [[nodiscard]] Result<gboolean> start();
    void stop();
    [[nodiscard]] Result<gboolean> set_caps(GstCaps* in, GstCaps* out);
    // Between start() and stop().
    [[nodiscard]] PoolOffer pool_offer() const;
    // Upstream asks for an allocation. gst-libav 1.26 takes the visible for the coded width: where
    // the two differ (H.264 and H.265 of widths that are no multiple of 16) it drops a pool with
    // alignment with every frame, and asks again. After some such frames it is offered one without.
    void note_allocation_query();
    // What the device takes; before start() and after stop(): what the CPU takes. Any thread.
    [[nodiscard]] Ref<GstCaps> readable();
    // Why fixed caps were refused, for the log.
    [[nodiscard]] std::string refusal(const GstCaps* caps);
    // `out` is null for elements that work in place.
    [[nodiscard]] Result<GstFlowReturn> handle(GstBuffer* in, GstBuffer* out);
    void count_duplicated(GstBuffer* original, GstBuffer* copy);
    void reset();
    void update_qos(GstEvent* event);
    // Whether it was for a context that is shared here. Any thread.
    bool answer_context(GstQuery* query);
    bool set_property(guint id, const GValue* value);
    bool get_property(guint id, GValue* value);

protected:
    // Validates every property and loads everything that can fail. Called with no lock held.
    [[nodiscard]] virtual Status open() = 0;
    // Undoes open(); also called after an open() that failed.
    virtual void close() = 0;
    // The caps are known: input() and output() hold them. Also called when they change.
    [[nodiscard]] virtual Status configure() { return {}; }
    // Whether the device reads frames where they lie, whatever their layout. Asked after open().
    [[nodiscard]] virtual bool reads_tiled() const { return false; }
    // Whether frames may come as images of a Vulkan device that upstream shares: then the element
    // runs on that one. Always the same.
    [[nodiscard]] virtual bool reads_images() const { return false; }
    // Handles one frame in place.
    [[nodiscard]] virtual Status process(GstBuffer* frame, Turn turn);
    // Handles one frame into another buffer.
    [[nodiscard]] virtual Status convert(GstBuffer* in, GstBuffer* out, Turn turn);
    // The last result no longer describes what comes: flush, new segment, new caps.
    virtual void forget() {}
    // The element's own properties; called with lock() held.
    virtual bool set(guint /*id*/, const GValue* /*value*/) { return false; }
    virtual bool get(guint /*id*/, GValue* /*value*/) const { return false; }
    // Adds fields to `stats`; may be called from any thread.
    virtual void describe(GstStructure* /*stats*/) const {}

    [[nodiscard]] GstBaseTransform* element() const { return element_; }
    [[nodiscard]] std::mutex& lock() { return lock_; }
    // As the user gave them, but with the shared device where there is one.
    [[nodiscard]] Settings settings();
    // As of the start of the current frame.
    [[nodiscard]] const LiveSettings& frame_settings() const { return frame_live_; }
    [[nodiscard]] const Video& input() const { return in_; }
    [[nodiscard]] const Video& output() const { return out_; }
    [[nodiscard]] Stats& stats() { return stats_; }

private:
    void share_device();
    [[nodiscard]] Turn choose(GstClockTime running_time);
    void post_skip(GstBuffer* frame, GstClockTime running_time);
    [[nodiscard]] Status check_copies();

    GstBaseTransform* const element_; // owns this object
    std::mutex lock_;                 // guards settings_, live_, tiled_, started_ and shared_
    Settings settings_;
    LiveSettings live_;
    std::vector<std::string> tiled_; // drm-formats that the device takes
    bool started_ = false;
    std::shared_ptr<VulkanShare> shared_; // from start to stop

    // Of the frames that others render for us; from start to stop.
    PoolChoice pool_choice_;
    std::uint64_t frames_when_asked_ = 0;
    unsigned asked_at_once_ = 0; // how often since the last frame but one or two
    Ref<GstAllocator> pool_allocator_;

    // Of the streaming thread.
    LiveSettings frame_live_;
    Video in_{};
    Video out_{};
    bool has_result_ = false;
    unsigned since_inference_ = 0;
    std::uint64_t copied_bytes_ = 0; // the ledger's total after the last frame
    bool warned_of_copies_ = false;

    Stats stats_;
    Qos qos_;
};

} // namespace sluice::gst

// The abstract GObject type under all elements. Derived types set `filter` in their instance init.
struct SluiceFilter {
    GstBaseTransform parent;
    sluice::gst::Filter* filter; // owned; deleted in finalize
};
struct SluiceFilterClass {
    GstBaseTransformClass parent_class;
};
G_BEGIN_DECLS
#define SLUICE_TYPE_FILTER (sluice_filter_get_type())
GType sluice_filter_get_type(void);
G_END_DECLS
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SluiceFilter, gst_object_unref)

namespace sluice::gst {

[[nodiscard]] inline Filter& filter_of(gpointer element) {
    return *static_cast<SluiceFilter*>(element)->filter;
}

// For class_init: metadata, and pads with video_caps().
// Where `images`, also of images of a Vulkan device, for elements that reads_images().
void describe_element(gpointer klass, const char* title, const char* classification,
                      const char* description, bool images = false);
// For class_init: the element handles frames in place, or into a second buffer.
void handle_in_place(gpointer klass);
void handle_by_conversion(gpointer klass);

} // namespace sluice::gst
