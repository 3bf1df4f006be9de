// SPDX-License-Identifier: Apache-2.0
// Error values. Every fallible function returns Result<T>; nothing in Sluice throws.
#pragma once

#include <expected>
#include <format>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

enum class ErrorCode {
    InvalidArgument, // the caller broke a documented precondition, or set an impossible property
    Unsupported,     // a valid request, but not for this backend, device, operator or format
    Parse,           // malformed model or stream bytes
    NotFound,        // a model, file or device that does not exist
    Io,              // a file or device could not be opened, read or mapped
    OutOfMemory,     // host or device memory exhausted
    DeviceLost,      // the device must be recreated
    Internal,        // a bug of ours, or an exception from a library
};

// Why something failed. `message` is one sentence, lower case, without a full stop, that names the
// thing, the value and, where there is one, the remedy: "conv2d 'stem': groups 3 does not divide 16
// input channels".
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string message;

    // Prefixes what the caller was doing: "loading face.tflite: operator 17: ...".
    [[nodiscard]] Error within(std::string_view doing) && {
        message.insert(0, ": ").insert(0, doing);
        return std::move(*this);
    }
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
    return std::unexpected(Error{.code = code, .message = std::move(message)});
}

// The same with std::format: fail(ErrorCode::Parse, "tensor {}: rank {}", i, rank).
template <typename First, typename... Rest>
[[nodiscard]] std::unexpected<Error> fail(ErrorCode code, std::format_string<First, Rest...> text,
                                          First&& first, Rest&&... rest) {
    return fail(code, std::format(text, std::forward<First>(first), std::forward<Rest>(rest)...));
}

} // namespace sluice

// The only two control-flow macros in the tree.
#define SLUICE_TRY(expr)                                                                           \
    do {                                                                                           \
        if (auto sluice_try_ = (expr); !sluice_try_) {                                             \
            return std::unexpected(std::move(sluice_try_).error());                                \
        }                                                                                          \
    } while (false)
#define SLUICE_JOIN_IMPL(a, b) a##b
#define SLUICE_JOIN(a, b) SLUICE_JOIN_IMPL(a, b)
#define SLUICE_TRY_ASSIGN(decl, expr)                                                              \
    auto SLUICE_JOIN(sluice_try_, __LINE__) = (expr);                                              \
    if (!SLUICE_JOIN(sluice_try_, __LINE__)) {                                                     \
        return std::unexpected(std::move(SLUICE_JOIN(sluice_try_, __LINE__)).error());             \
    }                                                                                              \
    decl = /* NOLINT(bugprone-macro-parentheses) */ std::move(*SLUICE_JOIN(sluice_try_, __LINE__))
