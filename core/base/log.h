// SPDX-License-Identifier: Apache-2.0
// The one log sink. Libraries never write to stdout or stderr; the host decides where lines go.
#pragma once

#include <format>
#include <string_view>
#include <utility>

namespace sluice::log {

enum class Level { Error, Warning, Info, Debug };

// `category` is a short static name such as "runtime" or "import".
using Sink = void (*)(Level level, std::string_view category, std::string_view message);

// Installs the process-wide sink; null restores silence. Thread-safe, may be called at any time.
void set_sink(Sink sink);

// Hands a line to the sink, if there is one. Thread-safe.
void write(Level level, std::string_view category, std::string_view message);

template <typename... Args>
void warning(std::string_view category, std::format_string<Args...> text, Args&&... args) {
    write(Level::Warning, category, std::format(text, std::forward<Args>(args)...));
}

template <typename... Args>
void info(std::string_view category, std::format_string<Args...> text, Args&&... args) {
    write(Level::Info, category, std::format(text, std::forward<Args>(args)...));
}

} // namespace sluice::log
