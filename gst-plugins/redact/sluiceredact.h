// SPDX-License-Identifier: Apache-2.0
// sluiceredact: makes detected faces unrecognisable.
#pragma once

#include "gst-plugins/common/filter.h"

G_BEGIN_DECLS
#define SLUICE_TYPE_REDACT (sluice_redact_get_type())
G_DECLARE_FINAL_TYPE(SluiceRedact, sluice_redact, SLUICE, REDACT, SluiceFilter)
GST_ELEMENT_REGISTER_DECLARE(sluiceredact);
G_END_DECLS
