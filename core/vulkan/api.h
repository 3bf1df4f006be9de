// SPDX-License-Identifier: Apache-2.0
// Vulkan's API by function tables: the loader is opened at run time, so that programs start where
// there is none.
#pragma once

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <volk.h> // IWYU pragma: export
