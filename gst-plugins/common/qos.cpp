// SPDX-License-Identifier: Apache-2.0
// The arithmetic of lateness.
#include "gst-plugins/common/qos.h"

namespace sluice::gst {

void Qos::update(GstEvent* event, GstClockTime frame_duration) {
    gdouble proportion = 1.0;
    GstClockTimeDiff diff = 0;
    GstClockTime timestamp = GST_CLOCK_TIME_NONE;
    gst_event_parse_qos(event, nullptr, &proportion, &diff, &timestamp);
    const std::lock_guard hold(lock_);
    proportion_ = proportion;
    if (!GST_CLOCK_TIME_IS_VALID(timestamp)) {
        earliest_ = GST_CLOCK_TIME_NONE;
    } else if (diff > 0) {
        // Twice the lateness: by the time that a frame gets here, the sink has fallen further back.
        earliest_ = timestamp + 2 * static_cast<GstClockTime>(diff) +
                    (GST_CLOCK_TIME_IS_VALID(frame_duration) ? frame_duration : 0);
    } else {
        const auto early = static_cast<GstClockTime>(-diff);
        earliest_ = timestamp > early ? timestamp - early : 0;
    }
}

void Qos::reset() {
    const std::lock_guard hold(lock_);
    proportion_ = 1.0;
    earliest_ = GST_CLOCK_TIME_NONE;
}

bool Qos::late(GstClockTime running_time) const {
    const std::lock_guard hold(lock_);
    return GST_CLOCK_TIME_IS_VALID(running_time) && GST_CLOCK_TIME_IS_VALID(earliest_) &&
           running_time <= earliest_;
}

Qos::Report Qos::report(GstClockTime running_time) const {
    const std::lock_guard hold(lock_);
    if (!GST_CLOCK_TIME_IS_VALID(running_time) || !GST_CLOCK_TIME_IS_VALID(earliest_)) {
        return {.proportion = proportion_};
    }
    return {.proportion = proportion_, .jitter = GST_CLOCK_DIFF(running_time, earliest_)};
}

} // namespace sluice::gst
