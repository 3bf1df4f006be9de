// SPDX-License-Identifier: Apache-2.0
// The sizes of caches, from sysconf() and Linux's sysfs.
#include "core/cpu/cache_size.h"

#include <charconv>
#include <format>
#include <fstream>
#include <string>
#include <system_error>

#include <unistd.h>

namespace sluice::cpu {
namespace {

// What is left of `text` behind the number that it begins with, or nothing.
bool take_number(std::string_view& text, std::size_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return error == std::errc{};
}

// sysconf() tells of the chip's third-level caches together, and of what a virtual machine does not
// have.
std::size_t read_l3_share() {
    for (int index = 0;; ++index) {
        const auto read = [&](std::string_view name) {
            std::ifstream file(
                std::format("/sys/devices/system/cpu/cpu0/cache/index{}/{}", index, name));
            std::string line;
            std::getline(file, line);
            return line;
        };
        const std::string level = read("level");
        if (level.empty()) {
            return 0;
        }
        if (level != "3") {
            continue;
        }
        const std::string size = read("size");
        std::string_view unit = size;
        std::size_t kibibytes = 0;
        const std::size_t processors = count_processors(read("shared_cpu_list"));
        if (!take_number(unit, kibibytes) || unit != "K" || processors == 0) {
            return 0;
        }
        return (kibibytes << 10U) / processors;
    }
}

} // namespace

std::size_t l2_cache_bytes() {
    constexpr std::size_t kUsual = std::size_t{512} << 10U;
#ifdef _SC_LEVEL2_CACHE_SIZE
    const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : kUsual;
#else
    return kUsual;
#endif
}

std::size_t l3_cache_bytes_per_processor() {
    static const std::size_t bytes = read_l3_share();
    return bytes;
}

std::size_t count_processors(std::string_view list) {
    std::size_t count = 0;
    while (true) {
        std::size_t first = 0;
        if (!take_number(list, first)) {
            return 0;
        }
        std::size_t last = first;
        if (list.starts_with('-')) {
            list.remove_prefix(1);
            if (!take_number(list, last) || last < first) {
                return 0;
            }
        }
        count += last - first + 1;
        if (list.empty()) {
            return count;
        }
        if (!list.starts_with(',')) {
            return 0;
        }
        list.remove_prefix(1);
    }
}

} // namespace sluice::cpu
