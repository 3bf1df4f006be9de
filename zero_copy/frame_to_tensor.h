// SPDX-License-Identifier: Apache-2.0
// FrameToTensor: from a frame's planes to a network's input in one step.
//
// Crop, rotate, letterbox or stretch, sample, convert to R'G'B' with the frame's own colorimetry,
// range and chroma siting, scale and offset, order the channels: no picture exists in between, and
// only the rows and columns that are sampled are touched. Within one code value of the same
// computation in double precision.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/result.h"
#include "core/runtime/thread_pool.h"
#include "zero_copy/frame.h"

namespace sluice::zero_copy {

// A rectangle of the source in pixels, (0, 0) being the outer corner of the top left pixel, turned
// clockwise about its centre. It may reach outside the frame: what lies there reads as `fill`.
struct SourceRegion {
    double x = 0.0;
    double y = 0.0;
    double width = 0.0;
    double height = 0.0;
    double rotation_radians = 0.0;

    friend bool operator==(const SourceRegion&, const SourceRegion&) = default;
};

// The whole frame, whatever the tensor's aspect.
[[nodiscard]] SourceRegion stretch(std::uint32_t width, std::uint32_t height);
// The smallest region of the tensor's aspect that holds the whole frame, centred.
[[nodiscard]] SourceRegion letterbox(std::uint32_t width, std::uint32_t height,
                                     std::uint32_t tensor_width, std::uint32_t tensor_height);

enum class Sampling : std::uint8_t {
    Nearest,  // the pixel that holds the centre, with the chroma sample of its block
    Bilinear, // half-pixel centres, four taps whatever the scale
    Area,     // mean over the source pixels under a tensor pixel (by coverage, `fill` for what is
              // outside); along an axis that is enlarged, Bilinear. Turned regions: mean of a grid
              // of bilinear points, one a source pixel
};
enum class ChannelOrder : std::uint8_t { Rgb, Bgr, Luma };
enum class TensorLayout : std::uint8_t { Nhwc, Nchw };

struct TensorFormat {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    ChannelOrder channels = ChannelOrder::Rgb;
    TensorLayout layout = TensorLayout::Nhwc;
    // A channel's code 0..255 (fractions kept) becomes low + code / 255 * (high - low).
    float low = 0.0F;
    float high = 1.0F;
    Sampling sampling = Sampling::Bilinear;
    float fill = 0.0F; // tensor value outside the frame
};

// All tables are computed once for one frame format, region and tensor; run() allocates nothing.
// run() is const and may be called from several threads at once.
class FrameToTensor {
public:
    // InvalidArgument for sizes of 0 or a region that is empty or not finite.
    [[nodiscard]] static Result<FrameToTensor>
    create(const FrameFormat& frame, const SourceRegion& region, const TensorFormat& tensor);
    FrameToTensor(FrameToTensor&&) noexcept;
    FrameToTensor& operator=(FrameToTensor&&) noexcept;
    ~FrameToTensor();

    // `out` holds width * height * channels floats; `frame` has the format given to create(). With
    // any other, or a shorter `out`, nothing is written.
    void run(const FrameView& frame, std::span<float> out, runtime::ThreadPool& threads) const;

    [[nodiscard]] const FrameFormat& frame_format() const;
    [[nodiscard]] const SourceRegion& region() const;
    // Maps tensor pixel coordinates (0..width, 0..height, outer corners) to frame pixels.
    struct Point {
        double x;
        double y;
    };
    [[nodiscard]] Point to_frame(double tensor_x, double tensor_y) const;

private:
    struct Tables;
    explicit FrameToTensor(std::unique_ptr<Tables> tables);
    std::unique_ptr<Tables> tables_;
};

} // namespace sluice::zero_copy
