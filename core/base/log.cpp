// SPDX-License-Identifier: Apache-2.0
// The process-wide log sink.
#include "core/base/log.h"

#include <atomic>

namespace sluice::log {

namespace {

std::atomic<Sink> g_sink = nullptr;

} // namespace

void set_sink(Sink sink) {
    g_sink.store(sink, std::memory_order_release);
}

void write(Level level, std::string_view category, std::string_view message) {
    if (const Sink sink = g_sink.load(std::memory_order_acquire); sink != nullptr) {
        sink(level, category, message);
    }
}

} // namespace sluice::log
