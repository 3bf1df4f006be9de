// SPDX-License-Identifier: Apache-2.0
// Packed weights on disk: what kernels make of large constants is kept between processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"

namespace sluice::runtime {

// Memory for one kernel's packed weights, aligned to kTensorAlignment. Where `is_filled` it holds,
// read-only, what an earlier process packed; else it is zero and to be filled before lower() ends.
struct PackedMemory {
    std::shared_ptr<std::byte> bytes;
    bool is_filled = false;
};

// For kernels, in lower(). `layout` stands for everything that decides how the weights are packed
// but the graph itself: the instruction set, sizes of panels. OutOfMemory.
[[nodiscard]] Result<PackedMemory> allocate_packed(std::size_t bytes, std::uint64_t layout);

// While it lives, allocate_packed() on this thread is served from a file, or remembers what the
// file lacks. One a compilation; graphs are lowered in one order, so that the memories are found by
// their order, sizes and layouts.
class PackedScope {
public:
    // An empty path: nothing is read or written.
    explicit PackedScope(std::filesystem::path file);
    ~PackedScope();
    PackedScope(const PackedScope&) = delete;
    PackedScope& operator=(const PackedScope&) = delete;

    // Writes the file where it lacked something, whole, by rename: readers and other writers see
    // all of one writer's or none. Io.
    [[nodiscard]] Status save() const;
    // Whether all memories so far came from the file.
    [[nodiscard]] bool is_warm() const { return served_ == memories_.size() && served_ > 0; }

private:
    friend Result<PackedMemory> allocate_packed(std::size_t bytes, std::uint64_t layout);

    struct Memory {
        std::shared_ptr<std::byte> bytes;
        std::uint64_t size = 0;
        std::uint64_t layout = 0;
    };

    void read();

    std::filesystem::path file_;
    std::vector<Memory> stored_;   // in the file, mapped
    std::vector<Memory> memories_; // handed out
    std::size_t served_ = 0;       // of these, from the file
    PackedScope* outer_ = nullptr;
};

// Where the packed weights of this graph are kept: below $XDG_CACHE_HOME/sluice or ~/.cache/sluice,
// by a hash of all its nodes and constants. Empty where that is not worth a file (less than 1 MiB
// of constants), where there is no such folder, or where $SLUICE_PACKED_CACHE is "off".
[[nodiscard]] std::filesystem::path packed_cache_path(const graph::Graph& graph);

} // namespace sluice::runtime
