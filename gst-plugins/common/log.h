// SPDX-License-Identifier: Apache-2.0
// Where the engine's log lines go inside GStreamer.
#pragma once

namespace sluice::gst {

// Sends the lines of core/base/log.h to the debug category "sluice", prefixed with their own.
void install_log_sink();

} // namespace sluice::gst
