// SPDX-License-Identifier: Apache-2.0
// Statistics, lateness and the error table.
#include <array>
#include <chrono>

#include <gtest/gtest.h>

#include "gst-plugins/common/error.h"
#include "gst-plugins/common/qos.h"
#include "gst-plugins/common/ref.h"
#include "gst-plugins/common/stats.h"

namespace sluice::gst {
namespace {

using std::chrono::microseconds;

TEST(LatencyWindow, gives_percentiles_by_nearest_rank) {
    LatencyWindow window;
    EXPECT_EQ(window.percentiles().p50_us, 0U);
    for (int i = 100; i >= 1; --i) {
        window.add(microseconds(i));
    }
    const auto of_hundred = window.percentiles();
    EXPECT_EQ(of_hundred.p50_us, 50U);
    EXPECT_EQ(of_hundred.p95_us, 95U);
    EXPECT_EQ(of_hundred.p99_us, 99U);
}

TEST(LatencyWindow, forgets_what_is_older_than_its_window) {
    LatencyWindow window;
    window.add(microseconds(1000000));
    for (std::size_t i = 0; i < LatencyWindow::kWindow; ++i) {
        window.add(microseconds(5));
    }
    EXPECT_EQ(window.percentiles().p99_us, 5U);
}

TEST(Stats, name_every_reason_for_a_copy) {
    Stats stats;
    stats.copies.count(CopyReason::NotWritable, 10);
    stats.copies.count(CopyReason::UnmappableFrame, 32);
    GstStructure* out = stats.to_structure();
    guint64 value = 0;
    EXPECT_TRUE(gst_structure_get_uint64(out, "copied-bytes", &value));
    EXPECT_EQ(value, 42U);
    EXPECT_TRUE(gst_structure_get_uint64(out, "copied-bytes-not-writable", &value));
    EXPECT_EQ(value, 10U);
    for (const char* field :
         {"frames", "inferences", "skipped-interval", "skipped-late", "copied-bytes-upload",
          "copied-bytes-download", "copied-bytes-unmappable-frame", "copied-bytes-format-change",
          "copied-bytes-on-device", "latency-p50-us", "latency-p95-us", "latency-p99-us"}) {
        EXPECT_TRUE(gst_structure_get_uint64(out, field, &value)) << field;
    }
    gst_structure_free(out);
}

void tell(Qos& qos, GstClockTimeDiff diff, GstClockTime timestamp) {
    GstEvent* event = gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, diff, timestamp);
    qos.update(event, 40 * GST_MSECOND);
    gst_event_unref(event);
}

TEST(Qos, calls_frames_late_up_to_twice_the_lateness_and_a_frame) {
    Qos qos;
    EXPECT_FALSE(qos.late(0));
    tell(qos, 100 * GST_MSECOND, GST_SECOND);
    EXPECT_TRUE(qos.late(GST_SECOND + 240 * GST_MSECOND));
    EXPECT_FALSE(qos.late(GST_SECOND + 241 * GST_MSECOND));
    EXPECT_FALSE(qos.late(GST_CLOCK_TIME_NONE));
    EXPECT_DOUBLE_EQ(qos.report(GST_SECOND).proportion, 2.0);
    EXPECT_EQ(qos.report(GST_SECOND).jitter, 240 * GST_MSECOND);
    qos.reset();
    EXPECT_FALSE(qos.late(0));
}

TEST(Qos, calls_nothing_late_that_downstream_had_time_for) {
    Qos qos;
    tell(qos, -30 * static_cast<GstClockTimeDiff>(GST_MSECOND), GST_SECOND);
    EXPECT_FALSE(qos.late(GST_SECOND));
}

struct Row {
    ErrorCode code;
    GQuark domain;
    gint number;
    const char* name;
};

TEST(Post, puts_each_code_on_the_bus_in_its_domain) {
    const std::array<Row, 8> table{{
        {ErrorCode::InvalidArgument, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
         "invalid-argument"},
        {ErrorCode::Unsupported, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, "unsupported"},
        {ErrorCode::Parse, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "parse"},
        {ErrorCode::NotFound, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "not-found"},
        {ErrorCode::Io, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, "io"},
        {ErrorCode::OutOfMemory, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
         "out-of-memory"},
        {ErrorCode::DeviceLost, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED, "device-lost"},
        {ErrorCode::Internal, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "internal"},
    }};
    for (const Row& row : table) {
        const Ref element(GST_ELEMENT(gst_object_ref_sink(gst_bin_new("bin"))));
        const Ref bus(gst_bus_new());
        gst_element_set_bus(element.get(), bus.get());
        const gboolean returned = guard<gboolean>(element.get(), FALSE, [&]() -> Result<gboolean> {
            return fail(row.code, "file '{}' is odd", "x");
        });
        EXPECT_FALSE(returned);
        const Ref message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
        ASSERT_TRUE(message) << row.name;
        GError* error = nullptr;
        gst_message_parse_error(message.get(), &error, nullptr);
        EXPECT_EQ(error->domain, row.domain) << row.name;
        EXPECT_EQ(error->code, row.number) << row.name;
        EXPECT_STREQ(error->message, "File 'x' is odd.");
        g_error_free(error);
        const GstStructure* details = nullptr;
        gst_message_parse_error_details(message.get(), &details);
        EXPECT_STREQ(gst_structure_get_string(details, "code"), row.name);
        EXPECT_FALSE(Ref(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR))) << "twice";
        gst_element_set_bus(element.get(), nullptr);
    }
}

TEST(Guard, turns_exceptions_of_others_into_one_error) {
    const Ref element(GST_ELEMENT(gst_object_ref_sink(gst_bin_new("bin"))));
    const Ref bus(gst_bus_new());
    gst_element_set_bus(element.get(), bus.get());
    const auto flow = guard(element.get(), GST_FLOW_ERROR,
                            []() -> Result<GstFlowReturn> { throw std::bad_alloc(); });
    EXPECT_EQ(flow, GST_FLOW_ERROR);
    const Ref message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
    ASSERT_TRUE(message);
    GError* error = nullptr;
    gst_message_parse_error(message.get(), &error, nullptr);
    EXPECT_EQ(error->code, GST_RESOURCE_ERROR_NO_SPACE_LEFT);
    g_error_free(error);
    gst_element_set_bus(element.get(), nullptr);
}

} // namespace
} // namespace sluice::gst
