// SPDX-License-Identifier: Apache-2.0
// Reading, mapping and writing of packed weights.
#include "core/runtime/packed_cache.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <format>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/checked_math.h"
#include "core/base/unique_fd.h"
#include "core/graph/print.h"
#include "core/runtime/kernel.h"

namespace sluice::runtime {

namespace {

// To be raised whenever a kernel packs in another way under the same layout.
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kWorthwhileBytes = std::size_t{1} << 20U;
// Files beyond these go, the oldest first.
constexpr std::size_t kMostFiles = 16;

// In this machine's byte order: the file never leaves it.
struct Header {
    char magic[8] = {'s', 'l', 'u', 'i', 'c', 'e', 'p', 'w'};
    std::uint32_t version = kVersion;
    std::uint32_t count = 0;
    std::uint64_t bytes = 0; // of the whole file
    std::uint64_t hash = 0;  // of what follows the header
};
static_assert(sizeof(Header) == 32);

// One for each memory, behind the header; then the memories, each on a kTensorAlignment boundary.
struct Entry {
    std::uint64_t offset = 0; // in the file
    std::uint64_t size = 0;
    std::uint64_t layout = 0;
};

// Finds damage and tells graphs apart; nobody attacks a user's own cache. Eight bytes in each of
// four lanes at a time: the constants of a network are megabytes.
std::uint64_t hash_of(std::span<const std::byte> data, std::uint64_t seed) {
    constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15U;
    std::array<std::uint64_t, 4> lanes{seed, seed + 1, seed + 2, seed + 3};
    const auto mix = [&](std::uint64_t& lane, std::uint64_t word) {
        lane = (lane ^ word) * kFactor;
        lane ^= lane >> 29U;
    };
    std::size_t i = 0;
    for (; i + 32 <= data.size(); i += 32) {
        std::array<std::uint64_t, 4> words;
        std::memcpy(words.data(), data.data() + i, sizeof(words));
        for (std::size_t lane = 0; lane < 4; ++lane) {
            mix(lanes[lane], words[lane]);
        }
    }
    std::array<std::byte, 32> rest{};
    std::copy(data.begin() + static_cast<std::ptrdiff_t>(i), data.end(), rest.begin());
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), rest.data(), sizeof(words));
    std::uint64_t hash = data.size();
    for (std::size_t lane = 0; lane < 4; ++lane) {
        mix(lanes[lane], words[lane]);
        mix(hash, lanes[lane]);
    }
    return hash;
}

struct AlignedDelete {
    void operator()(std::byte* memory) const {
        ::operator delete(memory, std::align_val_t{kTensorAlignment});
    }
};

thread_local PackedScope* active_scope = nullptr;

// A file, mapped, and nothing where it cannot be.
std::shared_ptr<std::byte> map_whole(const std::filesystem::path& path, std::size_t& size) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!fd || ::fstat(fd.get(), &status) != 0 ||
        status.st_size < static_cast<off_t>(sizeof(Header))) {
        return nullptr;
    }
    size = static_cast<std::size_t>(status.st_size);
    void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd.get(), 0);
    if (memory == MAP_FAILED) {
        return nullptr;
    }
    return {static_cast<std::byte*>(memory), [size](std::byte* bytes) { ::munmap(bytes, size); }};
}

Status write_all(const UniqueFd& fd, std::span<const std::byte> data) {
    while (!data.empty()) {
        const ssize_t written = ::write(fd.get(), data.data(), data.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return fail(ErrorCode::Io, "{}", std::strerror(errno));
        }
        data = data.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

// Keeps the folder from growing with every network that was ever run.
void drop_oldest(const std::filesystem::path& folder) {
    std::vector<std::pair<std::filesystem::file_time_type, std::filesystem::path>> files;
    std::error_code error;
    auto entry = std::filesystem::directory_iterator(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        std::error_code gone; // by another process
        files.emplace_back(entry->last_write_time(gone), entry->path());
    }
    std::ranges::sort(files);
    for (std::size_t i = 0; i + kMostFiles < files.size(); ++i) {
        std::filesystem::remove(files[i].second, error);
    }
}

std::filesystem::path cache_folder() {
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
        return std::filesystem::path(cache) / "sluice" / "packed";
    }
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
        return std::filesystem::path(home) / ".cache" / "sluice" / "packed";
    }
    return {};
}

} // namespace

