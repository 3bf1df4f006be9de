// SPDX-License-Identifier: Apache-2.0
// What kernels make of large constants, kept on disk for the next process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/content_hash.h"
#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/packed_file.h"
#include "core/runtime/schedule.h"

namespace sluice::runtime {

// Memory for one kernel's packed weights, aligned to kTensorAlignment. Where `is_filled`, it holds
// what an earlier process packed, and is read-only; else it is zero and to be filled before lower()
// ends.
struct PackedMemory {
    std::shared_ptr<std::byte> bytes;
    bool is_filled = false;
};

// For kernels, in lower(). `layout` stands for how the weights are packed, as far as the graph does
// not decide that. OutOfMemory.
[[nodiscard]] Result<PackedMemory> allocate_packed(std::size_t bytes, std::uint64_t layout);

// Where a network's packed weights are kept.
struct PackedPlace {
    std::filesystem::path file;
    ContentHash::Value key{};
};

// Below $XDG_CACHE_HOME/sluice/packed or ~/.cache/sluice/packed, by a hash of the graph with all
// its constants, of how its nodes are shared out among backends, of `processor` (what else decides
// how weights are packed) and of this build. Nothing where a file is not worth it (less than 1 MiB
// of constants), where there is no such folder, or where $SLUICE_PACKED_CACHE is "off".
[[nodiscard]] std::optional<PackedPlace>
packed_place(const graph::Graph& graph, const Schedule& schedule, std::string_view processor);

// Whether a constant of the graph is of a sealed model: then nothing of it may be kept.
[[nodiscard]] bool has_confidential_constants(const graph::Graph& graph);

// While it lives, allocate_packed() on this thread is served from the file, or remembers what that
// lacks. One for each compilation; a graph's nodes are always lowered in one order, which is how
// the memories are found again.
class PackedScope {
public:
    // Without a place nothing is read or written.
    explicit PackedScope(std::optional<PackedPlace> place);
    ~PackedScope();
    PackedScope(const PackedScope&) = delete;
    PackedScope& operator=(const PackedScope&) = delete;

    // Writes the file where it lacked something, and removes old ones where there are too many. Io.
    [[nodiscard]] Status save() const;
    // How many memories came from the file so far.
    [[nodiscard]] std::size_t served() const { return served_; }

private:
    friend Result<PackedMemory> allocate_packed(std::size_t bytes, std::uint64_t layout);

    [[nodiscard]] std::shared_ptr<std::byte> serve(std::size_t bytes, std::uint64_t layout);

    std::optional<PackedPlace> place_;
    std::vector<PackedBlob> stored_;     // in the file
    std::vector<PackedBlob> handed_out_; // the first served_ of them from the file
    std::size_t served_ = 0;
    PackedScope* outer_ = nullptr;
};

} // namespace sluice::runtime
