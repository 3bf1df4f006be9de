// SPDX-License-Identifier: Apache-2.0
// Between GStreamer's caps and our frame formats.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <gst/video/video.h>

#include "core/base/result.h"
#include "gst-plugins/common/ref.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame.h"

namespace sluice::gst {

// What a pad carries, in both vocabularies.
struct Video {
    GstVideoInfo info; // of dmabufs: the pixel format, and the strides of tightly packed rows
    zero_copy::FrameFormat format;
    bool in_dmabufs = false; // by the caps; plain caps may bring dmabufs, too
    bool in_images = false;  // of a Vulkan device, by the caps
    // Of dmabufs. If not linear, `info`'s strides and offsets mean nothing.
    std::uint64_t modifier = zero_copy::kLinearModifier;

    [[nodiscard]] bool linear() const { return modifier == zero_copy::kLinearModifier; }
};

// Of a pad's template: "video/x-raw" with every format of zero_copy/formats.def, any size and rate,
// in dmabufs (the drm-format left open) and in system memory; where `images`, also in those of a
// Vulkan device.
[[nodiscard]] Ref<GstCaps> video_caps(bool images = false);

// What of it a device can really take: linear dmabufs, which is all that the CPU can, and these
// drm-formats, which are preferred; where `images`, also images of a Vulkan device.
[[nodiscard]] Ref<GstCaps> readable_caps(std::span<const std::string> tiled = {},
                                         bool images = false);

// All of those, images included, whose formats have an alpha channel.
[[nodiscard]] Ref<GstCaps> alpha_caps();

// The same pictures in other memory. What has no fixed list of formats, or none that both name,
// goes.
[[nodiscard]] Ref<GstCaps> in_system_memory(const GstCaps* caps);
[[nodiscard]] Ref<GstCaps> in_dmabufs(const GstCaps* caps);

// Adds an always pad template of this direction with video_caps().
void add_video_template(GstElementClass* klass, GstPadDirection direction, bool images);

// Which dmabufs are asked about.
enum class Modifiers : std::uint8_t { Linear, Any };

inline constexpr const char* kVulkanImageFeature = "memory:VulkanImage";
// Whether any of the caps are of images of a Vulkan device.
[[nodiscard]] bool has_images(const GstCaps* caps);

// Fixed caps to a format, with colorimetry, range and chroma siting. Unsupported names the caps, or
// the modifier of dmabufs that the CPU cannot read.
[[nodiscard]] Result<Video> parse_caps(const GstCaps* caps,
                                       Modifiers modifiers = Modifiers::Linear);

} // namespace sluice::gst
