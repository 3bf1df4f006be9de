// SPDX-License-Identifier: Apache-2.0
// Masks whose pixels are a matte or a map of classes on a device: who works there takes that, who
// maps the mask gets it as GRAY8.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <variant>

#include <gst/gst.h>

#include "core/base/copy_ledger.h"
#include "core/base/result.h"
#include "gst-plugins/common/ref.h"
#include "zero_copy/device_matte.h"

namespace sluice::gst {

using MaskOnDevice = std::variant<std::unique_ptr<zero_copy::DeviceMatte>,
                                  std::unique_ptr<zero_copy::DeviceClasses>>;

// Of all buffers of a pool.
struct MaskSource {
    std::function<Result<MaskOnDevice>()> make;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    // What mapping brings to the host is counted here, as Download. Outlives no element: shared.
    std::shared_ptr<CopyLedger> masks;
};

// A started pool of GRAY8 buffers with GstVideoMeta, each with a mask of its own. Mapped for
// reading only; the first mapping after renew_mask() takes the pixels from the device.
[[nodiscard]] Result<Ref<GstBufferPool>> make_mask_pool(MaskSource source);

// The matte, or the map of classes, that a buffer of such a pool is; null for any other buffer. The
// buffer keeps it.
[[nodiscard]] zero_copy::DeviceMatte* matte_of(GstBuffer* mask);
[[nodiscard]] zero_copy::DeviceClasses* classes_of(GstBuffer* mask);
// The device has written it: the host's view is made anew when it is asked for.
void renew_mask(GstBuffer* mask);

} // namespace sluice::gst
