// SPDX-License-Identifier: Apache-2.0
// Where packed weights are kept, and the scope that serves them.
#include "core/runtime/packed_cache.h"

#include <algorithm>
#include <cstdlib>
#include <format>
#include <new>
#include <string>
#include <utility>

#include "core/base/confidential.h"
#include "core/base/log.h"
#include "core/graph/print.h"
#include "core/runtime/aligned_bytes.h"
#include "core/runtime/build_id.h"
#include "core/runtime/kernel.h"

namespace sluice::runtime {

namespace {

constexpr std::size_t kWorthwhileBytes = std::size_t{1} << 20U;
// Of all files; what exceeds it goes, and a network that is larger by itself is not kept.
constexpr std::uintmax_t kFolderBytes = std::uintmax_t{256} << 20U;

thread_local PackedScope* active_scope = nullptr;

std::filesystem::path cache_folder() {
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
        return std::filesystem::path(cache) / "sluice" / "packed";
    }
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
        return std::filesystem::path(home) / ".cache" / "sluice" / "packed";
    }
    return {};
}

bool is_turned_off() {
    const char* const setting = std::getenv("SLUICE_PACKED_CACHE");
    return setting != nullptr && std::string_view(setting) == "off";
}

std::size_t constant_bytes(const graph::Graph& graph) {
    std::size_t bytes = 0;
    for (const graph::Operand& operand : graph.operands()) {
        bytes += operand.data.bytes.size();
    }
    return bytes;
}

std::uint64_t size_of(std::span<const PackedBlob> blobs) {
    std::uint64_t bytes = 0;
    for (const PackedBlob& blob : blobs) {
        bytes += blob.size;
    }
    return bytes;
}

} // namespace

Result<PackedMemory> allocate_packed(std::size_t bytes, std::uint64_t layout) {
    PackedScope* const scope = active_scope;
    if (scope != nullptr) {
        if (auto stored = scope->serve(bytes, layout); stored != nullptr) {
            return PackedMemory{.bytes = std::move(stored), .is_filled = true};
        }
    }
    auto* const memory = static_cast<std::byte*>(::operator new(
        std::max<std::size_t>(bytes, 1), std::align_val_t{kTensorAlignment}, std::nothrow));
    if (memory == nullptr) {
        return fail(ErrorCode::OutOfMemory, "packing {} bytes of weights: out of memory", bytes);
    }
    std::fill_n(memory, bytes, std::byte{0});
    std::shared_ptr<std::byte> owner(memory, AlignedDelete());
    if (scope != nullptr) {
        scope->handed_out_.push_back({.bytes = owner, .size = bytes, .layout = layout});
    }
    return PackedMemory{.bytes = std::move(owner), .is_filled = false};
}

bool has_confidential_constants(const graph::Graph& graph) {
    return std::ranges::any_of(graph.operands(), [](const graph::Operand& operand) {
        return is_confidential(operand.data.owner);
    });
}

std::optional<PackedPlace> packed_place(const graph::Graph& graph, const Schedule& schedule,
                                        std::string_view processor) {
    const std::filesystem::path folder = cache_folder();
    const std::string build = build_id();
    if (folder.empty() || build.empty() || is_turned_off() ||
        constant_bytes(graph) < kWorthwhileBytes) {
        return std::nullopt;
    }
    ContentHash hash;
    hash.add(build);
    hash.add(processor);
    hash.add(graph::to_text(graph));
    for (const graph::Operand& operand : graph.operands()) {
        hash.add(operand.data.bytes);
    }
    for (const ScheduledStep& step : schedule.steps) {
        hash.add(step.backend->name());
        hash.add(std::uint64_t{step.segment.nodes.size()});
    }
    const ContentHash::Value key = hash.value();
    return PackedPlace{.file = folder / std::format("{:016x}{:016x}.bin", key[0], key[1]),
                       .key = key};
}

PackedScope::PackedScope(std::optional<PackedPlace> place) : place_(std::move(place)) {
    if (!place_) {
        return;
    }
    outer_ = std::exchange(active_scope, this);
    auto stored = read_packed_file(place_->file, place_->key);
    if (stored) {
        stored_ = std::move(*stored);
    } else if (stored.error().code != ErrorCode::NotFound) {
        log::info("runtime", "packed weights are made anew: {}", stored.error().message);
    }
}

PackedScope::~PackedScope() {
    if (place_) {
        active_scope = outer_;
    }
}

// The next memory of the file, or null. After the first that differs none is served: the rest would
// be another kernel's.
std::shared_ptr<std::byte> PackedScope::serve(std::size_t bytes, std::uint64_t layout) {
    const std::size_t next = handed_out_.size();
    if (next >= stored_.size() || stored_[next].size != bytes || stored_[next].layout != layout) {
        stored_.clear();
        return nullptr;
    }
    handed_out_.push_back(stored_[next]);
    ++served_;
    return std::const_pointer_cast<std::byte>(stored_[next].bytes);
}

Status PackedScope::save() const {
    if (!place_ || served_ == handed_out_.size() || size_of(handed_out_) > kFolderBytes) {
        return {};
    }
    SLUICE_TRY(write_packed_file(place_->file, place_->key, handed_out_));
    drop_oldest(place_->file.parent_path(), kFolderBytes);
    return {};
}

} // namespace sluice::runtime
