// SPDX-License-Identifier: Apache-2.0
// The debug category "sluice".
#include "gst-plugins/common/log.h"

#include <string_view>

#include <gst/gst.h>

#include "core/base/log.h"

GST_DEBUG_CATEGORY_STATIC(sluice_debug);

namespace sluice::gst {

namespace {

GstDebugLevel level_of(log::Level level) {
    switch (level) {
    case log::Level::Error: return GST_LEVEL_ERROR;
    case log::Level::Warning: return GST_LEVEL_WARNING;
    case log::Level::Info: return GST_LEVEL_INFO;
    case log::Level::Debug: return GST_LEVEL_DEBUG;
    }
    return GST_LEVEL_ERROR;
}

void write(log::Level level, std::string_view category, std::string_view message) {
    GST_CAT_LEVEL_LOG(sluice_debug, level_of(level), nullptr, "%.*s: %.*s",
                      static_cast<int>(category.size()), category.data(),
                      static_cast<int>(message.size()), message.data());
}

} // namespace

void install_log_sink() {
    GST_DEBUG_CATEGORY_INIT(sluice_debug, "sluice", 0, "Sluice's engine");
    log::set_sink(write);
}

} // namespace sluice::gst
