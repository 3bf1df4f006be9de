// SPDX-License-Identifier: Apache-2.0
// Expansion of sparse tensors, level by level, with every index checked.
#include "models/loaders/tflite/sparse.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {
namespace {

// A block may split every dimension once.
constexpr std::size_t kMaxLevels = 2 * graph::kMaxRank;

// A stored dimension. Compressed: row r holds the coordinates indices[segments[r]] up to
// indices[segments[r + 1]]. Dense: all coordinates below `size`.
struct Level {
    bool compressed = false;
    std::size_t size = 0;
    std::vector<std::size_t> segments;
    std::vector<std::size_t> indices;
    std::size_t dimension = 0; // of the tensor
    std::size_t stride = 1;    // elements of the dimension that a step of this level covers
};

template <typename T>
std::vector<std::size_t> widen(const flatbuffers::Vector<T>* values) {
    std::vector<std::size_t> out;
    if (values != nullptr) {
        out.reserve(values->size());
        for (const T value : *values) {
            // A negative number becomes huge and fails the range checks below.
            out.push_back(static_cast<std::size_t>(value));
        }
    }
    return out;
}

std::vector<std::size_t> index_vector(schema::SparseIndexVector type, const void* table) {
    if (table == nullptr) {
        return {};
    }
    switch (type) {
    case schema::SparseIndexVector::Int32Vector:
        return widen(static_cast<const schema::Int32Vector*>(table)->values());
    case schema::SparseIndexVector::Uint16Vector:
        return widen(static_cast<const schema::Uint16Vector*>(table)->values());
    case schema::SparseIndexVector::Uint8Vector:
        return widen(static_cast<const schema::Uint8Vector*>(table)->values());
    default: return {};
    }
}

Result<Level> read_level(const schema::DimensionMetadata& metadata) {
    Level level;
    if (metadata.format() == schema::DimensionType::DENSE) {
        if (metadata.dense_size() <= 0) {
            return fail(ErrorCode::Parse, "sparse tensor with a dense level of size {}",
                        metadata.dense_size());
        }
        level.size = static_cast<std::size_t>(metadata.dense_size());
        return level;
    }
    if (metadata.format() != schema::DimensionType::SPARSE_CSR) {
        return fail(ErrorCode::Unsupported, "sparse tensor with a level of format {}",
                    static_cast<int>(metadata.format()));
    }
    level.compressed = true;
    level.segments = index_vector(metadata.array_segments_type(), metadata.array_segments());
    level.indices = index_vector(metadata.array_indices_type(), metadata.array_indices());
    // Rising segments cannot overlap, so no stored index is visited twice.
    if (level.segments.empty() || level.segments.back() > level.indices.size() ||
        !std::ranges::is_sorted(level.segments)) {
        return fail(ErrorCode::Parse, "sparse tensor whose segments do not fit its indices");
    }
    return level;
}

Result<std::vector<Level>> read_levels(const schema::SparsityParameters& sparsity,
                                       std::size_t rank) {
    const auto* order = sparsity.traversal_order();
    const auto* metadata = sparsity.dim_metadata();
    const std::size_t blocks = sparsity.block_map() == nullptr ? 0 : sparsity.block_map()->size();
    if (order == nullptr || metadata == nullptr || order->size() != metadata->size() ||
        order->size() > kMaxLevels || order->size() != rank + blocks) {
        return fail(ErrorCode::Parse, "sparse tensor whose levels do not match its {} dimensions",
                    rank);
    }
    std::vector<Level> levels;
    std::array<bool, kMaxLevels> seen{};
    std::array<std::size_t, graph::kMaxRank> block_size{};
    block_size.fill(1);
    for (flatbuffers::uoffset_t i = 0; i < order->size(); ++i) {
        SLUICE_TRY_ASSIGN(Level level, read_level(*metadata->Get(i)));
        const auto dimension = static_cast<std::size_t>(order->Get(i));
        if (dimension >= order->size() || std::exchange(seen[dimension], true)) {
            return fail(ErrorCode::Parse, "sparse tensor whose traversal order is no permutation");
        }
        level.dimension = dimension;
        if (dimension >= rank) {
            const auto block = static_cast<flatbuffers::uoffset_t>(dimension - rank);
            level.dimension = static_cast<std::size_t>(sparsity.block_map()->Get(block));
            if (level.dimension >= rank || level.compressed || i < rank) {
                return fail(ErrorCode::Parse, "sparse tensor with a malformed block");
            }
            block_size[level.dimension] = level.size;
        }
        levels.push_back(std::move(level));
    }
    // The outer levels count blocks.
    for (std::size_t i = 0; i < rank; ++i) {
        levels[i].stride = block_size[levels[i].dimension];
    }
    return levels;
}

class Expansion {
public:
    Expansion(std::span<const std::byte> values, const graph::TensorDesc& desc,
              std::span<const Level> levels)
        : values_(values), levels_(levels), shape_(desc.shape()),
          strides_(graph::strides_of(desc.shape())), element_(graph::size_of(desc.type())),
          dense_(desc.byte_size()) {}

