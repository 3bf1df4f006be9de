// SPDX-License-Identifier: Apache-2.0
// Kernel: one node, lowered by a host backend and ready to run again and again.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/base/result.h"
#include "core/graph/graph.h"

namespace sluice::runtime {

class ThreadPool;

// Where a kernel finds its tensors. Pointers are in the order of Node::inputs and Node::outputs and
// aligned to kTensorAlignment, except those of graph inputs, outputs and constants, which may have
// the alignment of their element only. A kernel never reads or writes outside a tensor's bytes.
struct KernelIo {
    std::span<const std::byte* const> inputs;
    std::span<std::byte* const> outputs;
    std::byte* scratch; // scratch_bytes() bytes, aligned to kTensorAlignment; contents undefined
    ThreadPool& threads;

    template <typename T>
    [[nodiscard]] const T* input(std::size_t i) const {
        return reinterpret_cast<const T*>(inputs[i]);
    }
    template <typename T>
    [[nodiscard]] T* output(std::size_t i) const {
        return reinterpret_cast<T*>(outputs[i]);
    }
};

inline constexpr std::size_t kTensorAlignment = 64;

// Everything that can be done once (weight packing, index tables, choosing a variant) is done when
// the kernel is made. run() allocates nothing, cannot fail, and is const: one kernel may run on
// several threads with different KernelIo.
class Kernel {
public:
    Kernel() = default;
    Kernel(const Kernel&) = delete;
    Kernel& operator=(const Kernel&) = delete;
    virtual ~Kernel() = default;

    virtual void run(const KernelIo& io) const = 0;
    // Needed by run() with a pool of `threads` threads.
    [[nodiscard]] virtual std::size_t scratch_bytes(unsigned threads) const {
        static_cast<void>(threads);
        return 0;
    }
};

// What a host backend has for one operator kind. `supports` says why not: an Unsupported error
// makes the runtime ask the next backend. `lower` is called for supported nodes only.
struct Lowering {
    Status (*supports)(const graph::Graph& graph, const graph::Node& node) = nullptr;
    Result<std::unique_ptr<Kernel>> (*lower)(const graph::Graph& graph,
                                             const graph::Node& node) = nullptr;
};

} // namespace sluice::runtime
