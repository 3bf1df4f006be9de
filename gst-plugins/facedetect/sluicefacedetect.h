// SPDX-License-Identifier: Apache-2.0
// sluicefacedetect: finds faces and says so on the buffer.
#pragma once

#include "gst-plugins/common/filter.h"

G_BEGIN_DECLS
#define SLUICE_TYPE_FACE_DETECT (sluice_face_detect_get_type())
G_DECLARE_FINAL_TYPE(SluiceFaceDetect, sluice_face_detect, SLUICE, FACE_DETECT, SluiceFilter)
GST_ELEMENT_REGISTER_DECLARE(sluicefacedetect);
G_END_DECLS
