// SPDX-License-Identifier: Apache-2.0
// sluicesegment: tells people from background and attaches the mask.
#pragma once

#include "gst-plugins/common/filter.h"

G_BEGIN_DECLS
#define SLUICE_TYPE_SEGMENT (sluice_segment_get_type())
G_DECLARE_FINAL_TYPE(SluiceSegment, sluice_segment, SLUICE, SEGMENT, SluiceFilter)
GST_ELEMENT_REGISTER_DECLARE(sluicesegment);
G_END_DECLS
