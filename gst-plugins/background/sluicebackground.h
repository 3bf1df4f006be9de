// SPDX-License-Identifier: Apache-2.0
// sluicebackground: blurs, replaces or keys out what a mask calls background.
#pragma once

#include "gst-plugins/common/filter.h"

G_BEGIN_DECLS
#define SLUICE_TYPE_BACKGROUND (sluice_background_get_type())
G_DECLARE_FINAL_TYPE(SluiceBackground, sluice_background, SLUICE, BACKGROUND, SluiceFilter)
GST_ELEMENT_REGISTER_DECLARE(sluicebackground);
G_END_DECLS
