// SPDX-License-Identifier: Apache-2.0
// A few values by key; the one that was asked for longest ago makes room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <utility>

namespace sluice {

// For a handful of entries: keys are compared one by one. Values stay where they are until they are
// dropped. Not thread-safe.
template <typename Key, typename Value>
class Recent {
public:
    // At least 1.
    explicit Recent(std::size_t bound) : bound_(std::max<std::size_t>(bound, 1)) {}

    // Null where there is none of this key. What is found counts as used now.
    [[nodiscard]] Value* find(const Key& key) {
        const auto found =
            std::ranges::find_if(entries_, [&](const auto& entry) { return entry.first == key; });
        if (found == entries_.end()) {
            return nullptr;
        }
        entries_.splice(entries_.begin(), entries_, found);
        return &found->second;
    }

    // Adds what is not there yet and drops the oldest where that exceeds the bound.
    Value& insert(Key key, Value value) {
        entries_.emplace_front(std::move(key), std::move(value));
        if (entries_.size() > bound_) {
            entries_.pop_back();
        }
        return entries_.front().second;
    }

    // Pairs of key and value, the last used first.
    [[nodiscard]] auto begin() { return entries_.begin(); }
    [[nodiscard]] auto end() { return entries_.end(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] std::size_t bound() const { return bound_; }

private:
    std::size_t bound_;
    std::list<std::pair<Key, Value>> entries_;
};

} // namespace sluice
