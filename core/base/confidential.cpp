// SPDX-License-Identifier: Apache-2.0
// The owners of confidential memory, process-wide.
#include "core/base/confidential.h"

#include <mutex>
#include <set>

namespace sluice {

namespace {

// Owners compare by what they share, whatever they point to.
using Owners = std::set<std::weak_ptr<const void>, std::owner_less<>>;

struct Registry {
    std::mutex mutex;
    Owners owners; // guarded by mutex
};

Registry& registry() {
    static Registry registry;
    return registry;
}

} // namespace

void mark_confidential(const std::shared_ptr<const void>& owner) {
    if (owner == nullptr) {
        return;
    }
    Registry& known = registry();
    const std::scoped_lock lock(known.mutex);
    std::erase_if(known.owners, [](const auto& other) { return other.expired(); });
    known.owners.insert(owner);
}

bool is_confidential(const std::shared_ptr<const void>& owner) {
    Registry& known = registry();
    const std::scoped_lock lock(known.mutex);
    return owner != nullptr && known.owners.contains(owner);
}

} // namespace sluice
