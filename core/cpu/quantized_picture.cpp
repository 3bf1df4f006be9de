// SPDX-License-Identifier: Apache-2.0
// Padding and conversion of quantised pictures, row by row.
#include "core/cpu/quantized_picture.h"

#include <algorithm>
#include <cstring>

#include "core/cpu/lowerings.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {

QuantizedPicture::QuantizedPicture(const ConvShape& shape, bool quads, bool is_signed,
                                   std::int32_t zero)
    : shape_(shape), quads_(quads), is_signed_(is_signed), zero_(zero) {
    const std::size_t window_height = (shape.kernel_height - 1) * shape.dilation_y + 1;
    // What the windows cover, and the rest of the picture where they leave some out.
    height_ = std::max((shape.out_height - 1) * shape.stride_y + window_height,
                       shape.pad_top + shape.in_height);
    width_ = std::max((shape.out_width - 1) * shape.stride_x + shape.window_width(),
                      shape.pad_left + shape.in_width);
    rows_ = shape.batch * height_;
    pixel_bytes_ = shape.in_channels * element_bytes();
    row_bytes_ = width_ * pixel_bytes_;
    zero_byte_ = quads ? static_cast<std::uint8_t>(is_signed ? zero + 128 : zero) : 0;
    is_needed_ = !quads || is_signed || height_ != shape.in_height || width_ != shape.in_width ||
                 shape.group_in() % 4 != 0;
}

void QuantizedPicture::write_row(const std::byte* x, std::size_t row, std::byte* to) const {
    const std::size_t image = row / height_;
    const std::size_t y = row % height_ - shape_.pad_top; // above the picture it wraps
    if (y >= shape_.in_height) {
        std::memset(to, zero_byte_, row_bytes_);
        return;
    }
    const std::size_t count = shape_.in_width * shape_.in_channels;
    const std::byte* const from = x + (image * shape_.in_height + y) * count;
    const std::size_t left = shape_.pad_left * pixel_bytes_;
    const std::size_t middle = count * element_bytes();
    std::memset(to, zero_byte_, left);
    const QuantizedKernels& kernels = quantized_kernels();
    if (quads_) {
        kernels.to_quads(from, count, is_signed_ ? 0x80 : 0, to + left);
    } else {
        kernels.to_pairs(from, is_signed_, count, static_cast<std::int16_t>(zero_),
                         reinterpret_cast<std::int16_t*>(to + left));
    }
    std::memset(to + left + middle, zero_byte_, row_bytes_ - left - middle);
}

void QuantizedPicture::write(const std::byte* x, std::byte* to,
                             runtime::ThreadPool& threads) const {
    const std::size_t grain = std::max<std::size_t>(1, 4 * kGrainElements / row_bytes_);
    threads.parallel_for(rows_, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            write_row(x, row, to + row * row_bytes_);
        }
    });
    std::memset(to + rows_ * row_bytes_, 0, kQuantizedSlack);
}

} // namespace sluice::cpu