    // Visits the children of one stored position of the level above. Every position reaches a
    // stored value or an entry of `segments`, so that the work is bounded by the file's size.
    Status visit(std::size_t depth, std::size_t parent) {
        if (depth == levels_.size()) {
            return store(parent);
        }
        const Level& level = levels_[depth];
        if (level.compressed && parent + 1 >= level.segments.size()) {
            return fail(ErrorCode::Parse, "sparse tensor with too few segments");
        }
        const std::size_t begin = level.compressed ? level.segments[parent] : 0;
        const std::size_t end = level.compressed ? level.segments[parent + 1] : level.size;
        for (std::size_t i = begin; i < end; ++i) {
            const std::size_t coordinate = level.compressed ? level.indices[i] : i;
            if (coordinate >= shape_[level.dimension]) {
                return fail(ErrorCode::Parse,
                            "sparse tensor with an index of {} in a dimension of {}", coordinate,
                            shape_[level.dimension]);
            }
            const std::size_t step = coordinate * level.stride;
            position_[level.dimension] += step;
            SLUICE_TRY(visit(depth + 1, level.compressed ? i : parent * level.size + i));
            position_[level.dimension] -= step;
        }
        return {};
    }

    [[nodiscard]] std::vector<std::byte> take() && { return std::move(dense_); }

private:
    Status store(std::size_t index) {
        if (index >= values_.size() / element_) {
            return fail(ErrorCode::Parse, "sparse tensor with more positions than its {} values",
                        values_.size() / element_);
        }
        std::size_t offset = 0;
        for (std::size_t axis = 0; axis < shape_.rank(); ++axis) {
            if (position_[axis] >= shape_[axis]) {
                return fail(ErrorCode::Parse, "sparse tensor with a value outside of its shape");
            }
            offset += position_[axis] * strides_[axis];
        }
        std::memcpy(dense_.data() + offset * element_, values_.data() + index * element_, element_);
        return {};
    }

    std::span<const std::byte> values_;
    std::span<const Level> levels_;
    graph::Shape shape_;
    std::array<std::size_t, graph::kMaxRank> strides_;
    std::size_t element_;
    std::array<std::size_t, graph::kMaxRank> position_{};
    std::vector<std::byte> dense_;
};

} // namespace

Result<std::vector<std::byte>> densify(std::span<const std::byte> values,
                                       const graph::TensorDesc& desc,
                                       const schema::SparsityParameters& sparsity) {
    SLUICE_TRY_ASSIGN(const std::vector<Level> levels, read_levels(sparsity, desc.rank()));
    Expansion expansion(values, desc, levels);
    SLUICE_TRY(expansion.visit(0, 0));
    return std::move(expansion).take();
}

} // namespace sluice::models::tflite
