// SPDX-License-Identifier: Apache-2.0
// The signal handler and its flag.
#include "pipelines/cli/interrupt.h"

#include <csignal>

namespace sluice::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void on_signal(int /*number*/) {
    interrupted = 1;
}

} // namespace

void catch_interrupts() {
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND); // the second signal takes its usual course
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

bool was_interrupted() {
    return interrupted != 0;
}

} // namespace sluice::cli
