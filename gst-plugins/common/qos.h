// SPDX-License-Identifier: Apache-2.0
// Quality of service: which frames would come too late for their inference to be worth it.
#pragma once

#include <mutex>

#include <gst/gst.h>

namespace sluice::gst {

// Remembers what downstream said last. GstBaseTransform has the same arithmetic, but drops the late
// frame; Sluice only leaves out the inference. Thread-safe.
class Qos {
public:
    struct Report {
        gdouble proportion = 1.0;
        GstClockTimeDiff jitter = 0;
    };

    // `event` is a QOS event from downstream. `frame_duration` may be unknown (NONE).
    void update(GstEvent* event, GstClockTime frame_duration);
    // After a flush or at start.
    void reset();
    // Whether a frame of this running time is known to be late.
    [[nodiscard]] bool late(GstClockTime running_time) const;
    [[nodiscard]] Report report(GstClockTime running_time) const;

private:
    mutable std::mutex lock_; // guards what follows
    gdouble proportion_ = 1.0;
    GstClockTime earliest_ = GST_CLOCK_TIME_NONE;
};

} // namespace sluice::gst
