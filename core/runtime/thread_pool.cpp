// SPDX-License-Identifier: Apache-2.0
// ThreadPool: workers that spin for a moment between loops, and a caller that waits for nobody who
// has not begun.
#include "core/runtime/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/base/log.h"

namespace sluice::runtime {

namespace {

// Longer than the gap between two loops of a network, shorter than anybody would notice. Sleeping
// and waking takes a worker tens of microseconds.
constexpr std::chrono::microseconds kSpin{50};

// Far enough apart that no processor fetches what another one writes with it.
constexpr std::size_t kApart = 64;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Whether done() came true within the time.
template <typename Done>
bool spin_until(const Done& done) {
    const auto end = std::chrono::steady_clock::now() + kSpin;
    do {
        for (int i = 0; i < 32; ++i) {
            if (done()) {
                return true;
            }
            relax();
        }
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

} // namespace

// The workers and the loop that they share. Each thread has a share of the loop's pieces, the same
// part of every loop, so that it finds in its own cache what it wrote in the loop before; whoever
// is done with his own takes from the others'. A worker that finds the loop open as it signs in may
// touch it until it signs out; the caller takes pieces itself, closes the loop, and waits for those
// who are signed in. A worker that is late, because the processor has other work, thus delays
// nobody.
class ThreadPool::Crew {
public:
    explicit Crew(unsigned workers) : shares_(workers + 1) {
        try {
            for (unsigned i = 1; i <= workers; ++i) {
                threads_.emplace_back([this, i] { work(i); });
            }
        } catch (const std::system_error& limit) {
            log::warning("threads", "{} of {} workers started: {}", threads_.size(), workers,
                         limit.what());
        }
    }
    ~Crew() {
        stopped_ = true;
        announce();
        for (std::thread& thread : threads_) {
            thread.join();
        }
    }
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    [[nodiscard]] unsigned size() const { return static_cast<unsigned>(threads_.size()); }

    // False where another caller has the crew.
    bool run(std::size_t count, std::size_t grain, RangeFunction function, void* context) {
        const std::unique_lock turn(turn_, std::try_to_lock);
        if (!turn) {
            return false;
        }
        loop_ = {.function = function, .context = context, .grain = grain};
        deal(count, grain);
        attendance_ |= kOpen;
        announce();
        take_pieces(0);
        attendance_ &= ~kOpen;
        const auto all_out = [this] { return attendance_ == 0; };
        if (!spin_until(all_out)) {
            for (unsigned in = attendance_; in != 0; in = attendance_) {
                attendance_.wait(in);
            }
        }
        return true;
    }

private:
    struct Loop {
        RangeFunction function = nullptr;
        void* context = nullptr;
        std::size_t grain = 1;
    };
    // Items [next, end) of the loop, which nobody took so far.
    struct alignas(kApart) Share {
        std::atomic<std::size_t> next = 0;
        std::size_t end = 0;
    };
    static constexpr unsigned kOpen = 1U << 31;

    void announce() {
        ++epoch_;
        epoch_.notify_all();
    }

    void deal(std::size_t count, std::size_t grain) {
        const std::size_t pieces = div_ceil(count, grain);
        std::size_t begin = 0;
        for (std::size_t i = 0; i < shares_.size(); ++i) {
            const std::size_t end = std::min(count, pieces * (i + 1) / shares_.size() * grain);
            shares_[i].next.store(begin, std::memory_order_relaxed);
            shares_[i].end = end;
            begin = end;
        }
    }

    // The pieces of the thread's own share, then those of the others that are left.
    void take_pieces(std::size_t thread) {
        for (std::size_t i = 0; i < shares_.size(); ++i) {
            Share& share = shares_[(thread + i) % shares_.size()];
            while (share.next.load(std::memory_order_relaxed) < share.end) {
                const std::size_t begin = share.next.fetch_add(loop_.grain);
                if (begin >= share.end) {
                    break;
                }
                loop_.function(loop_.context, begin, std::min(loop_.grain, share.end - begin));
            }
        }
    }

    void work(std::size_t thread) {
        std::uint32_t seen = 0;
        while (!stopped_) {
            if (!spin_until([&] { return epoch_ != seen; })) {
                epoch_.wait(seen);
            }
            seen = epoch_;
            if ((attendance_++ & kOpen) != 0) {
                take_pieces(thread);
            }
            if (--attendance_ == 0) {
                attendance_.notify_all();
            }
        }
    }

    std::mutex turn_; // held by the caller whose loop it is
    // Those who are signed in, and kOpen. Loop and shares are written while it is closed and nobody
    // is in.
    alignas(kApart) std::atomic<unsigned> attendance_ = 0;
    Loop loop_;
    alignas(kApart) std::vector<Share> shares_; // one per thread, the caller's first
    std::atomic<bool> stopped_ = false;
    // Workers that wait look at it all the time.
    alignas(kApart) std::atomic<std::uint32_t> epoch_ = 0;
    std::vector<std::thread> threads_;
};

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
        crew_ = std::make_unique<Crew>(threads_ - 1);
        threads_ = crew_->size() + 1;
    }
}

ThreadPool::~ThreadPool() = default;

void ThreadPool::run(std::size_t count, std::size_t grain, RangeFunction function, void* context) {
    const std::size_t step = std::max<std::size_t>(1, grain);
    if (threads_ == 1 || count <= step) {
        if (count > 0) {
            function(context, 0, count);
        }
        return;
    }
    if (crew_->run(count, step, function, context)) {
        return;
    }
    for (std::size_t begin = 0; begin < count; begin += step) {
        function(context, begin, std::min(step, count - begin));
    }
}

} // namespace sluice::runtime
