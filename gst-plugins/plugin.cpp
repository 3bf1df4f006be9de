// SPDX-License-Identifier: Apache-2.0
// The plugin `sluice`: registers what elements.def lists. Loading it starts no thread, opens no
// device and reads no model.
#include <gst/gst.h>

#include "gst-plugins/common/analytics.h"
#include "gst-plugins/common/log.h"

#define SLUICE_ELEMENT(folder) GST_ELEMENT_REGISTER_DECLARE(sluice##folder);
#include "gst-plugins/elements.def"
#undef SLUICE_ELEMENT

static gboolean plugin_init(GstPlugin* plugin) {
    sluice::gst::install_log_sink();
    sluice::gst::register_metas();
    gboolean registered = TRUE;
#define SLUICE_ELEMENT(folder) registered &= GST_ELEMENT_REGISTER(sluice##folder, plugin);
#include "gst-plugins/elements.def"
#undef SLUICE_ELEMENT
    return registered;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, sluice,
                  "Neural networks on video without copying frames", plugin_init, SLUICE_VERSION,
                  "Apache 2.0", PACKAGE, "Unknown package origin")