Result<PackedMemory> allocate_packed(std::size_t bytes, std::uint64_t layout) {
    PackedScope* const scope = active_scope;
    if (scope != nullptr && scope->memories_.size() < scope->stored_.size()) {
        const auto& stored = scope->stored_[scope->memories_.size()];
        if (stored.size == bytes && stored.layout == layout) {
            scope->memories_.push_back(stored);
            ++scope->served_;
            return PackedMemory{.bytes = stored.bytes, .is_filled = true};
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
        scope->memories_.push_back({.bytes = owner, .size = bytes, .layout = layout});
    }
    return PackedMemory{.bytes = std::move(owner), .is_filled = false};
}

PackedScope::PackedScope(std::filesystem::path file) : file_(std::move(file)) {
    if (!file_.empty()) {
        read();
        outer_ = std::exchange(active_scope, this);
    }
}

PackedScope::~PackedScope() {
    if (!file_.empty()) {
        active_scope = outer_;
    }
}

// Anything but a whole, undamaged file of this version is as good as none.
void PackedScope::read() {
    std::size_t size = 0;
    const std::shared_ptr<std::byte> mapped = map_whole(file_, size);
    if (mapped == nullptr) {
        return;
    }
    Header header;
    const Header expected;
    std::memcpy(&header, mapped.get(), sizeof(header));
    const std::span<const std::byte> payload(mapped.get() + sizeof(header), size - sizeof(header));
    if (std::memcmp(header.magic, expected.magic, sizeof(header.magic)) != 0 ||
        header.version != expected.version || header.bytes != size ||
        header.count > payload.size() / sizeof(Entry) || hash_of(payload, 0) != header.hash) {
        return;
    }
    for (std::size_t i = 0; i < header.count; ++i) {
        Entry entry;
        std::memcpy(&entry, payload.data() + i * sizeof(entry), sizeof(entry));
        if (entry.offset % kTensorAlignment != 0 || entry.offset > size ||
            entry.size > size - entry.offset) {
            stored_.clear();
            return;
        }
        stored_.push_back({.bytes = {mapped, mapped.get() + entry.offset},
                           .size = entry.size,
                           .layout = entry.layout});
    }
}

Status PackedScope::save() const {
    if (file_.empty() || memories_.empty() || served_ == memories_.size()) {
        return {};
    }
    std::vector<std::byte> data(sizeof(Header) + memories_.size() * sizeof(Entry));
    for (std::size_t i = 0; i < memories_.size(); ++i) {
        data.resize(align_up(data.size(), kTensorAlignment));
        const Entry entry{
            .offset = data.size(), .size = memories_[i].size, .layout = memories_[i].layout};
        std::memcpy(data.data() + sizeof(Header) + i * sizeof(Entry), &entry, sizeof(entry));
        data.insert(data.end(), memories_[i].bytes.get(),
                    memories_[i].bytes.get() + memories_[i].size);
    }
    Header header;
    header.count = static_cast<std::uint32_t>(memories_.size());
    header.bytes = data.size();
    header.hash = hash_of(std::span(data).subspan(sizeof(header)), 0);
    std::memcpy(data.data(), &header, sizeof(header));

    std::error_code error;
    std::filesystem::create_directories(file_.parent_path(), error);
    std::string temporary = file_.string() + ".XXXXXX";
    const UniqueFd fd(error ? -1 : ::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd) {
        return fail(ErrorCode::Io, "cannot write '{}': {}", file_.string(),
                    error ? error.message() : std::strerror(errno));
    }
    Status written = write_all(fd, data);
    if (written && ::rename(temporary.c_str(), file_.c_str()) != 0) {
        written = fail(ErrorCode::Io, "{}", std::strerror(errno));
    }
    if (!written) {
        ::unlink(temporary.c_str());
        return std::unexpected(
            std::move(written).error().within(std::format("writing '{}'", file_.string())));
    }
    drop_oldest(file_.parent_path());
    return {};
}

std::filesystem::path packed_cache_path(const graph::Graph& graph) {
    const char* const setting = std::getenv("SLUICE_PACKED_CACHE");
    const std::filesystem::path folder = cache_folder();
    std::size_t bytes = 0;
    for (const graph::Operand& operand : graph.operands()) {
        bytes += operand.data.bytes.size();
    }
    if (folder.empty() || bytes < kWorthwhileBytes ||
        (setting != nullptr && std::string_view(setting) == "off")) {
        return {};
    }
    const std::string text = graph::to_text(graph);
    std::array<std::uint64_t, 2> hashes{1, 0x51C3};
    for (std::uint64_t& hash : hashes) {
        hash = hash_of(std::as_bytes(std::span(text)), hash);
    }
    for (const graph::Operand& operand : graph.operands()) {
        hashes[0] = hash_of(operand.data.bytes, hashes[0]);
        hashes[1] = hash_of(std::as_bytes(std::span(hashes)), hashes[1]);
    }
    return folder / std::format("{:016x}{:016x}.bin", hashes[0], hashes[1]);
}

} // namespace sluice::runtime
