// SPDX-License-Identifier: Apache-2.0
// The loops of quantised convolution: tiles of the integer matrix product, rows of the depthwise
// one, and the copies that bring pictures into the form which both read.
//
// Pictures are padded first, with what stands for zero, so that every window lies inside. Then four
// bytes at a time are multiplied: as four uint8 with four int8 weights (quads) where the processor
// has an instruction for that, or as two int16 with two int16 weights (pairs), from which the zero
// points were subtracted. Sums are exact in both.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/graph/data_type.h"

namespace sluice::cpu {

inline constexpr std::size_t kMaxQuantizedVectors = 3;
inline constexpr std::size_t kMaxQuantizedPixels = 12;
// The loops may read this many bytes behind the last pixel that they are given.
inline constexpr std::size_t kQuantizedSlack = 128;

// How sums become results: t = sum * multiplier + addend in steps of the result's scale, held
// within [low, high], rounded to even, plus zero_point; for float32 no more than held.
struct QuantizedEnd {
    graph::DataType type; // int8, uint8 or float32
    float low, high;      // for 8 bits, such that with zero_point the type can hold them
    std::int32_t zero_point;
};

// A sum, difference or product of quantised operands. In steps of the result's scale: a * a_factor
// + b * b_factor + addend, or, of products, (a - a_zero) * (b - b_zero) * a_factor.
struct QuantizedTerms {
    bool is_product;
    bool a_is_signed, b_is_signed;
    float a_factor, b_factor, addend;
    std::int32_t a_zero, b_zero;
    QuantizedEnd end;
};

// `pixels` output pixels by one panel of output channels.
struct QuantizedTile {
    const std::byte* input;         // of the first pixel's window
    std::size_t pixel_stride;       // bytes
    const std::ptrdiff_t* segments; // where the parts of the window lie, bytes
    std::size_t segment_count;
    std::size_t steps;        // of four bytes, in a segment; what exceeds it meets zero weights
    const std::byte* weights; // [segment][step][panel width][4 bytes]
    const std::int32_t* start;
    const float* multipliers;
    const float* addends; // all three: [panel width]
    std::byte* output;
    std::size_t output_stride; // bytes
    std::size_t channels;      // 1..panel width
    const QuantizedEnd* end;
};

// One row of a depthwise convolution, in pairs.
struct QuantizedDepthwiseRow {
    const std::int16_t* input;  // of the first pixel's window
    std::size_t pixel_stride;   // elements
    const std::ptrdiff_t* taps; // an even number; the last may be there twice, its weights zero
    std::size_t pair_count;
    const std::int16_t* weights; // [block][pair][two vectors], see depthwise_order()
    const float* multipliers;
    const float* addends; // [block][two vectors of floats]
    std::byte* output;    // pixels follow each other
    std::size_t pixels;
    std::size_t channels;
    const QuantizedEnd* end;
};

using QuantizedFunction = void (*)(const QuantizedTile& tile);

// The kernels of one instruction set.
struct QuantizedKernels {
    bool has_quads;
    std::size_t lanes;       // of 32 bits in a vector of the tiles
    std::size_t max_vectors; // of a panel
    std::size_t max_pixels[kMaxQuantizedVectors];
    // [quads][vectors - 1][pixels - 1]; null where there is no kernel of just that size.
    QuantizedFunction tiles[2][kMaxQuantizedVectors][kMaxQuantizedPixels];
    std::size_t block; // channels of a depthwise block
    void (*depthwise)(const QuantizedDepthwiseRow& row);
    // `flip` is XORed: 0x80 makes int8 uint8.
    void (*to_quads)(const std::byte* x, std::size_t count, std::uint8_t flip, std::byte* y);
    void (*to_pairs)(const std::byte* x, bool is_signed, std::size_t count, std::int16_t zero,
                     std::int16_t* y);
};

// Of the best instruction set that this processor has.
[[nodiscard]] const QuantizedKernels& quantized_kernels();

// In which lane of a block's two vectors of 32 bits its channel lies: the lower halves of every 128
// bits, then the upper ones, as interleaving leaves them.
[[nodiscard]] constexpr std::size_t depthwise_order(std::size_t channel, std::size_t block) {
    return channel % 8 / 4 * (block / 2) + channel / 8 * 4 + channel % 4;
}

} // namespace sluice::cpu
