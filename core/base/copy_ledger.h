// SPDX-License-Identifier: Apache-2.0
// The copy ledger: every byte of frame data that Sluice moves, by reason.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

// Why frame bytes were copied. Sampling a frame into a network's input and writing a result into a
// frame are the work itself and are not copies; duplicating a frame's pixels is.
enum class CopyReason : std::uint8_t {
    NotWritable,     // the buffer was shared, so an in-place element had to duplicate it
    Upload,          // pixels moved to a device that could not import the frame
    Download,        // pixels moved back from a device
    UnmappableFrame, // the frame's memory could not be mapped as it lay
    FormatChange,    // the caller asked for another pixel format
    OnDevice,        // by a device within its memory: an image to a buffer, and back
};
inline constexpr std::size_t kCopyReasonCount = 6;

[[nodiscard]] std::string_view name(CopyReason reason);

// Counts copied bytes. Thread-safe; one ledger an element, a task or a program.
class CopyLedger {
public:
    void count(CopyReason reason, std::uint64_t bytes) {
        bytes_[static_cast<std::size_t>(reason)].fetch_add(bytes, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t bytes(CopyReason reason) const {
        return bytes_[static_cast<std::size_t>(reason)].load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t total_bytes() const;

private:
    std::array<std::atomic<std::uint64_t>, kCopyReasonCount> bytes_{};
};

} // namespace sluice
