// SPDX-License-Identifier: Apache-2.0
// sluicesuperres: twice the size by a super-resolution network.
#pragma once

#include "gst-plugins/common/filter.h"

G_BEGIN_DECLS
#define SLUICE_TYPE_SUPER_RES (sluice_super_res_get_type())
G_DECLARE_FINAL_TYPE(SluiceSuperRes, sluice_super_res, SLUICE, SUPER_RES, SluiceFilter)
GST_ELEMENT_REGISTER_DECLARE(sluicesuperres);
G_END_DECLS
