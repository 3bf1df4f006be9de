// SPDX-License-Identifier: Apache-2.0
// How much memory the loading of one file may take for data that is not in the file as such.
#pragma once

#include <cstddef>

#include "core/base/result.h"

namespace sluice::models {

// Sparse tensors and interpolation tables are expanded at load time, so that a few hostile bytes
// could ask for gigabytes. A budget in proportion to the file stops them and no real model.
class LoadBudget {
public:
    explicit LoadBudget(std::size_t file_bytes) : left_(kBase + share(file_bytes)) {}

    // A further file of the same model was opened.
    void add_file(std::size_t file_bytes) {
        const std::size_t more = share(file_bytes);
        left_ = left_ < kLimit - more ? left_ + more : kLimit;
    }

    [[nodiscard]] Status take(std::size_t bytes) {
        if (bytes > left_) {
            return fail(ErrorCode::Unsupported,
                        "expands to {} bytes, more than a file of this size may", bytes);
        }
        left_ -= bytes;
        return {};
    }

private:
    static constexpr std::size_t kBase = std::size_t{16} << 20U;
    static constexpr std::size_t kPerByte = 256;
    static constexpr std::size_t kLimit = std::size_t{4} << 30U;

    static constexpr std::size_t share(std::size_t file_bytes) {
        return file_bytes < kLimit / kPerByte ? file_bytes * kPerByte : kLimit;
    }

    std::size_t left_;
};

} // namespace sluice::models
