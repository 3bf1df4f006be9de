// SPDX-License-Identifier: Apache-2.0
// Strided copies by rows of contiguous bytes.
#include "core/cpu/strided_copy.h"

#include <algorithm>

#include "core/cpu/lowerings.h"

namespace sluice::cpu {
namespace {

// The size known at compile time: a load and a store instead of a call.
template <std::size_t kBytes>
void copy_fixed_rows(std::byte* to, std::size_t to_stride, const std::byte* from,
                     std::size_t from_stride, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(to + i * to_stride, from + i * from_stride, kBytes);
    }
}

} // namespace

void copy_rows(std::byte* to, std::size_t to_stride, const std::byte* from, std::size_t from_stride,
               std::size_t row_bytes, std::size_t count) {
    switch (row_bytes) {
    case 1: return copy_fixed_rows<1>(to, to_stride, from, from_stride, count);
    case 2: return copy_fixed_rows<2>(to, to_stride, from, from_stride, count);
    case 4: return copy_fixed_rows<4>(to, to_stride, from, from_stride, count);
    case 8: return copy_fixed_rows<8>(to, to_stride, from, from_stride, count);
    case 12: return copy_fixed_rows<12>(to, to_stride, from, from_stride, count);
    case 16: return copy_fixed_rows<16>(to, to_stride, from, from_stride, count);
    case 24: return copy_fixed_rows<24>(to, to_stride, from, from_stride, count);
    case 32: return copy_fixed_rows<32>(to, to_stride, from, from_stride, count);
    case 48: return copy_fixed_rows<48>(to, to_stride, from, from_stride, count);
    case 64: return copy_fixed_rows<64>(to, to_stride, from, from_stride, count);
    default: break;
    }
    if (row_bytes == to_stride && row_bytes == from_stride) {
        std::memcpy(to, from, row_bytes * count);
        return;
    }
    for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(to + i * to_stride, from + i * from_stride, row_bytes);
    }
}

StridedCopy::StridedCopy(const graph::Shape& shape, const Strides& from_strides,
                         const Strides& to_strides, std::size_t element_bytes)
    : row_bytes_(element_bytes) {
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        if (shape[i] == 1) {
            continue;
        }
        const Axis axis{shape[i], from_strides[i] * element_bytes, to_strides[i] * element_bytes};
        Axis* const previous = rank_ > 0 ? &axes_[rank_ - 1] : nullptr;
        if (previous != nullptr && previous->from_stride == axis.size * axis.from_stride &&
            previous->to_stride == axis.size * axis.to_stride) {
            *previous = {previous->size * axis.size, axis.from_stride, axis.to_stride};
        } else {
            axes_[rank_++] = axis;
        }
    }
    if (rank_ > 0 && axes_[rank_ - 1].from_stride == row_bytes_ &&
        axes_[rank_ - 1].to_stride == row_bytes_) {
        row_bytes_ *= axes_[--rank_].size;
    }
    if (rank_ > 0) {
        inner_ = axes_[--rank_];
    }
    for (std::size_t i = 0; i < rank_; ++i) {
        outer_count_ *= axes_[i].size;
    }
}

// Rows [begin, end), counted through all axes.
void StridedCopy::run_range(std::byte* to, const std::byte* from, std::size_t begin,
                            std::size_t end) const {
    std::size_t row = begin;
    while (row < end) {
        std::size_t rest = row / inner_.size;
        const std::size_t first = row % inner_.size;
        std::size_t to_offset = first * inner_.to_stride;
        std::size_t from_offset = first * inner_.from_stride;
        for (std::size_t i = rank_; i-- > 0;) {
            const std::size_t index = rest % axes_[i].size;
            rest /= axes_[i].size;
            to_offset += index * axes_[i].to_stride;
            from_offset += index * axes_[i].from_stride;
        }
        const std::size_t count = std::min(inner_.size - first, end - row);
        copy_rows(to + to_offset, inner_.to_stride, from + from_offset, inner_.from_stride,
                  row_bytes_, count);
        row += count;
    }
}

void StridedCopy::run(std::byte* to, const std::byte* from, runtime::ThreadPool& threads) const {
    const std::size_t grain = std::max<std::size_t>(1, kGrainElements * sizeof(float) / row_bytes_);
    threads.parallel_for(
        outer_count_ * inner_.size, grain,
        [&](std::size_t begin, std::size_t end) { run_range(to, from, begin, end); });
}

} // namespace sluice::cpu
