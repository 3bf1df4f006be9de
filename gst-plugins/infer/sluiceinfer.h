// SPDX-License-Identifier: Apache-2.0
// sluiceinfer: runs any model on each frame and attaches its output tensors.
#pragma once

#include "gst-plugins/common/filter.h"

G_BEGIN_DECLS
#define SLUICE_TYPE_INFER (sluice_infer_get_type())
G_DECLARE_FINAL_TYPE(SluiceInfer, sluice_infer, SLUICE, INFER, SluiceFilter)
GST_ELEMENT_REGISTER_DECLARE(sluiceinfer);
G_END_DECLS
