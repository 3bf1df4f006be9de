// SPDX-License-Identifier: Apache-2.0
// ThreadPool over pthreadpool.
#include "core/runtime/thread_pool.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include <pthreadpool.h>

namespace sluice::runtime {

std::shared_ptr<ThreadPool> ThreadPool::shared(unsigned threads) {
    static std::mutex lock; // guards pools
    static std::map<unsigned, std::weak_ptr<ThreadPool>> pools;
    if (threads == 0) {
        threads = std::max(1U, std::thread::hardware_concurrency());
    }
    const std::lock_guard hold(lock);
    std::weak_ptr<ThreadPool>& slot = pools[threads];
    if (auto existing = slot.lock()) {
        return existing;
    }
    auto created = std::make_shared<ThreadPool>(threads);
    slot = created;
    return created;
}

ThreadPool::ThreadPool(unsigned threads) : threads_(std::max(1U, threads)) {
    if (threads_ > 1) {
        pool_ = pthreadpool_create(threads_);
        if (pool_ == nullptr) {
            threads_ = 1; // no threads to be had: everything runs on the caller
        }
    }
}

ThreadPool::~ThreadPool() {
    pthreadpool_destroy(pool_);
}

void ThreadPool::run(std::size_t count, std::size_t grain, RangeFunction function, void* context) {
    const std::size_t step = std::max<std::size_t>(1, grain);
    if (pool_ == nullptr || count <= step) {
        if (count > 0) {
            function(context, 0, count);
        }
        return;
    }
    pthreadpool_parallelize_1d_tile_1d(pool_, function, context, count, step,
                                       PTHREADPOOL_FLAG_YIELD_WORKERS);
}

} // namespace sluice::runtime
