// SPDX-License-Identifier: Apache-2.0
// A kernel made from a function object, for operators whose kernels need no class of their own.
#pragma once

#include <memory>
#include <utility>

#include "core/base/result.h"
#include "core/runtime/kernel.h"

namespace sluice::runtime {

// Runs function(io). What the function object captured was fixed when the kernel was made.
template <typename Function>
class FunctionKernel final : public Kernel {
public:
    FunctionKernel(Function function, std::size_t scratch_bytes)
        : function_(std::move(function)), scratch_bytes_(scratch_bytes) {}

    void run(const KernelIo& io) const override { function_(io); }
    [[nodiscard]] std::size_t scratch_bytes(unsigned /*threads*/) const override {
        return scratch_bytes_;
    }

private:
    Function function_;
    std::size_t scratch_bytes_;
};

template <typename Function>
[[nodiscard]] Result<std::unique_ptr<Kernel>> make_kernel(Function function,
                                                          std::size_t scratch_bytes = 0) {
    return std::make_unique<FunctionKernel<Function>>(std::move(function), scratch_bytes);
}

} // namespace sluice::runtime
