// SPDX-License-Identifier: Apache-2.0
// The copy ledger counts by reason, from several threads, and names its reasons.
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/copy_ledger.h"

namespace sluice {
namespace {

TEST(CopyLedger, starts_empty) {
    const CopyLedger ledger;
    EXPECT_EQ(ledger.total_bytes(), 0U);
}

TEST(CopyLedger, counts_by_reason_and_in_total) {
    CopyLedger ledger;
    ledger.count(CopyReason::Upload, 100);
    ledger.count(CopyReason::Download, 20);
    ledger.count(CopyReason::Upload, 3);
    EXPECT_EQ(ledger.bytes(CopyReason::Upload), 103U);
    EXPECT_EQ(ledger.bytes(CopyReason::Download), 20U);
    EXPECT_EQ(ledger.bytes(CopyReason::NotWritable), 0U);
    EXPECT_EQ(ledger.total_bytes(), 123U);
}

TEST(CopyLedger, loses_nothing_between_threads) {
    CopyLedger ledger;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 10000; ++i) {
                    ledger.count(CopyReason::FormatChange, 7);
                }
            });
        }
    }
    EXPECT_EQ(ledger.bytes(CopyReason::FormatChange), 280000U);
}

TEST(CopyLedger, every_reason_has_its_own_name) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < kCopyReasonCount; ++i) {
        const std::string text(name(static_cast<CopyReason>(i)));
        EXPECT_FALSE(text.empty());
        EXPECT_TRUE(names.insert(text).second) << text;
    }
}

} // namespace
} // namespace sluice
