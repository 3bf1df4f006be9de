// SPDX-License-Identifier: Apache-2.0
// The table from error codes to GStreamer's error domains.
#include "gst-plugins/common/error.h"

#include <string_view>

namespace sluice::gst {

namespace {

struct Mapping {
    GQuark (*domain)();
    gint code;
    const char* name; // in the message's details
};

// The whole translation from our errors to the bus. A new ErrorCode fails to compile here.
Mapping mapping(ErrorCode code) {
    switch (code) {
    case ErrorCode::InvalidArgument:
        return {gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS, "invalid-argument"};
    case ErrorCode::Unsupported:
        return {gst_library_error_quark, GST_LIBRARY_ERROR_INIT, "unsupported"};
    case ErrorCode::Parse: return {gst_stream_error_quark, GST_STREAM_ERROR_FORMAT, "parse"};
    case ErrorCode::NotFound:
        return {gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_FOUND, "not-found"};
    case ErrorCode::Io: return {gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ, "io"};
    case ErrorCode::OutOfMemory:
        return {gst_resource_error_quark, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "out-of-memory"};
    case ErrorCode::DeviceLost:
        return {gst_resource_error_quark, GST_RESOURCE_ERROR_FAILED, "device-lost"};
    case ErrorCode::Internal: return {gst_stream_error_quark, GST_STREAM_ERROR_FAILED, "internal"};
    }
    std::unreachable();
}

} // namespace

void post(GstElement* element, const Error& error) {
    const Mapping to = mapping(error.code);
    // GStreamer's sentences begin with a capital letter and end with a full stop; ours do neither.
    std::string text = error.message;
    if (!text.empty()) {
        text[0] = g_ascii_toupper(text[0]);
        text += '.';
    }
    gst_element_message_full_with_details(
        element, GST_MESSAGE_ERROR, to.domain(), to.code, g_strdup(text.c_str()), nullptr, __FILE__,
        "post", __LINE__,
        gst_structure_new("sluice-error", "code", G_TYPE_STRING, to.name, nullptr));
}

} // namespace sluice::gst
