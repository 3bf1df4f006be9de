// SPDX-License-Identifier: Apache-2.0
// The log sink gets what is written while it is installed, and nothing else.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/log.h"

namespace sluice {
namespace {

std::vector<std::string>& lines() {
    static std::vector<std::string> kept;
    return kept;
}

TEST(Log, writes_to_the_installed_sink_only) {
    log::warning("test", "before {}", 1);
    log::set_sink([](log::Level level, std::string_view category, std::string_view message) {
        lines().push_back(std::string(category) + ":" + std::string(message) +
                          (level == log::Level::Warning ? "!" : ""));
    });
    log::warning("import", "modifier {:#x} is not linear", 16);
    log::info("runtime", "two");
    log::set_sink(nullptr);
    log::warning("test", "after");
    EXPECT_EQ(lines(),
              (std::vector<std::string>{"import:modifier 0x10 is not linear!", "runtime:two"}));
}

} // namespace
} // namespace sluice
