// SPDX-License-Identifier: Apache-2.0
// TensorToFrame: from a network's output into a frame's own planes.
//
// The mirror of FrameToTensor: a mask is upsampled and blended while the frame is written in place
// and in its own format; a super-resolution residual is added to the upscaled planes. No full-size
// RGB picture exists. Scratch is allocated when the object is made, never per frame.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/runtime/thread_pool.h"
#include "zero_copy/frame.h"
#include "zero_copy/frame_to_tensor.h"

namespace sluice::zero_copy {

// A matte of floats: 0 background, 1 person, row-major. `region` is the part of the frame that it
// covers (what FrameToTensor sampled); what lies outside it is background.
struct Matte {
    std::span<const float> values;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    SourceRegion region;
};

// The matte as 8-bit picture of any size over the whole frame, bilinear: 255 is 1.0.
// `out_stride_bytes` >= out_width. Pure.
struct GrayPicture {
    std::uint8_t* data = nullptr;
    std::size_t stride_bytes = 0;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};
void write_matte(const Matte& matte, std::uint32_t frame_width, std::uint32_t frame_height,
                 const GrayPicture& out, runtime::ThreadPool& threads);

// An RGB colour, 0..255 each.
struct Color {
    std::uint8_t red = 0;
    std::uint8_t green = 0;
    std::uint8_t blue = 0;
};

enum class BackgroundEffect : std::uint8_t {
    Blur,    // separable, on the planes themselves
    Color,   // a single colour
    Picture, // a picture of the frame's own format and size
    Key,     // the matte into the alpha channel (RGBA, BGRA only)
};

struct BackgroundSettings {
    BackgroundEffect effect = BackgroundEffect::Blur;
    double blur_sigma =
        0.02; // of the Gaussian that the blur approximates, as share of the frame's height
    Color color = {};
    // For Picture: the planes of a frame of the same format, kept by the caller for the object's
    // life.
    const FrameView* picture = nullptr;
};

// Blends the frame with its effect where the matte says background.
class BackgroundBlend {
public:
    // Unsupported: Key on a format without alpha. InvalidArgument: a picture of another format.
    [[nodiscard]] static Result<BackgroundBlend> create(const FrameFormat& frame,
                                                        const BackgroundSettings& settings);
    BackgroundBlend(BackgroundBlend&&) noexcept;
    BackgroundBlend& operator=(BackgroundBlend&&) noexcept;
    ~BackgroundBlend();

    // Not const: uses the object's scratch. The mask is 8 bits, over the whole frame, of any size
    // (what SegmentationMtd carries).
    struct Mask {
        const std::uint8_t* data = nullptr;
        std::size_t stride_bytes = 0;
        std::uint32_t width = 0;
        std::uint32_t height = 0;
    };
    // In place.
    void run(const MutableFrameView& frame, const Mask& mask, runtime::ThreadPool& threads);
    // The same pixels into another frame of the format, whatever it held; `frame` stays as it is.
    void run(const FrameView& frame, const Mask& mask, const MutableFrameView& out,
             runtime::ThreadPool& threads);

private:
    struct Scratch;
    explicit BackgroundBlend(std::unique_ptr<Scratch> scratch);
    std::unique_ptr<Scratch> scratch_;
};

enum class RedactEffect : std::uint8_t { Blur, Pixelate, Black };

// An axis-aligned box in frame pixels; clipped to the frame.
struct PixelBox {
    double x = 0.0;
    double y = 0.0;
    double width = 0.0;
    double height = 0.0;
};

// Makes what is inside the boxes unrecognisable, in place. The strength follows the box: a face is
// left with at most `blocks` mosaics across (blur: a sigma of width / blocks). Boxes grow to whole
// chroma samples; those that are not finite, empty or outside are ignored.
class Redactor {
public:
    // InvalidArgument: `blocks` not within 1 and 128.
    [[nodiscard]] static Result<Redactor> create(const FrameFormat& frame, RedactEffect effect,
                                                 std::uint32_t blocks = 8);
    Redactor(Redactor&&) noexcept;
    Redactor& operator=(Redactor&&) noexcept;
    ~Redactor();

    void run(const MutableFrameView& frame, std::span<const PixelBox> boxes,
             runtime::ThreadPool& threads);
    // Black in the frame's own format and range.
    static void black_out(const MutableFrameView& frame);

private:
    struct Scratch;
    explicit Redactor(std::unique_ptr<Scratch> scratch);
    std::unique_ptr<Scratch> scratch_;
};

// Writes the x2 picture: every plane upscaled bilinearly (half-pixel centres; chroma at its own
// resolution, its siting kept), plus the network's residual, saturated to the codes. Alpha is
// upscaled only; a residual's chroma is the mean over each chroma sample's site.
class SuperResolutionWriter {
public:
    // `residual_channels`: 1 (added to R, G and B alike, so to luma alone) or 3 (R, G, B).
    // `output` has the same pixel format and colorimetry and twice the size.
    [[nodiscard]] static Result<SuperResolutionWriter>
    create(const FrameFormat& input, const FrameFormat& output, std::uint32_t residual_channels);
    SuperResolutionWriter(SuperResolutionWriter&&) noexcept;
    SuperResolutionWriter& operator=(SuperResolutionWriter&&) noexcept;
    ~SuperResolutionWriter();

    // `residual`: NHWC floats at output size, in units of full-scale R'G'B' (1.0 is 255 codes).
    // `first_row`, `rows`: the output rows that it covers (even), so that large pictures can be
    // written in strips; the planes outside them are not touched.
    void run(const FrameView& input, std::span<const float> residual, std::uint32_t first_row,
             std::uint32_t rows, const MutableFrameView& output, runtime::ThreadPool& threads);

private:
    struct Scratch;
    explicit SuperResolutionWriter(std::unique_ptr<Scratch> scratch);
    std::unique_ptr<Scratch> scratch_;
};

} // namespace sluice::zero_copy
