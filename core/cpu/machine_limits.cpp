// SPDX-License-Identifier: Apache-2.0
// Measuring: every thread runs the same loop, from one barrier to the next.
#include "core/cpu/machine_limits.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <new>
#include <thread>

#include <unistd.h>

#include "core/base/result.h"
#include "core/cpu/machine_kernel.h"

namespace sluice::cpu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRepeats = 9;
constexpr double kSliceSeconds = 0.01;

// Results go here, so that the loops have an effect.
std::atomic<std::uint32_t> g_sink;

// Seconds of the fastest of several runs of `work(thread, rounds)` on all threads at once.
template <typename Work>
double fastest(unsigned threads, std::size_t rounds, Work&& work) {
    Clock::time_point start;
    double best = 1e9;
    int runs = 0;
    const auto at_barrier = [&]() noexcept {
        const Clock::time_point now = Clock::now();
        if (runs++ > 0) {
            best = std::min(best, std::chrono::duration<double>(now - start).count());
        }
        start = Clock::now();
    };
    std::barrier barrier(static_cast<std::ptrdiff_t>(threads), at_barrier);
    const auto body = [&](unsigned thread) {
        for (int i = 0; i < kRepeats; ++i) {
            barrier.arrive_and_wait();
            work(thread, rounds);
        }
        barrier.arrive_and_wait();
    };
    std::vector<std::jthread> others;
    for (unsigned thread = 1; thread < threads; ++thread) {
        others.emplace_back(body, thread);
    }
    body(0);
    return best;
}

// Operations a second of all threads: rounds grow until one run is long enough to be timed.
template <typename Work>
double rate(unsigned threads, double operations_a_round, Work&& work) {
    std::size_t rounds = 64;
    double seconds = fastest(1, rounds, work);
    while (seconds < kSliceSeconds && rounds < (std::size_t{1} << 40U)) {
        rounds *= seconds < kSliceSeconds / 8 ? 8 : 2;
        seconds = fastest(1, rounds, work);
    }
    return operations_a_round * static_cast<double>(rounds) * threads /
           fastest(threads, rounds, work);
}

double float_rate(unsigned threads) {
    const MachineKernels& kernels = machine_kernels();
    return rate(threads, 2.0 * static_cast<double>(kernels.multiply_add_lanes),
                [&](unsigned, std::size_t rounds) {
                    const float sum = kernels.multiply_add(rounds, 0.5F, 1.0F);
                    g_sink.fetch_add(static_cast<std::uint32_t>(sum), std::memory_order_relaxed);
                });
}

double int8_rate(unsigned threads) {
    const MachineKernels& kernels = machine_kernels();
    return rate(threads, 8.0 * static_cast<double>(kernels.dot_product_lanes),
                [&](unsigned, std::size_t rounds) {
                    const std::int32_t sum = kernels.dot_products(rounds, 3, -2);
                    g_sink.fetch_add(static_cast<std::uint32_t>(sum), std::memory_order_relaxed);
                });
}

double read_rate(unsigned threads, std::size_t bytes) {
    const MachineKernels& kernels = machine_kernels();
    const std::size_t count =
        std::max(bytes / sizeof(std::uint32_t) / kernels.read_step, std::size_t{1}) *
        kernels.read_step;
    const std::vector<std::vector<std::uint32_t>> buffers(threads,
                                                          std::vector<std::uint32_t>(count, 1));
    return rate(threads, static_cast<double>(count * sizeof(std::uint32_t)),
                [&](unsigned thread, std::size_t rounds) {
                    for (std::size_t i = 0; i < rounds; ++i) {
                        g_sink.fetch_add(kernels.read(buffers[thread]), std::memory_order_relaxed);
                    }
                });
}

std::size_t cache_bytes(int name, std::size_t otherwise) {
    const long bytes = ::sysconf(name);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : otherwise;
}

// Buffers that stay within a cache, and one that no cache holds.
std::array<std::size_t, 4> buffer_sizes() {
    const std::size_t first = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, std::size_t{32} << 10U);
    const std::size_t second = cache_bytes(_SC_LEVEL2_CACHE_SIZE, std::size_t{512} << 10U);
    const std::size_t last =
        std::max(cache_bytes(_SC_LEVEL3_CACHE_SIZE, std::size_t{8} << 20U), second);
    // Of the last cache, which all cores share, a virtual machine may have a small part only.
    const std::size_t within = std::clamp(last / 8, second * 2, std::size_t{4} << 20U);
    return {first / 2, second / 2, within, std::min(last * 4, std::size_t{256} << 20U)};
}

} // namespace

Result<MachineLimits> measure_limits(unsigned threads) {
    if (threads == 0 || threads > 1024) {
        return fail(ErrorCode::InvalidArgument, "{} threads cannot be measured; give 1 to 1024",
                    threads);
    }
    MachineLimits limits{.threads = threads, .reads = {}};
    limits.float_gflops = 1e-9 * float_rate(threads);
    limits.int8_gops = 1e-9 * int8_rate(threads);
    try {
        for (const std::size_t bytes : buffer_sizes()) {
            limits.reads.push_back(
                {.buffer_bytes = bytes, .gigabytes_per_second = 1e-9 * read_rate(threads, bytes)});
        }
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory,
                    "no memory for the buffers of {} threads; measure fewer", threads);
    }
    return limits;
}

double peak_float_gflops(unsigned threads) {
    return 1e-9 * float_rate(threads);
}

} // namespace sluice::cpu
