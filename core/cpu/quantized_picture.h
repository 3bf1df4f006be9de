// SPDX-License-Identifier: Apache-2.0
// The padded copy of a quantised picture that the quantised kernels read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu/conv_shape.h"
#include "core/cpu/quantized_kernel.h"
#include "core/runtime/kernel.h"

namespace sluice::cpu {

// Planned once; write() makes the copy in a kernel's scratch memory.
class QuantizedPicture {
public:
    QuantizedPicture() = default;
    // `quads` says which of the two forms; `zero` is the zero point as the input has it.
    QuantizedPicture(const ConvShape& shape, bool quads, bool is_signed, std::int32_t zero);

    // False: the kernels can read the input itself.
    [[nodiscard]] bool is_needed() const { return is_needed_; }
    [[nodiscard]] std::size_t scratch_bytes() const {
        return is_needed_ ? rows_ * row_bytes_ + kQuantizedSlack : 0;
    }
    void write(const std::byte* x, std::byte* to, runtime::ThreadPool& threads) const;

    // What stands for zero in the copy: a uint8, or 0 of int16.
    [[nodiscard]] std::uint8_t zero_byte() const { return zero_byte_; }
    [[nodiscard]] std::size_t element_bytes() const { return quads_ ? 1 : 2; }
    // Of the copy, or of the input where none is needed.
    [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
    [[nodiscard]] std::size_t pixel_bytes() const { return pixel_bytes_; }
    [[nodiscard]] std::size_t rows_per_image() const { return height_; }

private:
    void write_row(const std::byte* x, std::size_t row, std::byte* to) const;

    ConvShape shape_{};
    bool quads_ = false, is_signed_ = false, is_needed_ = true;
    std::int32_t zero_ = 0;
    std::uint8_t zero_byte_ = 0;
    std::size_t height_ = 0, width_ = 0, rows_ = 0;
    std::size_t row_bytes_ = 0, pixel_bytes_ = 0;
};

} // namespace sluice::cpu
