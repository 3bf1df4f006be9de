// SPDX-License-Identifier: Apache-2.0
// What a file uses and we lack, collected so that one message tells all.
#pragma once

#include <cstddef>
#include <format>
#include <string>
#include <utility>

#include "core/base/result.h"

namespace sluice::models {

class Missing {
public:
    // "CONV_3D (operator 7 'stem')".
    void add(const std::string& text) {
        ++count_;
        if (count_ <= kListed) {
            list_ += (list_.empty() ? "" : ", ") + text;
        }
    }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] Error error() const {
        const std::string more =
            count_ > kListed ? std::format(" and {} more", count_ - kListed) : "";
        return {.code = ErrorCode::Unsupported,
                .message = std::format("{} not supported: {}{}",
                                       count_ == 1 ? "1 operator is"
                                                   : std::format("{} operators are", count_),
                                       list_, more)};
    }

private:
    static constexpr std::size_t kListed = 200; // bounds the message, not what people meet

    std::size_t count_ = 0;
    std::string list_;
};

} // namespace sluice::models
