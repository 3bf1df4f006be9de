// SPDX-License-Identifier: Apache-2.0
// The worker threads that all streams of a process share.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace sluice::runtime {

// A pool of worker threads. parallel_for() may be called from any thread, also from several at
// once: while the workers serve one caller, the others do their work themselves. It never
// allocates. Between two loops in short order the workers spin, for some 50 microseconds.
class ThreadPool {
public:
    // The shared pool with this many threads, the caller's included; 0: one per available core.
    // Pools are created on first use and live as long as somebody holds them.
    [[nodiscard]] static std::shared_ptr<ThreadPool> shared(unsigned threads);

    explicit ThreadPool(unsigned threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    [[nodiscard]] unsigned threads() const { return threads_; }

    // Calls body(begin, end) on disjoint ranges that cover [0, count), at most `grain` items each,
    // and returns when all are done. With one thread, or one range, everything runs on the caller.
    // Each thread begins with its own part of the ranges, the same one in every loop of as many:
    // what it wrote in one loop is in its cache in the next.
    template <typename Body>
    void parallel_for(std::size_t count, std::size_t grain, Body&& body) {
        using Plain = std::remove_reference_t<Body>;
        run(
            count, grain,
            [](void* context, std::size_t begin, std::size_t size) {
                (*static_cast<Plain*>(context))(begin, begin + size);
            },
            const_cast<std::remove_const_t<Plain>*>(&body));
    }

private:
    using RangeFunction = void (*)(void* context, std::size_t begin, std::size_t size);
    void run(std::size_t count, std::size_t grain, RangeFunction function, void* context);

    unsigned threads_;
    class Crew;
    std::unique_ptr<Crew> crew_; // null with one thread
};

} // namespace sluice::runtime
