// SPDX-License-Identifier: Apache-2.0
// must(): a Result's value, or a failed test with the error's sentence.
#pragma once

#include <stdexcept>
#include <utility>

#include "core/base/result.h"

namespace sluice::testing {

// GoogleTest turns the exception into a failure of the running test.
template <typename T>
[[nodiscard]] T must(Result<T> result) {
    if (!result) {
        throw std::runtime_error(result.error().message);
    }
    return std::move(*result);
}

inline void must(const Status& status) {
    if (!status) {
        throw std::runtime_error(status.error().message);
    }
}

} // namespace sluice::testing
