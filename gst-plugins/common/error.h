// SPDX-License-Identifier: Apache-2.0
// From our errors to the bus: one mapping table and one guard.
#pragma once

#include <exception>
#include <utility>

#include <gst/gst.h>

#include "core/base/result.h"

namespace sluice::gst {

// Posts the error once on the bus, in the domain and with the code that error.cpp maps it to. The
// message's details carry a structure "sluice-error" with the field `code`.
void post(GstElement* element, const Error& error);

// Every vmethod body runs inside guard(): the one place where our errors, and exceptions from
// allocation or third-party code, turn into GStreamer's vocabulary. The body returns Result<T>;
// flow results such as FLUSHING or EOS are values, not errors, and are never posted.
template <typename T, typename Body>
T guard(GstElement* element, T on_error, Body&& body) noexcept {
    try {
        try {
            const Result<T> result = std::forward<Body>(body)();
            if (result) {
                return *result;
            }
            post(element, result.error());
        } catch (const std::bad_alloc&) {
            post(element, Error{.code = ErrorCode::OutOfMemory, .message = "memory exhausted"});
        } catch (const std::exception& e) {
            post(element, Error{.code = ErrorCode::Internal, .message = e.what()});
        }
    } catch (...) { // NOLINT(bugprone-empty-catch): nothing is left to report it with
        // Posting itself ran out of memory; the failure value still ends the stream.
    }
    return on_error;
}

} // namespace sluice::gst
