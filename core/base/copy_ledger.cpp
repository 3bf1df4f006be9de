// SPDX-License-Identifier: Apache-2.0
// Names and totals of the copy ledger.
#include "core/base/copy_ledger.h"

#include <utility>

namespace sluice {

std::string_view name(CopyReason reason) {
    switch (reason) {
    case CopyReason::NotWritable: return "not-writable";
    case CopyReason::Upload: return "upload";
    case CopyReason::Download: return "download";
    case CopyReason::UnmappableFrame: return "unmappable-frame";
    case CopyReason::FormatChange: return "format-change";
    case CopyReason::OnDevice: return "on-device";
    }
    std::unreachable();
}

std::uint64_t CopyLedger::total_bytes() const {
    std::uint64_t total = 0;
    for (const auto& bytes : bytes_) {
        total += bytes.load(std::memory_order_relaxed);
    }
    return total;
}

} // namespace sluice
