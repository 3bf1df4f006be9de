// SPDX-License-Identifier: Apache-2.0
// Writing to stdout, files and the terminal.
#include "pipelines/cli/output.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <format>

#include <unistd.h>

#include "pipelines/common/files.h"

namespace sluice::cli {

Status print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
        std::fflush(stdout) != 0) {
        return fail(ErrorCode::Io, "cannot write to the standard output");
    }
    return {};
}

Status print_json(const Json& value, const std::filesystem::path& path) {
    // Names out of files may be no UTF-8; JSON must be.
    const std::string text = value.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
    if (path.empty() || path == "-") {
        return print(text);
    }
    return pipelines::write_file(path, std::as_bytes(std::span(text)));
}

double rounded(double value, int decimals) {
    const double scale = std::pow(10.0, decimals);
    return std::isfinite(value) ? std::round(value * scale) / scale : value;
}

std::string table(const std::vector<std::vector<std::string>>& rows, std::size_t left) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += i == 0 ? "" : "  ";
            line += i < left ? std::format("{:<{}}", row[i], widths[i])
                             : std::format("{:>{}}", row[i], widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string shortened(std::string_view text, std::size_t most) {
    constexpr std::string_view kGap = "...";
    if (text.size() <= most) {
        return std::string(text);
    }
    const auto continues = [&](std::size_t at) { return (text[at] & '\xC0') == '\x80'; };
    std::size_t head = (most - kGap.size()) / 2;
    std::size_t tail = text.size() - (most - kGap.size() - head);
    while (head > 0 && continues(head)) {
        --head;
    }
    while (tail < text.size() && continues(tail)) {
        ++tail;
    }
    return std::format("{}{}{}", text.substr(0, head), kGap, text.substr(tail));
}

std::string bytes_text(std::size_t bytes) {
    constexpr auto kUnits = std::to_array<std::string_view>({"B", "KiB", "MiB", "GiB"});
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024.0 && unit + 1 < kUnits.size()) {
        value /= 1024.0;
        ++unit;
    }
    return unit == 0 ? std::format("{} B", bytes) : std::format("{:.1f} {}", value, kUnits[unit]);
}

Progress::Progress(std::string what) : what_(std::move(what)) {}

Progress::~Progress() {
    if (shown_) {
        std::fputs("\r\033[K", stderr);
    }
}

void Progress::update(double share, std::string_view detail) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_ || ::isatty(STDERR_FILENO) == 0) {
        return;
    }
    next_ = now + std::chrono::milliseconds(100);
    std::string line = "\r\033[K" + what_;
    if (share >= 0.0) {
        constexpr int kWidth = 30;
        const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * kWidth);
        line += " [" + std::string(static_cast<std::size_t>(full), '#') +
                std::string(static_cast<std::size_t>(kWidth - full), '.') +
                std::format("] {:3.0f} %", 100.0 * std::clamp(share, 0.0, 1.0));
    }
    if (!detail.empty()) {
        line += " " + std::string(detail);
    }
    std::fputs(line.c_str(), stderr);
    shown_ = true;
}

} // namespace sluice::cli
