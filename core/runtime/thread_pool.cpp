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

namespace sluice::runtime {

namespace {

// Longer than the gap between two loops of a network, shorter than anybody would notice. Sleeping
// and waking takes a worker tens of microseconds.
constexpr std::chrono::microseconds kSpin{50};

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

// The workers and the loop that they share. A loop is open while it has pieces that nobody took. A
// worker that finds it open, after it has signed in, may touch it until it signs out; the caller
// takes pieces itself, closes the loop, and waits for those who are signed in. A worker that is
// late, because the processor has other work, thus delays nobody.
class ThreadPool::Crew {
public:
    explicit Crew(unsigned workers) {
        try {
            for (unsigned i = 0; i < workers; ++i) {
                threads_.emplace_back([this] { work(); });
            }
        } catch (const std::system_error&) { // fewer threads than asked for
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
        loop_ = {.function = function, .context = context, .count = count, .grain = grain};
        next_ = 0;
        open_ = true;
        announce();
        take_pieces();
        open_ = false;
        const auto all_out = [this] { return signed_in_ == 0; };
        if (!spin_until(all_out)) {
            for (unsigned in = signed_in_; in != 0; in = signed_in_) {
                signed_in_.wait(in);
            }
        }
        return true;
    }

private:
    struct Loop {
        RangeFunction function = nullptr;
        void* context = nullptr;
        std::size_t count = 0, grain = 1;
    };

    void announce() {
        ++epoch_;
        epoch_.notify_all();
    }

    void take_pieces() {
        while (true) {
            const std::size_t begin = next_.fetch_add(loop_.grain);
            if (begin >= loop_.count) {
                return;
            }
            loop_.function(loop_.context, begin, std::min(loop_.grain, loop_.count - begin));
        }
    }

    void work() {
        std::uint32_t seen = 0;
        while (!stopped_) {
            if (!spin_until([&] { return epoch_ != seen; })) {
                epoch_.wait(seen);
            }
            seen = epoch_;
            ++signed_in_;
            if (open_) {
                take_pieces();
            }
            if (--signed_in_ == 0) {
                signed_in_.notify_all();
            }
        }
    }

    std::mutex turn_; // held by the caller whose loop it is
    Loop loop_;       // written while the loop is closed and nobody is signed in
    std::atomic<std::size_t> next_ = 0;
    std::atomic<bool> open_ = false;
    std::atomic<bool> stopped_ = false;
    std::atomic<unsigned> signed_in_ = 0;
    std::atomic<std::uint32_t> epoch_ = 0;
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
