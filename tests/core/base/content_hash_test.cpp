// SPDX-License-Identifier: Apache-2.0
// What the content hash must tell apart.
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/content_hash.h"

namespace sluice {
namespace {

ContentHash::Value hash_of(std::span<const std::byte> bytes) {
    ContentHash hash;
    hash.add(bytes);
    return hash.value();
}

TEST(ContentHash, differs_for_every_flipped_bit_and_every_length) {
    std::set<ContentHash::Value> seen;
    std::size_t tried = 0;
    for (std::size_t size = 0; size <= 100; ++size) {
        std::vector<std::byte> bytes(size); // zeros: only the length differs
        seen.insert(hash_of(bytes));
        ++tried;
        for (std::size_t bit = 0; bit < size * 8; ++bit) {
            bytes[bit / 8] ^= std::byte{1} << (bit % 8);
            seen.insert(hash_of(bytes));
            ++tried;
            bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        }
    }
    EXPECT_EQ(seen.size(), tried);
    std::set<std::uint64_t> halves;
    for (const auto& value : seen) {
        halves.insert(value[0]);
        halves.insert(value[1]);
    }
    EXPECT_EQ(halves.size(), 2 * tried) << "each half tells them apart by itself";
}

TEST(ContentHash, minds_the_order_of_bytes_and_where_pieces_end) {
    const auto of = [](std::initializer_list<std::string_view> pieces) {
        ContentHash hash;
        for (const std::string_view piece : pieces) {
            hash.add(piece);
        }
        return hash.value();
    };
    const std::string block(32, 'a');
    const std::string other(32, 'b');
    const std::set<ContentHash::Value> all{of({}),
                                           of({""}),
                                           of({"", ""}),
                                           of({"ab"}),
                                           of({"a", "b"}),
                                           of({"b", "a"}),
                                           of({"", "ab"}),
                                           of({"ab", ""}),
                                           of({block + other}),
                                           of({other + block}),
                                           of({block, other}),
                                           of({other, block})};
    EXPECT_EQ(all.size(), 12U);
    EXPECT_EQ(of({block, "x"}), of({block, "x"}));
}

} // namespace
} // namespace sluice
